"""Everything from one database to another: the same rows, the same ids, new rows above them; and all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import testcases
from django.utils.crypto import get_random_string

from accounts.models import Account, Domain
from accounts.selectors import access_for
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from logs_app.services import record
from mailstore.models import Blob, Draft, Entry, EntryOrder, Folder, FolderOrder, Message, Role
from mailstore.services.drafts import create_draft
from mailstore.services.entries import delete
from tests.mailstore.letters import keep_orders
from tests.webmail.mails import deliver, mail, with_files
from webmail.backup import move
from webmail.backup.move import move_database, registered
from webmail.settings import database_config

IS_POSTGRES = settings.DATABASES["default"]["ENGINE"] != "core.sqlite"
MODELS = (Account, Domain, Blob, Message, Entry, Draft, Event)


@pytest.fixture
def more_databases(transactional_db: None) -> Iterator[None]:
    """Django's test case refuses every database that it knows and was not told of; it must not know these."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testcases, "connections", {"default": connection})
        yield


@pytest.fixture
def filled(more_databases: None, alice: Account, bob: Account) -> Account:
    """Accounts, mails, a draft, events with every kind of column."""
    entries = [deliver(alice, mail(f"你好 {number} 😀", Message_ID=f"<{number}@x.test>")) for number in range(5)]
    deliver(bob, with_files(), role=Role.JUNK)
    access = access_for(alice, alice.pk)
    delete(access, entries[:2])
    create_draft(access, identity=alice.address, subject="D", options={"b": [1, None, "é"], "a": True})
    record(Kind.SIGN_IN, account_id=alice.pk, remote_address="2001:db8::1", data={"x": {"y": "中"}})
    return alice


@pytest.fixture
def target(tmp_path: Path) -> Iterator[str]:
    """An empty SQLite file."""
    with registered("target", database_config(f"sqlite:///{tmp_path / 'target.db'}")) as alias:
        yield alias


def rows(alias: str) -> dict[str, list[Any]]:
    """What must be the same."""
    return {
        model.__name__: [
            [bytes(value) if isinstance(value, memoryview) else value for value in row]
            for row in model._default_manager.using(alias).order_by("pk").values_list()
        ]
        for model in MODELS
    }


def test_every_row_arrives_and_new_ones_come_after(filled: Account, target: str) -> None:
    copied = move_database("default", target)
    assert rows(target) == rows("default")
    assert copied["mailstore.entry"].rows == 6
    last = Event.objects.using("default").order_by("pk").last()
    assert last is not None
    assert Event.objects.using(target).create(at=last.at, kind=Kind.ADMIN).pk > last.pk


def test_orders_of_lists_fill_themselves_again(filled: Account, target: str) -> None:
    access = access_for(filled, filled.pk)
    keep_orders(access)
    keep_orders(access, fill=False, role=Role.TRASH)
    assert EntryOrder.objects.count() > 0
    move_database("default", target)
    assert not EntryOrder.objects.using(target).exists()
    assert set(FolderOrder.objects.using(target).values_list("state", "filled_uid")) == {(FolderOrder.State.FILLING, 0)}
    bits = set(Folder.objects.using(target).values_list("orders_kept", "orders_ready"))
    assert bits == {(0, 0), (15, 0)}


def test_a_target_with_rows_or_strange_tables_is_refused_untouched(
    filled: Account, target: str, tmp_path: Path
) -> None:
    move_database("default", target)
    before = rows(target)
    with pytest.raises(MailError) as caught:
        move_database("default", target)
    assert caught.value.kind is ErrorKind.EXISTS
    assert rows(target) == before
    with registered("strange", database_config(f"sqlite:///{tmp_path / 'strange.db'}")) as strange:
        with connections[strange].cursor() as cursor:
            cursor.execute("CREATE TABLE theirs (x integer)")
        with pytest.raises(MailError) as caught:
            move_database("default", strange)
        assert caught.value.data == {"table": "theirs"}
        assert connections[strange].introspection.table_names() == ["theirs"]


def test_a_move_that_is_interrupted_leaves_an_empty_target_for_the_next(filled: Account, target: str) -> None:
    class PowerCut(Exception):
        pass

    def cut(table: str, count: int) -> None:
        if table == "mailstore_message":
            raise PowerCut

    with pytest.raises(PowerCut):
        move_database("default", target, progress=cut)
    assert not Blob.objects.using(target).exists()
    move_database("default", target)
    assert rows(target) == rows("default")


def test_a_difference_is_found_and_nothing_stays(filled: Account, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = move._insert

    def lossy(model: Any, alias: str, found: list[Any]) -> None:
        insert(model, alias, found[:-1] if model is Entry else found)

    monkeypatch.setattr(move, "_insert", lossy)
    with pytest.raises(MailError) as caught:
        move_database("default", target)
    assert caught.value.data == {"table": "mailstore_entry"}
    assert not Blob.objects.using(target).exists()


def test_the_command_says_what_went_and_what_is_next(
    filled: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    url = f"sqlite:///{tmp_path / 'new.db'}"
    call_command("move_database", url)
    out = capsys.readouterr().out
    assert "mailstore.entry                          6 rows" in out
    assert f"DATABASE_URL={url}" in out
    with pytest.raises(CommandError, match="not empty"):
        call_command("move_database", url)


@pytest.mark.skipif(
    not IS_POSTGRES, reason="the PostgreSQL run has a server; there this goes from SQLite to PostgreSQL"
)
def test_sqlite_moves_to_postgresql(filled: Account, target: str) -> None:
    move_database("default", target)
    name = f"gm_{get_random_string(8).lower()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        config = {**settings.DATABASES["default"], "NAME": name}
        with registered("second", config) as second:
            move_database(target, second)
            assert rows(second) == rows("default")
            fresh = Event.objects.using(second).create(at=filled.created_at, kind=Kind.ADMIN)
            assert fresh.pk > max(row[0] for row in rows("default")["Event"])
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
