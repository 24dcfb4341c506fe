"""Addresses as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.message import Address, Invalid, format_address, parse_address_list, valid_address

PASTED = [
    ("a@x.test", [Address("", "a@x.test")]),
    ("a@x.test, b@x.test;c@x.test", [Address("", "a@x.test"), Address("", "b@x.test"), Address("", "c@x.test")]),
    ("a@x.test，b@x.test；c@x.test、d@x.test", [Address("", f"{n}@x.test") for n in "abcd"]),
    ("a@x.test\r\nb@x.test\n\nc@x.test\td@x.test", [Address("", f"{n}@x.test") for n in "abcd"]),
    ("a@x.test b@x.test", [Address("", "a@x.test"), Address("", "b@x.test")]),
    ("张三 <zs@x.test>", [Address("张三", "zs@x.test")]),
    ("“李四”＜ls＠x.test＞", [Address("李四", "ls@x.test")]),
    ('"Wang, Wei" <ww@x.test>', [Address("Wang, Wei", "ww@x.test")]),
    ('"Say \\"hi\\"" <ww@x.test>', [Address('Say "hi"', "ww@x.test")]),
    ("Bob <b@x.test> Carol <c@x.test>", [Address("Bob", "b@x.test"), Address("Carol", "c@x.test")]),
    ("b@x.test (Bob Jones)", [Address("Bob Jones", "b@x.test")]),
    ("Zhang San zs@x.test", [Address("Zhang San", "zs@x.test")]),
    ("mailto:b@x.test", [Address("", "b@x.test")]),
    ("<b@x.test>", [Address("", "b@x.test")]),
    ("'b@x.test'", [Address("", "b@x.test")]),
    ("b@X.Test.", [Address("", "b@x.test")]),
    ("\u200bb@x.test\u202e", [Address("", "b@x.test")]),
    ("B@x.test, b@x.test", [Address("", "B@x.test")]),
    ('"a b"@x.test', [Address("", '"a b"@x.test')]),
    ("用户@例子.中国", [Address("", "用户@例子.中国")]),
    ("bob", [Invalid("bob", "no_at")]),
    ("bob@", [Invalid("bob@", "domain")]),
    ("Bob <bob@x..test>", [Invalid("Bob <bob@x..test>", "domain")]),
    ("b..b@x.test", [Invalid("b..b@x.test", "local")]),
    ("a@x.test, oops, b@x.test", [Address("", "a@x.test"), Invalid("oops", "no_at"), Address("", "b@x.test")]),
    ("", []),
    (" ,;，\n ", []),
]


@pytest.mark.parametrize(("text", "expected"), PASTED)
def test_lists_are_read_in_every_form_that_people_paste(text: str, expected: list[Address | Invalid]) -> None:
    assert parse_address_list(text) == expected


VALID = ["a@x", "a.b+c@x.test", "o'neil@x.test", '"a b"@x.test', "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "é@x.test"]
WRONG = [
    "",
    "a",
    "@x.test",
    "a@",
    "a b@x.test",
    ".a@x.test",
    "a.@x.test",
    "a@-x.test",
    "a@x_y.test",
    "a\n@x.test",
    "a@x.test\0",
    "a" * 65 + "@x.test",
    "a@" + "x" * 64 + ".test",
    "a@" + ".".join(["xxx"] * 80),
    "a@[1]",
    "a<b@x.test",
    "a\u202eb@x.test",
    "a@x.test>",
]


@pytest.mark.parametrize("address", VALID)
def test_a_good_address_is_good(address: str) -> None:
    assert valid_address(address)


@pytest.mark.parametrize("address", WRONG)
def test_a_wrong_address_is_wrong(address: str) -> None:
    assert not valid_address(address)


names = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40)


@given(names)
def test_what_is_formatted_is_read_again(name: str) -> None:
    [found] = parse_address_list(format_address(Address(name, "a@x.test")))
    assert isinstance(found, Address)
    assert found.address == "a@x.test"


@given(st.text())
def test_any_text_is_a_list(text: str) -> None:
    for item in parse_address_list(text):
        if isinstance(item, Address):
            assert valid_address(item.address)
        else:
            assert item.reason in ("no_at", "local", "domain", "too_long", "characters")


def test_a_list_of_a_million_characters_is_read() -> None:
    for piece in ('"', "<", "(", "a@b ", "a@b,", "@", "<a@b>"):
        assert len(parse_address_list(piece * (1_000_000 // len(piece)))) <= 10_000
