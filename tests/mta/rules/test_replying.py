"""Who is answered by a machine and who is not (RFC 3834)."""

from __future__ import annotations

import pytest

from mailstore.message import scan
from mta.rules.looked import Looked
from mta.rules.replying import may_be_answered

PERSON = "wang@partner.test"


def answered(sender: str, *fields: str) -> bool:
    head = "".join(f"{field}\r\n" for field in ("From: x@y.test", "Subject: hi", *fields))
    raw = f"{head}\r\nHello\r\n".encode()
    scanned = scan(raw)
    return may_be_answered(Looked(raw, scanned, scanned.header_length, sender=sender), scanned, sender)


def test_a_person_is_answered() -> None:
    assert answered(PERSON)
    assert answered(PERSON, "Auto-Submitted: no")


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "MAILER-DAEMON@x.test",
        "no-reply@x.test",
        "noreply@x.test",
        "do_not_reply@x.test",
        "owner-list@x.test",
        "list-request@x.test",
        "list-bounces@x.test",
        "bounce+7@x.test",
        "SRS0=a=b=c=d@x.test",
        "postmaster@x.test",
    ],
)
def test_no_machine_is_answered(sender: str) -> None:
    assert not answered(sender)


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "Precedence: bulk",
        "Precedence: list",
        "Precedence: junk",
        "List-Id: <l.x.test>",
        "List-Help: <mailto:h@x.test>",
        "List-Unsubscribe: <mailto:u@x.test>",
        "X-Auto-Response-Suppress: DR, OOF",
        "X-Loop: x@y.test",
    ],
)
def test_no_list_and_nobody_who_wants_none_is_answered(field: str) -> None:
    assert not answered(PERSON, field)
