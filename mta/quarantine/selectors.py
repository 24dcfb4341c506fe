"""What lies in quarantine, for whom it is for."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs
from mta.models import MailPolicy, QuarantinedMail, SpamSettings

State = QuarantinedMail.State


@dataclasses.dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """One mail. `kind` and `state` are those of `QuarantinedMail`, `judgement` is encoded."""

    id: int
    account_id: int
    kind: str
    state: str
    judgement: str
    envelope_from: str
    sender_name: str
    sender_address: str
    subject: str
    size: int
    received_at: datetime.datetime
    expires_at: datetime.datetime

    @property
    def may_release(self) -> bool:
        """By whom it is for: a virus is an administrator's to release."""
        return self.kind != QuarantinedMail.Kind.VIRUS


_COLUMNS = [field.name for field in dataclasses.fields(QuarantinedRow)]


def quarantine_page(access: Access, *, before: QuarantinedRow | None = None, limit: int = 50) -> list[QuarantinedRow]:
    """Held mail, newest first, from behind `before` on. One query."""
    access.require(Right.READ)
    rows = QuarantinedMail.objects.filter(account=access.mailbox, state=State.HELD, expires_at__gt=timezone.now())
    if before is not None:
        rows = rows.filter(received_at__lte=before.received_at).filter(
            Q(received_at__lt=before.received_at) | Q(pk__lt=before.id)
        )
    return rows_of(rows.order_by("-received_at", "-pk")[:limit].values(*_COLUMNS))


def rows_of(values: Sequence[dict[str, object]]) -> list[QuarantinedRow]:
    """Of a query's `values(*COLUMNS)`."""
    return [QuarantinedRow(**value) for value in values]  # type: ignore[arg-type]


def quarantined(access: Access, mail_id: int) -> QuarantinedRow:
    """In whatever state, until it expires. NOT_FOUND for a stranger's."""
    access.require(Right.READ)
    found = QuarantinedMail.objects.filter(pk=mail_id, account=access.mailbox, expires_at__gt=timezone.now())
    for row in rows_of(found.values(*_COLUMNS)):
        return row
    raise MailError(ErrorKind.NOT_FOUND)


def quarantined_bytes(access: Access, mail_id: int) -> bytes:
    """The mail itself, trace block and received bytes. NOT_FOUND for a stranger's and for one that was deleted."""
    access.require(Right.READ)
    found = QuarantinedMail.objects.filter(pk=mail_id, account=access.mailbox, expires_at__gt=timezone.now())
    blob_id = found.exclude(state=State.DELETED).values_list("blob_id", flat=True).first()
    if blob_id is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return blobs.get(blob_id)


def gets_digest(access: Access) -> bool:
    """Whether this account gets the daily report: its own choice, else its domain's."""
    access.require(Right.READ)
    own = SpamSettings.objects.filter(account=access.mailbox).values_list("digest", flat=True).first()
    if own is not None:
        return own
    policy = MailPolicy.objects.filter(domain__accounts=access.mailbox).values_list("digest", flat=True).first()
    return bool(policy)
