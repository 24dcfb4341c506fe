"""Inputs made to hurt: each is read, by every function, with an answer of bounded size."""

from __future__ import annotations

import contextlib
import json

import pytest

from core.errors import MailError
from mailstore.message import part, read, scan, without_bcc
from mailstore.message.structure import MAX_DEPTH, MAX_PARTS, structure
from tests.mailstore.message import corpus

MB = 1 << 20
SIZE = 2 * MB

HOSTILE = {
    "1,000 nested multiparts": corpus.nested(1_000),
    "1,000 nested messages": b"Content-Type: message/rfc822\r\n\r\n" * 1_000,
    "200,000 parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200_000,
    "a 10 MB header": b"Subject: " + b"a" * 10 * MB + b"\r\n\r\nbody",
    "a 10 MB header in folds": b"Subject: " + b"a\r\n " * (10 * MB // 4) + b"\r\n\r\nbody",
    "a million fields": b"a:b\r\n" * 1_000_000 + b"\r\nbody",
    "NUL bytes": b"\0" * SIZE,
    "NUL in every place": corpus.message("foxmail-gbk-labelled-gb2312").replace(b"e", b"e\0"),
    "open quotes": b"To: " + b'"' * SIZE,
    "open comments": b"To: " + b"(" * SIZE,
    "open brackets": b"To: " + b"<" * SIZE,
    "a million recipients": b"To: " + b"a@b," * 1_000_000,
    "encoded words without end": b"Subject: " + b"=?a?b?aa?= " * (SIZE // 11),
    "parameters without end": b"Content-Type: text/plain" + b'; a="' * (SIZE // 5),
    "sections without end": b"Content-Type: text/plain" + b"; a*1*=x" * (SIZE // 8),
    "lines that resemble a boundary": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b x\r\n" * (SIZE // 7),
    "broken base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=a?" * (SIZE // 3),
    "only equal signs": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * SIZE,
    "half characters": b"Subject: \xc4\xe3\xba\r\n\r\n" + b"\xc4\xe3\xba" * (SIZE // 3),
    "an unknown charset": b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe\xfd",
    "surrogates in UTF-7": b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+2AA-" * 1_000,
    "only carriage returns": b"\r" * SIZE,
    "tags without end": b"Content-Type: text/html\r\n\r\n" + b"<" * SIZE,
    "a date of ones": b"Date: " + b"1 " * (SIZE // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_scanned_and_read(name: str) -> None:
    raw = HOSTILE[name]
    scanned = scan(raw)
    assert len(json.loads(scanned.parts)) <= MAX_PARTS
    assert len(scanned.envelope) < 2 * MB
    assert len(scanned.bodystructure) < MB
    found = read(raw)
    assert len(found.attachments) <= MAX_PARTS
    assert found.text is not None or found.html is not None or found.attachments
    without_bcc(raw)
    with contextlib.suppress(MailError):
        part(raw, "1")


def test_parts_below_the_limit_of_depth_are_one_file() -> None:
    deepest = list(structure(corpus.nested(1_000)).walk())[-1]
    assert deepest.number.count(".") <= MAX_DEPTH
    assert deepest.content_type == "application/octet-stream"
    assert read(corpus.nested(1_000)).attachments
