"""Writing the record. Rows are only ever added; nothing here raises for what a stranger sent."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import ipaddress
import json
from collections.abc import Iterable, Mapping

from django.db import connection
from django.utils import timezone

from core.bulk import insert_rows
from logs_app.models import Event, Kind

MAX_TEXT = 500
"""Characters of any one value in `data`: what strangers send must not fill the table."""
MAX_ITEMS = 50
MAX_DEPTH = 4
COLUMNS = "at, kind, domain_id, account_id, address, actor, protocol, remote_address, succeeded, error, data"


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
    Event(
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
    ).save(force_insert=True)


@dataclasses.dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is not written yet, for `record_many`: cheap to make beside a mail that is being received."""

    kind: Kind
    _: dataclasses.KW_ONLY
    at: datetime.datetime = dataclasses.field(default_factory=timezone.now)
    domain_id: int | None = None
    account_id: int | None = None
    address: str = ""
    actor: str = ""
    protocol: str = ""
    remote_address: str | None = None
    succeeded: bool = True
    error: str = ""
    data: Mapping[str, object] = dataclasses.field(default_factory=dict)
    listed: str = ""
    """More of `data`, as JSON (`"name": value`), cut already to what a row holds and from columns that hold neither NUL
    nor surrogates."""


def record_many(events: Iterable[NewEvent]) -> None:
    """Add many events inside the caller's transaction, in few statements: `record` for each, at a twentieth of its cost."""
    at = connection.ops.adapt_datetimefield_value
    rows = [
        (
            *(at(each.at), each.kind.value, each.domain_id, each.account_id, _text(each.address, 320)),
            _text(each.actor, 320),
            *(_text(each.protocol, 16), _known_address(each.remote_address), each.succeeded, _text(each.error, 200)),
            _json(each),
        )
        for each in events
    ]
    insert_rows("logs_app_event", COLUMNS, rows)


def _json(event: NewEvent) -> str:
    known = json.dumps(_mapping(event.data, 0))
    if not event.listed:
        return known
    return f"{{{event.listed}}}" if known == "{}" else f"{known[:-1]}, {event.listed}}}"


def _text(value: str, length: int) -> str:
    """Without NUL and lone surrogates, which PostgreSQL refuses."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:length]


def _address(value: str | None) -> str | None:
    """An IP address, or None for a socket without one."""
    try:
        return str(ipaddress.ip_address((value or "").partition("%")[0]))
    except ValueError:
        return None


_known_address = functools.lru_cache(maxsize=1024)(_address)


def _bounded(value: object, depth: int) -> object:
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return _mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset) and depth < MAX_DEPTH:
        return [_bounded(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    if value is None or isinstance(value, bool | int):
        return value
    return _text(str(value), MAX_TEXT)


def _mapping(value: Mapping[str, object], depth: int) -> dict[str, object]:
    return {_text(str(key), 80): _bounded(item, depth + 1) for key, item in list(value.items())[:MAX_ITEMS]}
