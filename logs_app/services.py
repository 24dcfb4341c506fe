"""Writing the record. Rows are only ever added; nothing here raises for what a stranger sent."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import ipaddress
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core.bulk import insert_rows
from logs_app.models import Kind

MAX_TEXT = 500
"""Characters of any one value in `data`: what strangers send must not fill the table."""
MAX_ITEMS = 50
MAX_DEPTH = 4
_local = threading.local()
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
    """Add one event inside the caller's transaction; without one it is committed when this returns. Values are cut to
    what columns hold."""
    event = NewEvent(
        kind,
        at=at or timezone.now(),
        domain_id=domain_id,
        account_id=account_id,
        address=address,
        actor=actor,
        protocol=protocol,
        remote_address=remote_address,
        succeeded=succeeded,
        error=error,
        data=data or {},
    )
    apart: list[NewEvent] | None = getattr(_local, "apart", None)
    if connection.in_atomic_block:
        record_many([event])
    elif apart is not None:
        apart.append(event)
    else:
        _together.write(event)


@contextlib.contextmanager
def recording_apart() -> Iterator[list[NewEvent]]:
    """In this thread, what `record` would commit by itself: whoever asks for it here writes it with `record_groups`
    before anybody hears of what it tells."""
    events: list[NewEvent] = []
    _local.apart = events
    try:
        yield events
    finally:
        _local.apart = None


def record_groups(groups: Sequence[Sequence[NewEvent]]) -> list[None]:
    """Add events in one transaction, committed when this returns; nothing for each group."""
    with transaction.atomic():
        record_many(event for group in groups for event in group)
    return [None] * len(groups)


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


class _Together:
    """Events of threads that write at the same time share a transaction: a hundred programs that sign in at once, as
    after a restart, are a few syncs of the disk."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[_Waiting] = []

    def write(self, event: NewEvent) -> None:
        """Committed when this returns; raises what the database raises."""
        mine = _Waiting(event)
        with self._guard:
            self._waiting.append(mine)
        with self._turn:
            if not mine.is_done:
                self._write_all()
        if mine.error is not None:
            raise mine.error

    def _write_all(self) -> None:
        with self._guard:
            batch, self._waiting = self._waiting, []
        error: DatabaseError | None = DatabaseError("not written")
        try:
            with transaction.atomic():
                record_many([each.event for each in batch])
            error = None
        except DatabaseError as found:
            error = found
        finally:
            for each in batch:
                each.error, each.is_done = error, True


@dataclasses.dataclass(slots=True)
class _Waiting:
    """An event whose thread waits for it."""

    event: NewEvent
    is_done: bool = False
    error: DatabaseError | None = None


_together = _Together()


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
