"""SASL's lines in SMTP, and header fields."""

from __future__ import annotations

import base64

from hypothesis import given, strategies as st

from mta.smtp_in.header import field_values, missing_fields
from mta.smtp_in.sasl import decode


@given(st.binary(max_size=200))
def test_base64_is_decoded_or_refused_never_raises(line: bytes) -> None:
    assert decode(base64.b64encode(line)) == line
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
