"""Address headers, right and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.message import recipient
from mailstore.message.recipient import MAX_ADDRESSES

LISTS = [
    (b"a@x.test", [("", "a@x.test")]),
    (b"Bob Jones <bob@X.Test>, <c@x.test>", [("Bob Jones", "bob@x.test"), ("", "c@x.test")]),
    (b'"Jones, Bob" <bob@x.test>', [("Jones, Bob", "bob@x.test")]),
    (b'"He said \\"hi\\"" <bob@x.test>', [('He said "hi"', "bob@x.test")]),
    (b"=?utf-8?B?5L2g5aW9?= <a@x.test>", [("你好", "a@x.test")]),
    (b'"=?gb2312?B?wO7EyA==?=" <a@x.test>', [("李娜", "a@x.test")]),
    ("李娜 <a@x.test>".encode("gbk"), [("李娜", "a@x.test")]),
    ("李娜 <a@x.test>, 王伟 <b@x.test>".encode(), [("李娜", "a@x.test"), ("王伟", "b@x.test")]),
    (b"bob@x.test (Bob Jones)", [("Bob Jones", "bob@x.test")]),
    (b"Bob (his (old) mail) <bob@x.test>", [("Bob", "bob@x.test")]),
    (b"team: a@x.test, b@x.test;", [("", "a@x.test"), ("", "b@x.test")]),
    (b"undisclosed-recipients:;", []),
    (b"Bob <@relay.test,@r2.test:bob@x.test>", [("Bob", "bob@x.test")]),
    (b'"odd local"@x.test', [("", '"odd local"@x.test')]),
    (b"Bob <bob@x.test", [("Bob", "bob@x.test")]),
    (b"Bob <bob>", [("Bob", "bob")]),
    (b"just a name", [("just a name", "")]),
    (b"a@x.test, , ,b@x.test,", [("", "a@x.test"), ("", "b@x.test")]),
    (b"Bob Jones bob@x.test", [("Bob Jones", "bob@x.test")]),
    (b"bob@[192.0.2.1]", [("", "bob@[192.0.2.1]")]),
    (b"a@x.test <a@x.test>", [("a@x.test", "a@x.test")]),
    (b"Bob\r\n Jones\r\n <bob@x.test>", [("Bob Jones", "bob@x.test")]),
    (b"<<bob@x.test>>", [("<", "bob@x.test")]),
    (b"", []),
]


@pytest.mark.parametrize(("value", "expected"), LISTS)
def test_people_are_found_in_address_headers(value: bytes, expected: list[tuple[str, str]]) -> None:
    assert [(m.display, m.address) for m in recipient.people(value)] == expected


def test_a_route_is_kept_for_the_envelope() -> None:
    assert recipient.parse(b"<@relay.test:bob@x.test>")[0].route == "@relay.test"


def test_more_addresses_than_the_limit_are_not_read() -> None:
    assert len(recipient.parse(b"a@x.test," * 20_000)) == MAX_ADDRESSES
    assert len(recipient.parse(b"a (c) <a@x.test>," * 9_000)) == MAX_ADDRESSES


@given(st.text('ab@<>(),:;" \\.[]\t').map(str.encode))
def test_every_mixture_of_specials_is_read(value: bytes) -> None:
    for mailbox in recipient.parse(value):
        assert isinstance(mailbox.display + mailbox.address, str)
