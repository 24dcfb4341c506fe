"""Names of mailboxes: modified UTF-7 both ways, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name, decode_utf7, encode_utf7

PAIRS = [
    ("INBOX", "INBOX"),
    ("客户", "&W6JiNw-"),
    ("a&b", "a&-b"),
    ("日本語", "&ZeVnLIqe-"),
    ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ("Résumé", "R&AOk-sum&AOk-"),
    ("😀", "&2D3eAA-"),
]


@pytest.mark.parametrize(("name", "wire"), PAIRS)
def test_both_ways(name: str, wire: str) -> None:
    assert (encode_utf7(name), decode_utf7(wire)) == (wire, name)


@pytest.mark.parametrize("wire", ["&", "&AOk", "&A-", "&AGE-", "&====-", "a&-&b", "&2D0-"])
def test_what_no_encoder_writes_is_refused(wire: str) -> None:
    with pytest.raises(ImapSyntaxError):
        decode_utf7(wire)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_survives(name: str) -> None:
    assert decode_utf7(encode_utf7(name)) == name


@given(st.binary(max_size=60), st.booleans())
def test_bytes_are_a_name_or_a_syntax_error(name: bytes, utf8: bool) -> None:
    try:
        assert decode_name(name, utf8=utf8).isprintable()
    except ImapSyntaxError:
        pass
