"""The recipients of one submission, one by one."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence

from django.db.models import Case, CharField, Count, F, Min, Q, Value, When

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mta.models import OPEN, Delivery, Submission

ON_HOLD = "hold"
"""Among states: whatever it waited for, it is kept here."""


@dataclasses.dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One recipient and how far the mail has come; `code` and `text` are the last answer."""

    recipient: str
    state: str
    code: str
    text: str
    remote_host: str
    tries: int
    next_attempt_us: int
    updated_us: int


def deliveries(access: Access, submission_id: int) -> list[DeliveryRow]:
    """The recipients of a submission of `access.mailbox`; NOT_FOUND for a stranger's. Two queries."""
    access.require(Right.READ)
    if not Submission.objects.filter(pk=submission_id, mailbox_id=access.mailbox).exists():
        raise MailError(ErrorKind.NOT_FOUND)
    return rows_of(submission_id)


def rows_of(submission_id: int, *, limit: int | None = None) -> list[DeliveryRow]:
    """The recipients of a submission, for callers that know whose it is."""
    columns = [field.name for field in dataclasses.fields(DeliveryRow)]
    rows = Delivery.objects.filter(submission=submission_id).order_by("pk").values(*columns)
    return [DeliveryRow(**row) for row in rows[:limit]]


@dataclasses.dataclass(slots=True)
class Outline:
    """To whom a submission goes, in short: its first recipient, and how many deliveries are in each state (or ON_HOLD)."""

    first: str = ""
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def total(self) -> int:
        """Of all states."""
        return sum(self.counts.values())


def outlines(submission_ids: Sequence[int]) -> Mapping[int, Outline]:
    """The outline of each, for callers that know whose they are; two queries and one row for each state of each, however
    many recipients they have."""
    found: dict[int, Outline] = collections.defaultdict(Outline)
    firsts: dict[int, int] = {}
    shown = Case(
        When(Q(state__in=OPEN, on_hold=True), then=Value(ON_HOLD)), default=F("state"), output_field=CharField()
    )
    rows = Delivery.objects.filter(submission__in=submission_ids).values("submission_id", shown=shown)
    for each in rows.annotate(count=Count("pk"), first=Min("pk")).order_by("first"):
        found[each["submission_id"]].counts[each["shown"]] = each["count"]
        firsts.setdefault(each["submission_id"], each["first"])
    names = Delivery.objects.filter(pk__in=firsts.values()).values_list("submission_id", "recipient")
    for submission_id, recipient in names:
        found[submission_id].first = recipient
    return found
