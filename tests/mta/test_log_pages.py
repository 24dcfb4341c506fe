"""Logs by key: forth and back without gaps or doubles, whatever comes in meanwhile, at the same cost everywhere."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from core.errors import MailError
from core.times import micros
from mailstore.selectors.list_row import UNCOUNTED
from mta.models import Approval, Delivery, Submission
from mta.selectors import LogPage, Where, delivery_log, log_pages
from mta.selectors.approvals import approval_log
from mta.selectors.log_pages import parse_key

pytestmark = pytest.mark.django_db
NOW_US = micros(timezone.now())


def asked(alice: Account, number: int, **fields: int) -> Approval:
    """A line of the log; several have the same moment."""
    given = {"sender_id": alice.pk, "approver_id": 0, "substitute_id": 0} | fields
    return Approval.objects.create(
        domain_id=alice.domain_id,
        recipients="x@far.example",
        recipient_count=1,
        size_bytes=1,
        subject=str(number),
        requested_us=NOW_US - number // 3,
        **given,
    )


def walk(alice: Account, size: int) -> list[list[int]]:
    """Every page, from the first on; then back again, which must be the same."""
    pages = [approval_log(alice, Where(), size=size)]
    while (key := pages[-1].next) is not None:
        pages.append(approval_log(alice, Where(after=key), size=size))
    back: list[LogPage[Approval]] = [pages[-1]]
    while (key := back[-1].previous) is not None:
        back.append(approval_log(alice, Where(before=key), size=size))
    assert [ids(page) for page in reversed(back)] == [ids(page) for page in pages]
    return [ids(page) for page in pages]


def ids(page: LogPage[Approval]) -> list[int]:
    return [row.pk for row in page.rows]


def test_all_parts_are_one_walk_in_order_forth_and_back(alice: Account, bob: Account) -> None:
    parts = ({}, {"sender_id": bob.pk, "approver_id": alice.pk}, {"sender_id": bob.pk, "substitute_id": alice.pk})
    for number in range(13):
        asked(alice, number, **parts[number % 3])
    both = asked(alice, 20, approver_id=alice.pk)
    asked(bob, 21)
    found = [pk for page in walk(alice, 4) for pk in page]
    expected = Approval.objects.exclude(sender_id=bob.pk, approver_id=0, substitute_id=0)
    assert found == list(expected.order_by("-requested_us", "-pk").values_list("pk", flat=True))
    assert found.count(both.pk) == 1


def test_a_new_line_moves_no_page(alice: Account) -> None:
    for number in range(9):
        asked(alice, number)
    first = approval_log(alice, Where(), size=3)
    second = approval_log(alice, Where(after=first.next), size=3)
    asked(alice, -9)
    assert ids(approval_log(alice, Where(after=first.next), size=3)) == ids(second)
    assert ids(approval_log(alice, Where(before=second.previous), size=3)) == ids(first)


def test_a_number_leads_where_the_keys_lead_and_nonsense_to_the_first(alice: Account) -> None:
    for number in range(9):
        asked(alice, number)
    pages = walk(alice, 2)
    assert [ids(approval_log(alice, Where(number), size=2)) for number in range(1, 6)] == pages
    for where in (Where(99), Where(10**9), Where(after=(1, 2, 3)), Where(after=()), Where(before=())):
        assert ids(approval_log(alice, where, size=2)) == pages[0]


@pytest.mark.parametrize("text", ["", "x", "1.", ".1", "-1", "1.2.3.4", "1" * 19, "\u0661"])
def test_an_address_that_is_no_key(text: str) -> None:
    assert parse_key(text) is None


def test_no_offset_and_four_queries_wherever_a_page_lies(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pages, "COUNTED_MAX", 5)
    for number in range(12):
        asked(alice, number)
    page = approval_log(alice, Where(), size=3)
    while page.next is not None:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page = approval_log(alice, Where(after=page.next), size=3)
        assert len(seen) == 4
        assert not any("OFFSET" in query["sql"] for query in seen)
        assert page.total == UNCOUNTED


def test_deliveries_of_many_mails_are_one_walk(alice: Account) -> None:
    for number in range(4):
        submission = Submission.objects.create(
            mailbox_id=alice.pk,
            domain_id=1,
            actor_id=1,
            wire_blob_id=1,
            is_followed=True,
            created_us=NOW_US - number // 2,
        )
        for recipient in range(3):
            Delivery.objects.create(submission=submission, recipient=f"{recipient}@far.example", updated_us=1)
    access, period = access_for(alice, alice.pk), {"since": None, "until": None}
    found, where = [], Where()
    while True:
        page = delivery_log(access, where, size=5, **period)
        found += [(row.submission_id, row.recipient) for row in page.rows]
        if page.next is None:
            break
        where = Where(after=page.next)
    assert len(found) == len(set(found)) == page.total == 12
    assert [recipient for _, recipient in found[:3]] == ["0@far.example", "1@far.example", "2@far.example"]
    with pytest.raises(MailError):
        delivery_log(Access(alice.pk, alice.pk, rights=type(access.rights)(0)), Where(), size=5, **period)
