"""Binary parts become base64, whatever is in them; everything else stays byte for byte."""

from __future__ import annotations

import email
import email.policy

from hypothesis import given, strategies as st

from mailstore.message.binary import without_binary

ANY = bytes(range(256)) * 3 + b"\r\r\n\n\x00.\r\n.\r\n"


def mail(content: bytes, encoding: bytes = b"binary") -> bytes:
    """Text, a message with a file inside it, and a file."""
    file = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + content
    inner = (
        b"Subject: inner\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=in\r\n"
        b"Content-Transfer-Encoding: Binary\r\n\r\n--in\r\n" + file + b"\r\n--in--\r\n"
    )
    return (
        b"Subject: s\r\nMIME-Version: 1.0\r\ncontent-transfer-encoding : binary\r\n"
        b"Content-Type: multipart/mixed; boundary=out\r\n\r\npreamble\r\n--out\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        b"--out\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding:\r\n binary\r\n\r\n" + inner + b"\r\n"
        b"--out\r\n" + file + b"\r\n--out--\r\nepilogue\r\n"
    )


def files(raw: bytes) -> list[bytes]:
    """What Python's own parser finds in it."""
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    return [part.get_content() for part in parsed.walk() if part.get_content_type() == "application/octet-stream"]


def is_of_lines(raw: bytes) -> bool:
    """No CR and no LF of its own, no NUL."""
    return raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n") and b"\0" not in raw


def test_every_part_keeps_what_it_holds_and_containers_are_not_encoded() -> None:
    made = without_binary(mail(ANY))
    assert is_of_lines(made)
    assert files(made) == [ANY, ANY]
    assert b"binary" not in made.lower()
    assert made.count(b"Content-Transfer-Encoding: base64\r\n") == 2
    assert made.count(b"Content-Transfer-Encoding: 8bit\r\n") == 3
    assert made.startswith(b"Subject: s\r\n")
    assert made.endswith(b"\r\n--out--\r\nepilogue\r\n")


def test_a_message_that_is_one_file() -> None:
    made = without_binary(b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n" + ANY)
    assert is_of_lines(made)
    assert files(made) == [ANY]


def test_what_is_not_binary_stays() -> None:
    raw = mail(b"Zm9v\r\n", b"base64").replace(b"inary", b"it")
    assert without_binary(raw) == raw


def test_a_container_that_can_not_be_read_is_not_encoded() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\nno parts\r\n"
    assert without_binary(raw) == raw.replace(b"binary", b"8bit")


@given(st.binary(max_size=300))
def test_it_never_raises_and_loses_nothing(content: bytes) -> None:
    without_binary(content)
    if b"\n--" not in content:
        assert files(without_binary(mail(content))) == [content, content]
