"""Reading the record."""

from __future__ import annotations

import dataclasses
import datetime

from logs_app.models import Event, Kind

MAX_ROWS = 200


@dataclasses.dataclass(frozen=True, slots=True)
class SignInRow:
    """One attempt to sign in. `alias` is the other name that was used, or empty; `error` a Reason of accounts."""

    at: datetime.datetime
    remote_address: str
    protocol: str
    program: str
    succeeded: bool
    error: str
    alias: str


@dataclasses.dataclass(frozen=True, slots=True)
class DeletedMail:
    """What the deletion log copied of a mail."""

    subject: str
    sender: str
    message_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class DeletionRow:
    """One act on up to 50 mails. `action`: trash, purge, empty, policy, undo, recover; `actor` is empty for the owner."""

    id: int
    at: datetime.datetime
    action: str
    actor: str
    protocol: str
    program: str
    remote_address: str
    mails: list[DeletedMail]


def deletions(account_id: int, *, before: int | None = None, limit: int = 50) -> list[DeletionRow]:
    """The newest acts of a mailbox's deletion log, older than row `before`; one query along an index (with `before` two)."""
    events = Event.objects.filter(account_id=account_id, kind=Kind.DELETION)
    if before is not None:
        last = Event.objects.filter(pk=before, account_id=account_id).values_list("at", flat=True).first()
        if last is None:
            return []
        events = events.filter(at__lte=last).exclude(at=last, id__gte=before)
    return [_deletion(event) for event in events.order_by("-at", "-id")[: min(limit, MAX_ROWS)]]


def sign_ins(account_id: int, limit: int = 10) -> list[SignInRow]:
    """The newest sign-ins of an account, refused ones too; one query along an index."""
    events = Event.objects.filter(account_id=account_id, kind=Kind.SIGN_IN).order_by("-at", "-id")
    return [_sign_in(event) for event in events[: min(limit, MAX_ROWS)]]


def _sign_in(event: Event) -> SignInRow:
    return SignInRow(
        at=event.at,
        remote_address=event.remote_address or "",
        protocol=event.protocol,
        program=str(event.data.get("program", "")),
        succeeded=event.succeeded,
        error=event.error,
        alias=str(event.data.get("alias", "")),
    )


def _deletion(event: Event) -> DeletionRow:
    mails = event.data.get("mails") or []
    return DeletionRow(
        id=event.pk,
        at=event.at,
        action=str(event.data.get("action", "")),
        actor=event.actor,
        protocol=event.protocol,
        program=str(event.data.get("program", "")),
        remote_address=event.remote_address or "",
        mails=[DeletedMail(str(each["subject"]), str(each["from"]), str(each["message_id"])) for each in mails],
    )
