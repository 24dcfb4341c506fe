"""SASL answers: what is a login and what is not."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, strategies as st

from mta.smtp_in.header import field_values, missing_fields
from mta.smtp_in.sasl import Login, decode, read_plain, text_of

PLAIN: list[tuple[bytes, Login | None]] = [
    (b"\0alice\0secret", Login("alice", "secret")),
    (b"alice\0alice\0secret", Login("alice", "secret")),
    (b"bob\0alice\0secret", None),
    ("\0älice\0密码".encode(), Login("älice", "密码")),
    (b"\0alice\0", Login("alice", "")),
    (b"\0\0secret", None),
    (b"alice\0secret", None),
    (b"\0alice\0sec\0ret", None),
    (b"\0alice\0\xff", None),
    (b"\0" + b"a" * 2000 + b"\0x", None),
    (b"", None),
]


@pytest.mark.parametrize(("message", "login"), PLAIN)
def test_plain_is_read_as_rfc_4616_says(message: bytes, login: Login | None) -> None:
    assert read_plain(message) == login


@given(st.binary(max_size=200))
def test_base64_is_decoded_or_refused_never_raises(line: bytes) -> None:
    assert decode(base64.b64encode(line)) == line
    read_plain(line)
    text_of(line)
    decode(line)


def test_an_equals_sign_alone_is_an_empty_answer() -> None:
    assert decode(b"=") == b""


def test_fields_are_found_folded_in_any_case_and_not_in_values() -> None:
    header = b"\r\nFROM: a\r\n\tb\r\nX: from: c\r\nfrom : d"
    assert field_values(header, b"from") == [b"a b", b"d"]


def test_only_what_is_missing_is_added() -> None:
    assert missing_fields(b"\r\nDate: x\r\nMessage-Id: <y>\r\nFrom: z", "a@example.test", 0) == b""
    added = missing_fields(b"\r\nSubject: x", "a@example.test", 0)
    assert added.startswith(b"Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <")
    assert added.endswith(b"@example.test>\r\nFrom: <a@example.test>\r\n")
