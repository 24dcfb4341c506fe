"""What an answer starts with."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from mailstore.message import read
from webmail import answering
from webmail.answering import Mine

ME = Mine(frozenset({"me@example.test", "sales@example.test"}), "me@example.test")


def mail(*, body: str = "Hello\n> older\n", **headers: str) -> bytes:
    fields = {
        "From": "Anna <anna@a.test>",
        "To": "me@example.test",
        "Subject": "Price",
        "Date": "Mon, 23 Nov 2026 10:42:00 +0100",
        "Message-ID": "<1@a.test>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n{body}".replace("\r\n", "\n").replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("subject", "reply", "forward"),
    [
        ("Price", "Re: Price", "Fw: Price"),
        ("Re: Price", "Re: Price", "Fw: Re: Price"),
        ("RE: re：回复: 答复：Price", "Re: Price", "Fw: RE: re：回复: 答复：Price"),
        ("AW: SV: Price", "Re: Price", "Fw: AW: SV: Price"),
        ("Re[2]: Price", "Re: Price", "Fw: Re[2]: Price"),
        ("Fwd: Price", "Re: Fwd: Price", "Fw: Price"),
        ("转发：Fw: 报价", "Re: 转发：Fw: 报价", "Fw: 报价"),
        ("Regarding: x", "Re: Regarding: x", "Fw: Regarding: x"),
        ("", "Re:", "Fw:"),
    ],
)
def test_a_prefix_stands_once(subject: str, reply: str, forward: str) -> None:
    assert answering.reply_subject(subject) == reply
    assert answering.forward_subject(subject) == forward


def test_a_reply_goes_to_reply_to_before_from() -> None:
    readable = read(mail(Reply_To="Desk <desk@a.test>"))
    assert answering.answer(readable, mode="reply", mine=ME).to == "Desk <desk@a.test>"


def test_reply_all_leaves_out_own_addresses_and_doubles() -> None:
    readable = read(mail(To="me@example.test, Bob <bob@b.test>", Cc="SALES@example.test, carl@c.test, bob@b.test"))
    found = answering.answer(readable, mode="reply_all", mine=ME)
    assert (found.to, found.cc) == ("Anna <anna@a.test>, Bob <bob@b.test>", "carl@c.test")


def test_an_answer_to_own_mail_goes_to_its_recipients() -> None:
    readable = read(mail(From="me@example.test", To="anna@a.test", Cc="bob@b.test"))
    assert answering.answer(readable, mode="reply", mine=ME).to == "anna@a.test"
    everybody = answering.answer(readable, mode="reply_all", mine=ME)
    assert (everybody.to, everybody.cc) == ("anna@a.test", "bob@b.test")


def test_a_mail_to_myself_is_answered_to_myself() -> None:
    readable = read(mail(From="me@example.test", To="me@example.test"))
    assert answering.answer(readable, mode="reply_all", mine=ME).to == "me@example.test"


def test_reply_all_obeys_mail_followup_to() -> None:
    readable = read(mail(Mail_Followup_To="list@l.test"))
    assert answering.answer(readable, mode="reply_all", mine=ME).to == "list@l.test"


def test_an_answer_is_written_from_the_address_that_was_written_to() -> None:
    readable = read(mail(To="bob@b.test", Cc="sales@example.test"))
    assert answering.answer(readable, mode="reply", mine=ME).identity == "sales@example.test"
    assert answering.answer(read(mail(To="all@l.test")), mode="reply", mine=ME).identity == "me@example.test"
    assert (
        answering.answer(read(mail(To="x@l.test")), mode="reply", mine=ME, matched="sales@example.test").identity
        == "sales@example.test"
    )


def test_the_words_above_a_quote_follow_the_language_of_the_mail() -> None:
    with translation.override("zh-hans"), timezone.override("Asia/Shanghai"):
        english = answering.answer(read(mail()), mode="reply", mine=ME).text
        assert "Anna <anna@a.test> wrote:" in english
        assert "17:42" in english
        assert answering.language_of(read(mail(body="你好，请报价"))) == "zh-hans"


def test_text_is_quoted_with_marks_that_nest() -> None:
    assert answering.answer(read(mail()), mode="reply", mine=ME).text.endswith("> Hello\n>> older\n")


def test_html_is_quoted_clean() -> None:
    body = '<p onclick="x()">Hi<script>bad()</script><img src="https://t.test/p.gif"></p>'
    found = answering.answer(read(mail(body=body, Content_Type="text/html")), mode="reply", mine=ME)
    assert not found.is_plain
    assert "<blockquote" in found.html
    assert "<p>Hi" in found.html
    assert "onclick" not in found.html
    assert "bad()" not in found.html


def test_a_forward_names_the_original_and_has_no_recipient() -> None:
    found = answering.answer(read(mail(Cc="carl@c.test")), mode="forward", mine=ME)
    assert found.to == found.cc == ""
    assert "Anna <anna@a.test>" in found.text
    assert "carl@c.test" in found.text
    assert "Hello" in found.text


def test_references_grow_by_the_parent_and_stay_bounded() -> None:
    assert answering.references(read(mail(References="<root@a.test> <0@a.test>"))) == (
        "root@a.test",
        "0@a.test",
        "1@a.test",
    )
    chain = " ".join(f"<{n}@b.test>" for n in range(500))
    found = answering.references(read(mail(References=chain)))
    assert found[-2:] == ("499@b.test", "1@a.test")
    assert len(found) <= answering.MAX_REFERENCES


def test_a_mail_without_anything_can_be_answered() -> None:
    found = answering.answer(read(b""), mode="reply_all", mine=ME)
    assert found.to == ""
    assert found.subject == "Re:"
