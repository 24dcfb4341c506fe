"""What stands in a mail, out of the scan of delivery."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.message import scan
from mta.spam.contents import contents_of
from tests.mailstore.message.corpus import NAMES, message

MAIL = (
    b"From: a@b.test\r\nSubject: hi\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/html; charset=gbk\r\n\r\n<style>p{}</style><p>"
    + "报价".encode("gbk")
    + b' <a class=b href="https://evil.test/?a=1&amp;b=2"><b>www.bank</b>.test</a><img src=x></p>\r\n'
    b'--x\r\nContent-Type: application/zip; name="a.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBHh4\r\n--x--\r\n'
)
TRACE = b"Received: from somewhere\r\n"


@pytest.mark.parametrize("shift", [0, len(TRACE)], ids=["whole", "without the trace"])
def test_text_links_and_files(shift: int) -> None:
    found = contents_of((TRACE + MAIL)[shift:], scan(TRACE + MAIL), shift=shift)
    assert (found.text.split(), found.is_html_only, found.pictures) == (["报价", "www.bank", ".test"], True, 1)
    assert [(each.target, each.shown) for each in found.links] == [("https://evil.test/?a=1&b=2", "www.bank .test")]
    assert [(each.name, each.data) for each in found.files] == [("a.zip", b"PK\x03\x04xx")]


def test_tags_are_written_in_any_case() -> None:
    mail = MAIL.replace(b"<a ", b"<A ").replace(b"</a>", b"</A >").replace(b"<img", b"<ImG")
    assert contents_of(mail, scan(mail)).links == contents_of(MAIL, scan(MAIL)).links
    assert contents_of(mail, scan(mail)).pictures == 1


def test_tags_with_longer_names_are_others() -> None:
    mail = MAIL.replace(b"<a ", b"<article ").replace(b"<img", b"<imgx")
    assert (contents_of(mail, scan(mail)).links, contents_of(mail, scan(mail)).pictures) == ((), 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_is_read(name: str) -> None:
    contents_of(message(name), scan(message(name)))


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    contents_of(MAIL + raw, scan(MAIL + raw))
    contents_of(raw, scan(raw))
