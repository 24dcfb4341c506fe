"""Moving everything from one database to another, SQLite to PostgreSQL above all, and back.

The source stands still for it (SQLite: its write lock is held). All rows go over in one transaction of the target and
are read back and compared before it commits, so a move that fails or is killed leaves an empty target, ready for the
next try. Ids stay. The search index is not moved: `reindex` makes it anew. Orders that lists keep fill themselves again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models, transaction

from core.errors import ErrorKind, MailError
from mailstore.orders import BEGIN_ANEW

LINES = 200
"""Rows of one read: blobs have up to 256 KB each."""
MADE_ANEW = frozenset({"mailstore.entryorder"})
"""Rows that are computed from others, and that engines sort differently."""
MADE_BY_MIGRATE = frozenset({"contenttypes.contenttype", "auth.permission"})
"""Rows that Django puts into a fresh database; the source's take their place."""

Progress = Callable[[str, int], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Copied:
    """A table's rows and the hash of all their values."""

    rows: int
    digest: str


@contextlib.contextmanager
def registered(alias: str, config: dict[str, Any]) -> Iterator[str]:
    """A database that isn't in the settings, for as long as it is needed."""
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: config})[alias]
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


def move_database(source: str, target: str, *, progress: Progress | None = None) -> dict[str, Copied]:
    """Copy every table of alias `source` into `target`; what went, by table. EXISTS (`table`) when the target holds
    rows, INVALID (`table`) when what was read back differs."""
    _make_schema(target)
    moved = _models()
    with _standing_still(source), transaction.atomic(using=target):
        for label in MADE_BY_MIGRATE:
            apps.get_model(label)._default_manager.using(target).all().delete()
        copied = {model._meta.label_lower: _copy(model, source, target, progress) for model in moved}
        for model in moved:
            label = model._meta.label_lower
            if _digest(model, target) != copied[label]:
                raise MailError(ErrorKind.INVALID, table=model._meta.db_table)
        _set_sequences(target, moved)
        with connections[target].cursor() as cursor:
            for statement in BEGIN_ANEW:
                cursor.execute(statement)
    return copied


def _models() -> list[type[models.Model]]:
    """Every table of ours and Django's, many-to-many ones too."""
    found = [model for model in apps.get_models(include_auto_created=True) if model._meta.label_lower not in MADE_ANEW]
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def _make_schema(target: str) -> None:
    """Migrate the target; refuse one that holds rows, or tables that are not ours."""
    names = connections[target].introspection.table_names()
    if names and "django_migrations" not in names:
        raise MailError(ErrorKind.EXISTS, table=names[0])
    call_command("migrate", database=target, verbosity=0, interactive=False)
    for model in _models():
        if model._meta.label_lower not in MADE_BY_MIGRATE and model._default_manager.using(target).exists():
            raise MailError(ErrorKind.EXISTS, table=model._meta.db_table)


@contextlib.contextmanager
def _standing_still(source: str) -> Iterator[None]:
    """SQLite's `atomic` holds the write lock; PostgreSQL shows one moment."""
    with transaction.atomic(using=source):
        connection = connections[source]
        if connection.vendor == "postgresql" and len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _rows(model: type[models.Model], alias: str) -> Iterator[list[Sequence[Any]]]:
    """All rows by ascending key, in slices."""
    names = [field.attname for field in model._meta.concrete_fields]
    rows = model._base_manager.using(alias).order_by("pk")
    last: Any = None
    while True:
        after = rows.filter(pk__gt=last) if last is not None else rows
        found = list(after.values_list("pk", *names)[:LINES])
        if found:
            last = found[-1][0]
            yield [row[1:] for row in found]
        if len(found) < LINES:
            return


def _copy(model: type[models.Model], source: str, target: str, progress: Progress | None) -> Copied:
    count, digest = 0, hashlib.sha256()
    for rows in _rows(model, source):
        _insert(model, target, rows)
        _update(digest, rows)
        count += len(rows)
        if progress is not None:
            progress(model._meta.db_table, count)
    return Copied(count, digest.hexdigest())


def _digest(model: type[models.Model], alias: str) -> Copied:
    count, digest = 0, hashlib.sha256()
    for rows in _rows(model, alias):
        _update(digest, rows)
        count += len(rows)
    return Copied(count, digest.hexdigest())


def _insert(model: type[models.Model], target: str, rows: list[Sequence[Any]]) -> None:
    connection = connections[target]
    fields = model._meta.concrete_fields
    values = [
        [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)] for row in rows
    ]
    table = connection.ops.quote_name(model._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)


def _update(digest: Any, rows: list[Sequence[Any]]) -> None:
    """The same text for the same values, whichever engine they were read from."""
    for row in rows:
        for value in row:
            if isinstance(value, bytes | memoryview):
                digest.update(b"b" + hashlib.sha256(value).digest())
            else:
                digest.update(json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True).encode())
            digest.update(b"\x1f")
        digest.update(b"\x1e")


def _set_sequences(target: str, moved: list[type[models.Model]]) -> None:
    """New rows get numbers above those that came."""
    connection = connections[target]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), moved):
            cursor.execute(statement)
