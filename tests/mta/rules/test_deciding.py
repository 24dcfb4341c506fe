"""What filters make of a mail."""

from __future__ import annotations

from typing import Any

import pytest

from mailstore.message import scan
from mailstore.models import Flag
from mta.rules.deciding import decide, holds
from mta.rules.looked import Looked
from mta.rules.terms import Action, Do, Rule, actions_of, conditions_of

LETTER = (
    "From: =?utf-8?B?546L5bCP5piO?= <Wang@Partner.Test>\r\nTo: Alice <alice@example.test>, Bob <bob@example.test>\r\n"
    "Cc: list@far.test\r\nSubject: =?utf-8?B?5LiD5pyI55m856Wo?= No. ８\r\nList-Id: <News.far.test>\r\n"
    "X-Twice: one\r\nX-Twice: =?utf-8?Q?two?=\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    "请查收本月合同，Thank You\r\n--b\r\nContent-Type: application/pdf\r\n"
    'Content-Disposition: attachment; filename="Invoice-7.PDF"\r\n\r\n%PDF\r\n--b--\r\n'
).encode()


def looked(raw: bytes = LETTER, trace: bytes = b"", **more: Any) -> Looked:
    scanned = scan(trace + raw)
    more = {"sender": "bounce@partner.test", "reached": ("shop@example.test",)} | more
    return Looked(raw, scanned, scanned.header_length - len(trace), **more)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("subject", "contains", "发票 no. 8"), True),
        (("subject", "contains", "發票"), True),
        (("subject", "is", "七月發票 NO. 8"), True),
        (("subject", "is", "七月"), False),
        (("subject", "matches", "七月*8"), True),
        (("sender", "is", "wang@partner.test"), True),
        (("sender", "is", "王小明"), True),
        (("sender", "contains", "@PARTNER.test"), True),
        (("sender", "is", "bounce@partner.test"), True),
        (("sender", "matches", "*@far.test"), False),
        (("recipient", "contains", "bob@"), True),
        (("recipient", "is", "list@far.test"), True),
        (("recipient", "is", "shop@example.test"), True),
        (("recipient", "is", "alice"), True),
        (("text", "contains", "本月合同，thank"), True),
        (("text", "contains", "發票"), True),
        (("text", "contains", "pdf"), False),
        (("filename", "matches", "invoice-?.pdf"), True),
        (("filename", "is", "invoice"), False),
        (("attachment", "present", ""), True),
        (("size", "over", "0"), True),
        (("size", "under", "1"), True),
        (("size", "over", "1"), False),
    ],
)
def test_a_condition_holds_or_not(line: tuple[str, str, str], expected: bool) -> None:
    what, how, value = line
    for negated in (False, True):
        (condition,) = conditions_of([{"what": what, "how": how, "value": value, "not": negated}])
        for mail in (looked(), looked(trace=b"Return-Path: <x@y.test>\r\nReceived: from far.test; today\r\n")):
            assert holds(condition, mail) is (expected is not negated)


@pytest.mark.parametrize(
    ("name", "how", "value", "expected"),
    [
        ("List-ID", "present", "", True),
        ("X-None", "present", "", False),
        ("x-twice", "is", "two", True),
        ("x-twice", "contains", "three", False),
        ("list-id", "contains", "NEWS.", True),
    ],
)
def test_any_header_field_is_looked_at(name: str, how: str, value: str, expected: bool) -> None:
    (condition,) = conditions_of([{"what": "header", "header": name, "how": how, "value": value}])
    assert holds(condition, looked()) is expected


def rule(*actions: Action, subject: str = "8", stops: bool = False, name: str = "r", is_any: bool = False) -> Rule:
    lines = [{"what": "subject", "how": "contains", "value": value} for value in subject.split("|")]
    return Rule(1, name, is_any, conditions_of(lines), actions, stops)


def test_all_and_any_differ() -> None:
    star = Action(Do.STAR)
    assert not decide([rule(star, subject="8|absent")], looked()).names
    assert decide([rule(star, subject="8|absent", is_any=True)], looked()).names == ["r"]


def test_filters_add_up_until_one_stops_and_the_first_place_counts() -> None:
    rules = [
        rule(Action(Do.MOVE, 5), Action(Do.LABEL, 7)),
        rule(Action(Do.STAR), subject="absent"),
        rule(Action(Do.DELETE), Action(Do.READ), stops=True, name="second"),
        rule(Action(Do.STAR)),
    ]
    found = decide(rules, looked())
    assert (found.folder_id, found.role, found.labels, found.flags) == (5, None, [7], int(Flag.SEEN))
    assert found.names == ["r", "second"]


def test_a_rejected_mail_goes_nowhere_else() -> None:
    found = decide([rule(Action(Do.MOVE, 5), Action(Do.REJECT)), rule(Action(Do.STAR))], looked())
    assert (found.folder_id, found.role, found.is_rejected, found.flags) == (None, None, True, 0)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\xff" * 50, b"Subject: x\r\n" * 3_000, LETTER[:300]])
def test_any_bytes_can_be_looked_at(raw: bytes) -> None:
    lines = [
        {"what": "text", "how": "contains", "value": "x"},
        {"what": "recipient", "how": "matches", "value": "*x*"},
        {"what": "filename", "how": "is", "value": "x"},
        {"what": "header", "header": "subject", "how": "is", "value": "y"},
    ]
    decide([Rule(1, "r", True, conditions_of(lines), actions_of([{"do": "star"}]), False)], looked(raw))
