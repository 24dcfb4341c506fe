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
