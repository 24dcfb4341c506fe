"""Moving, copying, deleting to 已删除, and undoing it. An entry keeps its id; folder, UID and modseq change."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql, threads
from mailstore.fields import mailbox_of
from mailstore.ledger import FolderCount, Ledger
from mailstore.models import Role
from mailstore.services.deletion_log import Deletion, note
from mailstore.services.purge import purge_rows
from mailstore.services.quota import require_room
from mailstore.services.rows import Row, count_keywords, leave, load, unread_of, writable
from mailstore.services.selection import Chosen, Selection, names_entries, slices_of
from mailstore.services.store import ENTRY_COLUMNS


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    """`undo` is for `move_back`: each moved entry with the folder it came from. `purged` entries left for recovery."""

    undo: list[tuple[int, int]]
    purged: int = 0


def move(access: Access, chosen: Chosen, *, folder_id: int) -> Moved:
    """Move entries into a folder of the same mailbox. Needs MOVE. NOT_FOUND as in `set_flags`."""
    access.require(Right.MOVE)
    undo: list[tuple[int, int]] = []
    found = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            target = writable(ledger, access, folder_id)
            rows = load(ledger, access, entry_ids)
            found += len(rows)
            moved = _move(ledger, rows, target)
            if target.role == Role.TRASH:
                _note(access, Deletion.TRASH, rows, moved)
            undo += moved
            ledger.write()
    if not found and names_entries(chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return Moved(undo)


def move_back(access: Access, undo: Sequence[tuple[int, int]]) -> int:
    """Undo a move or a delete: how many came back. A folder that is gone meanwhile becomes the inbox."""
    access.require(Right.MOVE)
    origins: dict[int, list[int]] = {}
    for entry_id, folder_id in undo:
        origins.setdefault(folder_id, []).append(entry_id)
    came = 0
    for folder_id, entry_ids in origins.items():
        for part in slices_of(access, Selection(entry_ids)):
            with transaction.atomic():
                ledger = Ledger([access.mailbox])
                trash = ledger.folder_by_role(access.mailbox, Role.TRASH)
                rows = load(ledger, access, part)
                moved = _move(ledger, rows, _origin(ledger, access, folder_id))
                _note(access, Deletion.UNDO, [row for row in rows if row.folder_id == trash.id], moved)
                came += len(moved)
                ledger.write()
    return came


def delete(access: Access, chosen: Chosen) -> Moved:
    """Move to 已删除; what lies there already is purged to recovery. Needs DELETE."""
    access.require(Right.DELETE)
    undo: list[tuple[int, int]] = []
    found = purged = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            trash = ledger.folder_by_role(access.mailbox, Role.TRASH)
            rows = load(ledger, access, entry_ids)
            found += len(rows)
            final = [row for row in rows if row.folder_id == trash.id]
            moved = _move(ledger, rows, trash)
            _note(access, Deletion.TRASH, rows, moved)
            undo += moved
            purge_rows(ledger, access, final)
            purged += len(final)
            ledger.write()
    if not found and names_entries(chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return Moved(undo, purged)


def copy(access: Access, chosen: Chosen, *, folder_id: int) -> list[int]:
    """Copy entries (flags and keywords too, RFC 9051 6.4.7) into a folder; the new ids. Needs INSERT; OVER_QUOTA."""
    access.require(Right.READ | Right.INSERT)
    created: list[int] = []
    found = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            target = writable(ledger, access, folder_id)
            rows = load(ledger, access, entry_ids, to_write=False)
            found += len(rows)
            require_room(ledger, access.mailbox, sum(row.size for row in rows))
            created += _copy(ledger, rows, target)
            ledger.write()
    if not found and names_entries(chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return created


def _note(access: Access, action: Deletion, rows: Sequence[Row], moved: Sequence[tuple[int, int]]) -> None:
    """Into the deletion log, those that did move."""
    ids = {entry_id for entry_id, _ in moved}
    note(access, action, [row.message_id for row in rows if row.id in ids])


def _origin(ledger: Ledger, access: Access, folder_id: int) -> FolderCount:
    try:
        return writable(ledger, access, folder_id)
    except MailError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
        return ledger.folder_by_role(access.mailbox, Role.INBOX)


def _move(ledger: Ledger, rows: list[Row], target: FolderCount) -> list[tuple[int, int]]:
    """Move those that aren't there yet; what `move_back` needs."""
    moving = [row for row in rows if row.folder_id != target.id]
    if not moving:
        return []
    deltas = threads.new_deltas()
    leave(ledger, moving, deltas)
    modseq = ledger.modseq(target)
    values = []
    for row in moving:
        values.append((target.id, ledger.new_uid(target), modseq, row.id))
        ledger.count(target, flags=row.flags, size=row.size)
        deltas[row.thread_id, target.id].add(flags=row.flags, sort_us=row.sort_us, name=row.sender)
    sql.run_many("UPDATE mailstore_entry SET folder_id = %s, uid = %s, modseq = %s WHERE id = %s", values)
    labelled = [row.id for row in moving if row.keywords]
    if labelled:
        sql.run(
            f"UPDATE mailstore_entrylabel SET folder_id = %s WHERE entry_id IN ({sql.marks(labelled)})",
            [target.id, *labelled],
        )
    threads.apply(deltas)
    return [(row.id, row.folder_id) for row in moving]


def _copy(ledger: Ledger, rows: list[Row], target: FolderCount) -> list[int]:
    if not rows:
        return []
    deltas = threads.new_deltas()
    modseq = ledger.modseq(target)
    values = []
    for row in rows:
        new_id = ledger.new_id(mailbox_of(target.id))
        values.append((new_id, target.id, ledger.new_uid(target), modseq, row.id))
        ledger.count(target, flags=row.flags, size=row.size)
        deltas[row.thread_id, target.id].add(flags=row.flags, sort_us=row.sort_us, name=row.sender)
    taken = ENTRY_COLUMNS.replace(
        "id, mailbox_id, folder_id, uid, message_id, modseq", "%s, mailbox_id, %s, %s, message_id, %s", 1
    )
    sql.run_many(
        f"INSERT INTO mailstore_entry ({ENTRY_COLUMNS}) SELECT {taken} FROM mailstore_entry WHERE id = %s", values
    )
    for new_id, row in zip([value[0] for value in values], rows, strict=True):
        if row.keywords:
            sql.run(
                "INSERT INTO mailstore_entrylabel (keyword_id, mailbox_id, folder_id, sort_us, entry_id) "
                "SELECT keyword_id, mailbox_id, %s, sort_us, %s FROM mailstore_entrylabel WHERE entry_id = %s",
                [target.id, new_id, row.id],
            )
    count_keywords(mailbox_of(target.id), [(row.keywords, 1, unread_of(row.flags)) for row in rows])
    threads.apply(deltas)
    return [value[0] for value in values]
