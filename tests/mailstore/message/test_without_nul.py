"""NULs leave a message by base64, and everything else stays as it was."""

from __future__ import annotations

import email
import email.policy

import pytest

from mailstore.message import body
from mailstore.message.binary import without_nul
from mailstore.message.structure import structure

BINARY = bytes(range(256)) * 3
MIXED = (
    b"Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\npreamble\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nHello \xe4\xbd\xa0\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\nCONTENT-TRANSFER-ENCODING:\r\n binary\r\nX-After: kept\r\n\r\n%b\r\n"
    b"--b\r\n\r\nno header, a \0\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b"Subject: inner\r\nContent-Type: image/png\r\n\r\n\0inner\r\n"
    b"--b--\r\n"
) % BINARY


def test_what_holds_no_nul_is_left_alone() -> None:
    raw = MIXED.replace(b"\0", b"")
    assert without_nul(raw) is raw


def test_binary_parts_become_base64_and_their_content_comes_back() -> None:
    made = without_nul(MIXED)
    assert made is not None
    assert b"\0" not in made
    assert b"binary" not in made
    before, after = ([node for node in structure(raw).walk() if not node.children] for raw in (MIXED, made))
    assert [node.content_type for node in after] == [node.content_type for node in before]
    assert [node.encoding for node in after] == ["7bit", "base64", "base64", "8bit", "base64"]
    contents = [body.transfer_decoded(made[node.body_offset : node.body_end], node.encoding) for node in after]
    assert contents[1] == BINARY
    assert contents[2] == b"no header, a \0"
    assert contents[4] == b"\0inner"
    assert b"preamble\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello \xe4\xbd\xa0\r\n--b\r\n" in made
    assert b"Content-Transfer-Encoding: base64\r\nX-After: kept\r\n\r\n" in made
    parsed = email.message_from_bytes(made, policy=email.policy.default)
    assert not [part.defects for part in parsed.walk() if part.defects]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
def test_a_single_part_keeps_its_header(end: bytes) -> None:
    made = without_nul(b"Subject: one" + end + end + b"a\0b")
    assert made is not None
    assert made.startswith(b"Subject: one" + end + b"Content-Transfer-Encoding: base64\r\n" + end)
    root = structure(made)
    assert body.transfer_decoded(made[root.body_offset :], root.encoding) == b"a\0b"


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: a\0b\r\n\r\nx",
        b"Content-Transfer-Encoding: base64\r\n\r\nYQ==\0",
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\n\0",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\0\r\n--b\r\n\r\nx\r\n--b--\r\n",
    ],
    ids=["in a header", "in base64", "in an unknown encoding", "between the parts"],
)
def test_where_nothing_can_be_encoded_there_is_no_answer(raw: bytes) -> None:
    assert without_nul(raw) is None
