"""Writing the record. Rows are only ever added; nothing here raises for what a stranger sent."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable, Mapping

from django.utils import timezone

from logs_app.models import Event, Kind

MAX_TEXT = 500
"""Characters of any one value in `data`: what strangers send must not fill the table."""
MAX_ITEMS = 50
MAX_DEPTH = 4


def record(
    kind: Kind,
    *,
    at: datetime.datetime | None = None,
    domain_id: int | None = None,
    account_id: int | None = None,
    address: str = "",
    actor: str = "",
    protocol: str = "",
    remote_address: str | None = None,
    succeeded: bool = True,
    error: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    """Add one event inside the caller's transaction, if there is one. Values are cut to what columns hold."""
    event(
        kind,
        at=at,
        domain_id=domain_id,
        account_id=account_id,
        address=address,
        actor=actor,
        protocol=protocol,
        remote_address=remote_address,
        succeeded=succeeded,
        error=error,
        data=data,
    ).save(force_insert=True)


def record_many(events: Iterable[Event]) -> None:
    """Add many events made by `event` inside the caller's transaction, in a few statements."""
    Event.objects.bulk_create(events, batch_size=500)


def event(
    kind: Kind,
    *,
    at: datetime.datetime | None = None,
    domain_id: int | None = None,
    account_id: int | None = None,
    address: str = "",
    actor: str = "",
    protocol: str = "",
    remote_address: str | None = None,
    succeeded: bool = True,
    error: str = "",
    data: Mapping[str, object] | None = None,
) -> Event:
    """One event that is not saved yet, for `record_many`."""
    return Event(
        at=at or timezone.now(),
        kind=kind,
        domain_id=domain_id,
        account_id=account_id,
        address=_text(address, 320),
        actor=_text(actor, 320),
        protocol=_text(protocol, 16),
        remote_address=_address(remote_address),
        succeeded=succeeded,
        error=_text(error, 200),
        data=_bounded(data or {}, 0),
    )


def _text(value: str, length: int) -> str:
    """Without NUL and lone surrogates, which PostgreSQL refuses."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:length]


def _address(value: str | None) -> str | None:
    """An IP address, or None for a socket without one."""
    try:
        return str(ipaddress.ip_address((value or "").partition("%")[0]))
    except ValueError:
        return None


def _bounded(value: object, depth: int) -> object:
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return {_text(str(key), 80): _bounded(item, depth + 1) for key, item in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list | tuple | set | frozenset) and depth < MAX_DEPTH:
        return [_bounded(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    if value is None or isinstance(value, bool | int):
        return value
    return _text(str(value), MAX_TEXT)
