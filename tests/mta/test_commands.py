"""The grammar of MAIL and RCPT: tables of what is read and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mta.smtp_in.commands import (
    BAD_ADDRESS,
    BAD_MAIL,
    BAD_PARAMETER,
    BAD_RCPT,
    NEEDS_UTF8,
    UNKNOWN_PARAMETER,
    Mail,
    Problem,
    parse_address,
    parse_mail,
    parse_rcpt,
    parse_wish,
)
from mta.wishes import RecipientWish

MAIL = [
    ("FROM:<a@example.com>", Mail("a@example.com")),
    ("from:<a@example.com>", Mail("a@example.com")),
    ("FROM: <a@example.com>", Mail("a@example.com")),
    ("FROM:<>", Mail("")),
    ("FROM:<> BODY=8BITMIME", Mail("")),
    ("FROM:<a@EXAMPLE.com.> SIZE=1000", Mail("a@example.com", 1000)),
    ("FROM:<A.b+c@example.com> size=5 body=7bit", Mail("A.b+c@example.com", 5)),
    ("FROM:<@one.example,@two.example:a@example.com>", Mail("a@example.com")),
    ('FROM:<"a b"@example.com>', Mail('"a b"@example.com')),
    ('FROM:<"alice"@example.com>', Mail("alice@example.com")),
    ('FROM:<"a>b"@example.com>', Mail('"a>b"@example.com')),
    ("FROM:<a@[192.0.2.1]>", Mail("a@[192.0.2.1]")),
    ("FROM:<a@[IPv6:2001:db8::1]>", Mail("a@[ipv6:2001:db8::1]")),
    ("FROM:<用户@例子.example> SMTPUTF8", Mail("用户@xn--fsqu00a.example", utf8=True)),
    ("FROM:<用户@例子.example>", NEEDS_UTF8),
    ("FROM:<a@example.com> AUTH=<>", Mail("a@example.com")),
    ("FROM:a@example.com", BAD_MAIL),
    ("FROM:<a@example.com", BAD_MAIL),
    ("FROM:<a@>", BAD_MAIL),
    ("FROM:<@example.com>", BAD_MAIL),
    ("FROM:<a..b@example.com>", BAD_MAIL),
    ("FROM:<a b@example.com>", BAD_MAIL),
    ("FROM:<a@-example.com>", BAD_MAIL),
    ("FROM:<a@exa mple.com>", BAD_MAIL),
    ("FROM:<a@example.com>SIZE=1", BAD_MAIL),
    ("TO:<a@example.com>", BAD_MAIL),
    ("", BAD_MAIL),
    (f"FROM:<{'a' * 65}@example.com>", BAD_ADDRESS),
    (f"FROM:<a@{'.'.join(['a' * 60] * 5)}>", BAD_ADDRESS),
    ("FROM:<a@example.com> SIZE=-1", BAD_PARAMETER),
    ("FROM:<a@example.com> SIZE=9x", BAD_PARAMETER),
    ("FROM:<a@example.com> SIZE=1 SIZE=2", BAD_PARAMETER),
    ("FROM:<a@example.com> BODY=BinaryMime", Mail("a@example.com", is_binary=True)),
    ("FROM:<a@example.com> BODY=BINARY", BAD_PARAMETER),
    ("FROM:<a@example.com> SMTPUTF8=yes", BAD_PARAMETER),
    ("FROM:<a@example.com> =", BAD_PARAMETER),
    ("FROM:<a@example.com> RET=FULL", UNKNOWN_PARAMETER),
    ("FROM:<a@example.com> REQUIRETLS", Mail("a@example.com", require_tls=True)),
    ("FROM:<a@example.com> REQUIRETLS=1", BAD_PARAMETER),
]

DSN_MAIL = [
    ("FROM:<a@example.com> RET=full ENVID=x+2By", Mail("a@example.com", returned="FULL", envelope_id="x+2By")),
    ("FROM:<a@example.com> RET=HDRS", Mail("a@example.com", returned="HDRS")),
    ("FROM:<a@example.com> RET=ALL", BAD_PARAMETER),
    ("FROM:<a@example.com> ENVID=a+2b", BAD_PARAMETER),
    (f"FROM:<a@example.com> ENVID={'x' * 101}", BAD_PARAMETER),
]

WISHES = [
    ("TO:<a@example.com> NOTIFY=NEVER", RecipientWish("NEVER")),
    ("TO:<a@example.com> NOTIFY=success,FAILURE", RecipientWish("FAILURE,SUCCESS")),
    (
        "TO:<a@example.com> NOTIFY=DELAY ORCPT=rfc822;b+2Bc@example.com",
        RecipientWish("DELAY", "rfc822;b+2Bc@example.com"),
    ),
    ("TO:<a@example.com> ORCPT=utf-8;用户@example.com", RecipientWish("", "utf-8;用户@example.com")),
    ("TO:<a@example.com> NOTIFY=NEVER,SUCCESS", BAD_PARAMETER),
    ("TO:<a@example.com> NOTIFY=SUCCESS,SUCCESS", BAD_PARAMETER),
    ("TO:<a@example.com> NOTIFY=", BAD_PARAMETER),
    ("TO:<a@example.com> ORCPT=b@example.com", BAD_PARAMETER),
    ("TO:<a@example.com> ORCPT=rfc822;+zz", BAD_PARAMETER),
    ("TO:<a@example.com> FUN=1", UNKNOWN_PARAMETER),
]


@pytest.mark.parametrize(("text", "value"), MAIL)
def test_mail_is_read_as_rfc_5321_says(text: str, value: Mail | Problem) -> None:
    assert parse_mail(text) == value


@pytest.mark.parametrize(("text", "value"), DSN_MAIL)
def test_wishes_about_the_message_are_read_as_rfc_3461_says(text: str, value: Mail | Problem) -> None:
    assert parse_mail(text, dsn=True) == value


@pytest.mark.parametrize(("text", "value"), WISHES)
def test_wishes_about_a_recipient_are_read_as_rfc_3461_says(text: str, value: RecipientWish | Problem) -> None:
    assert parse_rcpt(text, utf8=True, dsn=True) == "a@example.com"
    assert parse_wish(text) == value


RCPT = [
    ("TO:<a@example.com>", "a@example.com"),
    ("to: <a@example.com>", "a@example.com"),
    ("TO:<Postmaster>", "postmaster"),
    ("TO:<@relay.example:a@example.com>", "a@example.com"),
    ("TO:<user%other.example@example.com>", "user%other.example@example.com"),
    ("TO:<other!user@example.com>", "other!user@example.com"),
    ('TO:<"user@other"@example.com>', '"user@other"@example.com'),
    ("TO:<a@example.com> NOTIFY=NEVER", UNKNOWN_PARAMETER),
    ("TO:<>", BAD_RCPT),
    ("TO:<a>", BAD_RCPT),
    ("TO:<a@b@example.com>", BAD_RCPT),
]


@pytest.mark.parametrize(("text", "value"), RCPT)
def test_rcpt_is_read_as_rfc_5321_says(text: str, value: str | Problem) -> None:
    assert parse_rcpt(text) == value


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    for argument in (text, f"FROM:<{text}>", f"FROM:<{text}@example.com>", f"FROM:<a@{text}> {text}"):
        assert isinstance(parse_mail(argument), Mail | Problem)
        assert isinstance(parse_rcpt("TO" + argument[4:], utf8=True), str | Problem)
        assert isinstance(parse_mail(argument, dsn=True), Mail | Problem)
        assert isinstance(parse_wish("TO" + argument[4:]), RecipientWish | Problem)
        parse_address(argument)


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_read_never_holds_a_line_end_or_an_angle(local: str, domain: str) -> None:
    found = parse_rcpt(f"TO:<{local}@{domain}>", utf8=True)
    if isinstance(found, str):
        assert "\r" not in found
        assert "\n" not in found


def test_a_long_hostile_line_is_refused_quickly_in_work_not_time() -> None:
    assert parse_mail("FROM:<" + "a." * 900 + "@example.com>") == BAD_MAIL
    assert parse_mail('FROM:<"' + "\\" * 1999) == BAD_MAIL
    assert parse_mail("FROM:<a@" + "-" * 1900 + ">") == BAD_MAIL
