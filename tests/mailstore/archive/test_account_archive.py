"""One account out and in again: the same mailbox, the same mailbox elsewhere, damaged archives, interruptions."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account
from core.access import OWNER, Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.archive import restore as restoring
from mailstore.archive.backup import backup_account
from mailstore.archive.form import ArchiveWriter, verify
from mailstore.archive.restore import restore_account
from mailstore.archive.tables import TABLES
from mailstore.check_store import check_store
from mailstore.fields import COUNTER_BITS, MAX_COUNTER
from mailstore.models import Entry, Flag, Folder, FolderOrder, Mailbox, Message, Role
from mailstore.portable.keywords import add_keywords
from mailstore.selectors import entries as reading, lists
from mailstore.selectors.recoverable import recoverable_page
from mailstore.services.drafts import attach, create_draft, snapshot_draft
from mailstore.services.entries import copy, purge, recover, set_flags
from mailstore.services.folders import create_folder
from tests.factories import make_account
from tests.mailstore.letters import folder_id, keep_orders, letter, stored, stored_many
from webmail.models import Display, ImageSender

SKIPPED = {"mailbox_id", "account_id", "account", "modseq", "highestmodseq"}


@pytest.fixture(autouse=True)
def own_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of this test alone."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


@pytest.fixture
def filled(mine: Access, alice: Account) -> Access:
    """Something of everything."""
    folder = create_folder(mine, "项目")
    below = create_folder(mine, "2026", parent_id=folder)
    found = stored_many(mine, 5)
    stored(mine, letter("answer", references=["m1"], body=os.urandom(400_000).hex()), role=Role.SENT)
    copied = copy(mine, found[:2], folder_id=below)
    set_flags(mine, copied, add=Flag.SEEN | Flag.FLAGGED)
    add_keywords(mine.mailbox, {copied[0]: ["Work"], found[3]: ["Work", "$Label2"]})
    purge(mine, found[4:])
    draft = create_draft(mine, identity="alice@example.test", subject="Draft", options={"receipt": True})
    attach(mine, draft.id, "a.txt", "text/plain", b"attached")
    snapshot_draft(mine, draft.id, letter("draft"))
    Display.objects.create(account=alice, theme="dark", page_size=100)
    ImageSender.objects.create(account=alice, address="anna@x.test")
    return mine


def rows_of(mailbox: int) -> dict[str, list[Any]]:
    """Every row of the account without whose it is, so that two mailboxes compare."""
    found: dict[str, list[Any]] = {}
    for table in TABLES.values():
        names = [field.attname for field in table.columns() if field.attname not in SKIPPED]
        rows = table.model._default_manager.filter(**{table.owner: mailbox}).values_list(*names)
        found[table.label] = sorted(([_plain(value, mailbox) for value in row] for row in rows), key=repr)
    return found


def _plain(value: Any, mailbox: int) -> Any:
    is_packed = isinstance(value, int) and value >> COUNTER_BITS == mailbox
    return value & MAX_COUNTER if is_packed else value


def kind_of(call: Any) -> ErrorKind:
    """Of the error that it raises."""
    with pytest.raises(MailError) as caught:
        call()
    return caught.value.kind


def test_an_account_comes_back_elsewhere_with_everything(filled: Access, tmp_path: Path) -> None:
    report = backup_account(filled, tmp_path / "a.tar.zst")
    assert report.contents == 8
    other = make_account("copy@elsewhere.test")
    access = Access(other.pk, other.pk, OWNER)
    rows = restore_account(access, tmp_path / "a.tar.zst")
    assert dict(rows) == dict(report.rows)
    assert rows_of(other.pk) == rows_of(filled.mailbox)
    ids = [
        entry & MAX_COUNTER | other.pk << COUNTER_BITS
        for entry in Entry.objects.filter(mailbox_id=filled.mailbox).values_list("pk", flat=True)
    ]
    for entry in ids:
        original = entry & MAX_COUNTER | filled.mailbox << COUNTER_BITS
        assert reading.raw(access, entry) == reading.raw(filled, original)
    recovered = recover(access, [row.entry_id for row in recoverable_page(access).rows])
    assert len(recovered.undo) == 1
    assert sql.row("SELECT count(*) FROM mailstore_searchtodo WHERE mailbox_id = %s", [other.pk])[0] == 7


def test_the_same_mailbox_is_replaced_and_numbers_never_go_back(filled: Access, tmp_path: Path) -> None:
    backup_account(filled, tmp_path / "a.tar.zst")
    before = rows_of(filled.mailbox)
    later = stored_many(filled, 3, first=100)
    modseq = Mailbox.objects.get(pk=filled.mailbox).modseq
    assert kind_of(lambda: restore_account(filled, tmp_path / "a.tar.zst")) is ErrorKind.IN_USE
    assert reading.raw(filled, later[0])
    restore_account(filled, tmp_path / "a.tar.zst", replace=True)
    assert rows_of(filled.mailbox) == before
    assert Mailbox.objects.get(pk=filled.mailbox).modseq > modseq
    fresh = stored(filled, letter("fresh"))
    assert fresh > max(later)
    assert check_store() == []


def test_mail_goes_on_arriving_during_a_restore(filled: Access, tmp_path: Path) -> None:
    backup_account(filled, tmp_path / "a.tar.zst")
    other = make_account("copy@elsewhere.test")
    access = Access(other.pk, other.pk, OWNER)
    arrived: list[int] = []

    def arrive(name: str) -> None:
        if name.startswith(("rows/mailstore.message", "rows/mailstore.threadof", "rows/mailstore.entry")):
            arrived.append(stored(access, letter(f"late{len(arrived)}", references=["m1"])))

    restore_account(access, tmp_path / "a.tar.zst", progress=arrive)
    assert len(arrived) == 3
    for entry in arrived:
        assert reading.raw(access, entry)
    assert lists.list_page(access, folder_id(access)).total == 4 + 3
    assert check_store() == []


def test_mail_that_came_before_the_first_row_stops_a_restore(filled: Access, tmp_path: Path) -> None:
    backup_account(filled, tmp_path / "a.tar.zst")
    other = make_account("copy@elsewhere.test")
    access = Access(other.pk, other.pk, OWNER)
    came: list[int] = []

    def arrive(name: str) -> None:
        if not came:
            came.append(stored(access, letter("early")))

    assert kind_of(lambda: restore_account(access, tmp_path / "a.tar.zst", progress=arrive)) is ErrorKind.IN_USE
    assert reading.raw(access, came[0]) == letter("early")


@pytest.mark.parametrize(
    "stop", ["rows/mailstore.folder", "rows/mailstore.message", "rows/mailstore.entry", "rows/mailstore.draft"]
)
def test_an_interrupted_restore_is_done_again(filled: Access, tmp_path: Path, stop: str) -> None:
    backup_account(filled, tmp_path / "a.tar.zst")
    other = make_account("copy@elsewhere.test")
    access = Access(other.pk, other.pk, OWNER)

    class PowerCut(Exception):
        pass

    def cut(name: str) -> None:
        if name.startswith(stop):
            raise PowerCut

    with pytest.raises(PowerCut):
        restore_account(access, tmp_path / "a.tar.zst", progress=cut)
    restore_account(access, tmp_path / "a.tar.zst", replace=True)
    assert rows_of(other.pk) == rows_of(filled.mailbox)


def test_a_backup_is_whole_or_not_there(filled: Access, tmp_path: Path, breaks_rows: None) -> None:
    target = tmp_path / "a.tar.zst"
    backup_account(filled, target)
    assert kind_of(lambda: backup_account(filled, target)) is ErrorKind.EXISTS
    next((tmp_path / "blobs").glob("*/*")).unlink()
    assert kind_of(lambda: backup_account(filled, tmp_path / "b.tar.zst")) is ErrorKind.UNAVAILABLE
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a.tar.zst"]


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9, "cut", "other"])
def test_a_damaged_archive_changes_nothing(filled: Access, tmp_path: Path, where: Any) -> None:
    target = tmp_path / "a.tar.zst"
    backup_account(filled, target)
    raw = bytearray(target.read_bytes())
    if where == "cut":
        raw = raw[: len(raw) * 2 // 3]
    elif where == "other":
        raw = bytearray(b"Not an archive at all")
    else:
        raw[int(len(raw) * where)] ^= 0x10
    target.write_bytes(raw)
    before = rows_of(filled.mailbox)
    assert kind_of(lambda: restore_account(filled, target, replace=True)) is ErrorKind.INVALID
    assert rows_of(filled.mailbox) == before


def test_an_archive_of_another_version_or_without_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.zst"
    with path.open("wb") as file:
        writer = ArchiveWriter(file, {"version": 99, "mailbox": {}})
        writer.finish({})
    assert kind_of(lambda: verify(path)) is ErrorKind.INVALID
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        info = tarfile.TarInfo("../../etc/passwd")
        info.type = tarfile.SYMTYPE
        tar.addfile(info)
    path.write_bytes(zstandard.compress(data.getvalue()))
    assert kind_of(lambda: verify(path)) is ErrorKind.INVALID
    assert kind_of(lambda: verify(tmp_path / "none")) is ErrorKind.NOT_FOUND


def test_only_who_manages_the_mailbox_may(filled: Access, tmp_path: Path) -> None:
    editor = dataclasses.replace(filled, rights=OWNER & ~Right.MANAGE)
    assert kind_of(lambda: backup_account(editor, tmp_path / "a")) is ErrorKind.NO_PERMISSION
    assert kind_of(lambda: restore_account(editor, tmp_path / "a")) is ErrorKind.NO_PERMISSION


def test_rows_and_tables_of_another_version_find_their_place(filled: Access, tmp_path: Path) -> None:
    """A column that is gone is left out, one that is new has its default, a table that is unknown is passed over."""
    backup_account(filled, tmp_path / "a.tar.zst")
    changed = tmp_path / "b.tar.zst"
    with (tmp_path / "a.tar.zst").open("rb") as source, changed.open("wb") as target:
        stream = zstandard.ZstdDecompressor().stream_reader(source)
        tar = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115
        writer: ArchiveWriter | None = None
        for info in tar:
            data = tar.extractfile(info).read()  # type: ignore[union-attr]
            if writer is None:
                facts = {key: value for key, value in json.loads(data).items() if key not in ("format", "version")}
                writer = ArchiveWriter(target, facts)
            elif info.name.startswith("rows/mailstore.folder/"):
                lines = [json.loads(line) | {"new_column": 1} for line in data.decode().splitlines()]
                for line in lines:
                    del line["is_hidden"]
                writer.add(info.name, "".join(json.dumps(line) + "\n" for line in lines).encode())
            elif info.name != "end.json":
                writer.add(info.name, data)
        assert writer is not None
        writer.add("rows/unknown.table/000000.jsonl", b"{}\n")
        writer.finish({})
    other = make_account("copy@elsewhere.test")
    restore_account(Access(other.pk, other.pk, OWNER), changed)
    assert rows_of(other.pk) == rows_of(filled.mailbox)


def test_orders_of_lists_are_begun_anew_where_somebody_asks(filled: Access, tmp_path: Path) -> None:
    keep_orders(filled)
    backup_account(filled, tmp_path / "a.tar.zst")
    other = make_account("copy@elsewhere.test")
    for access in (filled, Access(other.pk, other.pk, OWNER)):
        restore_account(access, tmp_path / "a.tar.zst", replace=True)
        assert check_store() == []
        assert set(Folder.objects.filter(mailbox_id=access.mailbox).values_list("orders_kept", "orders_ready")) == {
            (0, 0)
        }
        keep_orders(access)  # where an old one is still being dropped, it waits for that
        stored(access, letter("since"))
        assert check_store() == []
    assert {each[0] for each in FolderOrder.objects.filter(mailbox_id=other.pk).values_list("state")} == {1}


def test_every_table_of_a_mailbox_is_in_the_archive_or_computed_anew() -> None:
    from django.apps import apps

    computed = {"mailstore.entrylabel", "mailstore.searchtodo", "mailstore.searchremoval", "mailstore.foldermark"}
    computed |= {"mailstore.folderorder", "mailstore.entrychange"}
    owned = {
        model._meta.label_lower
        for model in apps.get_app_config("mailstore").get_models()
        if any(field.attname == "mailbox_id" for field in model._meta.concrete_fields)
    }
    assert owned == {label for label in TABLES if label.startswith("mailstore.")} | computed


def test_the_commands_make_the_account_and_restore_it(
    filled: Access, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "a.tar.zst")
    call_command("backup_account", "alice@example.test", target)
    assert "8 contents, 7 folder" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--create"):
        call_command("restore_account", target, address="new@example.test")
    call_command("restore_account", target, address="new@example.test", create=True)
    made = Account.objects.get(address="new@example.test")
    assert Message.objects.filter(mailbox_id=made.pk).count() == 7
    assert (made.name, Display.objects.get(account=made).theme) == ("Alice", "dark")
    with pytest.raises(CommandError, match="--replace"):
        call_command("restore_account", target, address="new@example.test")
    call_command("restore_account", target, address="new@example.test", replace=True)
    assert rows_of(made.pk) == rows_of(filled.mailbox)
    for arguments in (
        ["backup_account", "no@x.test", target],
        ["backup_account", "alice@example.test", target],
        ["restore_account", "/none"],
    ):
        with pytest.raises(CommandError):
            call_command(*arguments)


def test_a_backup_holds_no_write_lock(filled: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []

    def spy(execute: Any, statement: str, *rest: Any) -> Any:
        statements.append(statement)
        return execute(statement, *rest)

    with connection.execute_wrapper(spy):
        backup_account(filled, tmp_path / "a.tar.zst")
    writes = [each for each in statements if each.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert len(writes) == 1
    assert writes[0].startswith("UPDATE mailstore_blob SET touched_s")
    assert restoring.MESSAGE in TABLES
