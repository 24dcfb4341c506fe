"""What a server without 8BITMIME gets: the same message in ASCII, or nothing."""

from __future__ import annotations

import email
from email.message import Message

import pytest
from hypothesis import given, strategies as st

from mailstore.message.seven_bit import seven_bit

TEXT = "这是一封信。\r\n-- \r\nBob"
PART = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
FILE = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"


def multipart(*parts: bytes, kind: bytes = b"mixed", more: bytes = b"") -> bytes:
    head = b"Subject: s\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
    body = b"".join(b"--b%d\r\n" % len(parts) + part + b"\r\n" for part in parts)
    line = b"Content-Type: multipart/%s; boundary=b%d%s\r\n\r\n" % (kind, len(parts), more)
    return head + line + body + b"--b%d--\r\n" % len(parts)


def converted(raw: bytes) -> Message:
    made = seven_bit(raw)
    assert made is not None
    assert made.isascii()
    assert max(map(len, made.split(b"\r\n"))) <= 998
    assert made.count(b"\n") == made.count(b"\r\n")
    return email.message_from_bytes(made)


def held(message: Message) -> list[bytes]:
    return [bytes(part.get_payload(decode=True)) for part in message.walk() if not part.is_multipart()]


def test_ascii_stays_byte_for_byte() -> None:
    raw = multipart(PART + b"Hello", FILE + b"bytes")
    assert seven_bit(raw) is raw


def test_every_part_keeps_what_it_holds() -> None:
    latin = "Zürich, " + "plain words, " * 20
    other = PART.replace(b"utf-8", b"iso-8859-1") + latin.encode("latin-1")
    inner = multipart(other, FILE + "ö".encode() * 100)
    message = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + inner
    made = converted(multipart(PART + TEXT.encode(), PART + b"plain", message))
    assert held(made) == [TEXT.encode(), b"plain", latin.encode("latin-1"), "ö".encode() * 100]
    encodings = [part["Content-Transfer-Encoding"] for part in made.walk()]
    assert encodings == ["7bit", "base64", "8bit", "7bit", "7bit", "quoted-printable", "base64"]


def test_text_without_a_word_about_it_is_called_what_it_is() -> None:
    made = converted(b"Subject: s\r\n\r\nGr\xc3\xbc\xc3\x9fe aus der Stadt, in der wir alle wohnen\r\n")
    assert (made["MIME-Version"], made["Content-Type"]) == ("1.0", "text/plain; charset=utf-8")
    assert made.get_payload(decode=True) == "Grüße aus der Stadt, in der wir alle wohnen\r\n".encode()
    unknown = converted(b"Subject: s\r\n\r\nGr\xfc\xdfe aus der Stadt, in der wir alle wohnen\r\n")
    assert unknown["Content-Type"] == "text/plain; charset=unknown-8bit"


def test_a_long_line_does_not_become_a_boundary() -> None:
    trap = b"x" * 75 + b"--b1--\r\n" + b"more " * 20 + "é".encode()
    for pad in range(8):
        raw = multipart(PART + b"y" * pad + trap)
        assert held(converted(raw)) == [b"y" * pad + trap]


@pytest.mark.parametrize(
    "raw",
    [
        "Subject: 你好\r\n\r\nHello\r\n".encode(),
        multipart(PART.replace(b"plain", "plain; name=é".encode()) + b"x"),
        multipart(PART + TEXT.encode(), b"Content-Type: application/pgp-signature\r\n\r\nx", kind=b"signed"),
        multipart(PART.replace(b"8bit", b"base64") + TEXT.encode()),
        multipart(b"Content-Type: message/partial; id=1; number=1; total=2\r\n\r\n" + TEXT.encode()),
        multipart(PART + b"x").replace(b"--b1\r\n", "前言\r\n--b1\r\n".encode(), 1),
    ],
    ids=["subject", "field of a part", "signed", "said to be encoded", "piece of a message", "between parts"],
)
def test_what_cannot_be_converted_is_not(raw: bytes) -> None:
    assert seven_bit(raw) is None


def test_what_is_signed_stays_while_what_is_beside_it_is_converted() -> None:
    signed = multipart(PART + b"Hello", b"Content-Type: application/pgp-signature\r\n\r\nx", kind=b"signed")
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + signed
    made = seven_bit(multipart(PART + TEXT.encode(), forwarded, b"\r\nlast"))
    assert made is not None
    assert made.isascii()
    assert signed in made


@given(st.binary(max_size=400), st.sampled_from([b"text/plain", b"text/html; charset=gbk", b"image/png"]))
def test_any_bytes_of_a_part_come_out_as_they_went_in(content: bytes, kind: bytes) -> None:
    content = content.replace(b"\r", b"").replace(b"\n", b"\r\n")
    raw = multipart(b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + content)
    if b"\n--b1" in b"\r\n" + content:
        return
    made = seven_bit(raw)
    assert made is not None
    [got] = held(email.message_from_bytes(made))
    if not content.isascii():
        assert got == content


@given(st.binary(max_size=600))
def test_no_message_breaks_it(raw: bytes) -> None:
    made = seven_bit(raw)
    assert made is None or made.isascii()
