"""Moving, copying, deleting to 已删除, and undoing it. An entry keeps its id; folder, UID and modseq change."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import folder_threads, orders, sql
from mailstore.fields import mailbox_of
from mailstore.ledger import FolderCount, Ledger
from mailstore.models import TODO_MARKS, Role
from mailstore.services.deletion_log import Deletion, note
from mailstore.services.marks import copy_marks
from mailstore.services.purge import purge_rows
from mailstore.services.quota import require_room
from mailstore.services.rows import Row, count_keywords, leave, load, now_us, senders, unread_of, writable
from mailstore.services.selection import Chosen, Selection, names_entries, slices_of
from mailstore.services.store import ENTRY_COLUMNS
from mailstore.steps import tell_moved


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
            tell_moved(access, ledger, rows, target)
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
                origin = _origin(ledger, access, folder_id)
                moved = _move(ledger, rows, origin)
                tell_moved(access, ledger, rows, origin)
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
            tell_moved(access, ledger, rows, target)
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
    losses = leave(ledger, moving)
    ids = sql.numbers([row.id for row in moving])
    sql.run(
        f"UPDATE mailstore_entry SET folder_id = %s, uid = %s + n.place, modseq = %s, saved_us = %s FROM {sql.numbered()} "
        "WHERE mailstore_entry.id = n.value",
        [target.id, ledger.new_uids(target, len(moving)), ledger.modseq(target), now_us(), ids],
    )
    ledger.count_all(target, moving)
    orders.came([(target, [row.id for row in moving])])
    if labelled := [row.id for row in moving if row.keywords]:
        statement = f"UPDATE mailstore_entrylabel SET folder_id = %s WHERE {sql.among('entry_id')}"
        sql.run(statement, [target.id, sql.numbers(labelled)])
    if losses:
        carried = folder_threads.carry(losses, target.id)
        folder_threads.change({key: loss for key, loss in losses.items() if key not in carried})
        joining = [row for row in moving if row.thread_id and (row.thread_id, row.folder_id) not in carried]
        _join(joining, target)
    return [(row.id, row.folder_id) for row in moving]


def _copy(ledger: Ledger, rows: list[Row], target: FolderCount) -> list[int]:
    if not rows:
        return []
    mailbox, count = mailbox_of(target.id), len(rows)
    first = ledger.new_ids(mailbox, count)
    taken = ENTRY_COLUMNS.replace(
        "id, mailbox_id, folder_id, uid, message_id, modseq",
        "%s + n.place, mailbox_id, %s, %s + n.place, message_id, %s",
        1,
    ).replace("saved_us", "%s", 1)
    sql.run(
        f"INSERT INTO mailstore_entry ({ENTRY_COLUMNS}) SELECT {taken} FROM {sql.numbered()} "
        "CROSS JOIN mailstore_entry e WHERE e.id = n.value",
        [
            first,
            target.id,
            ledger.new_uids(target, count),
            ledger.modseq(target),
            now_us(),
            sql.numbers([row.id for row in rows]),
        ],
    )
    ledger.count_all(target, rows)
    copy_marks([(row.id, first + place) for place, row in enumerate(rows) if row.flags & TODO_MARKS])
    orders.came([(target, range(first, first + count))])
    _copy_labels([(row.id, first + place) for place, row in enumerate(rows) if row.keywords], target)
    count_keywords(mailbox, [(row.keywords, 1, unread_of(row.flags)) for row in rows if row.keywords])
    beside = [
        row if row.thread_id else row._replace(thread_id=row.message_id)
        for row in rows
        if row.thread_id or row.folder_id == target.id
    ]
    _join(beside, target)
    return list(range(first, first + count))


def _copy_labels(pairs: list[tuple[int, int]], target: FolderCount) -> None:
    """`pairs` are an entry and its copy."""
    sql.run_many(
        "INSERT INTO mailstore_entrylabel (keyword_id, mailbox_id, folder_id, sort_us, entry_id) "
        "SELECT keyword_id, mailbox_id, %s, sort_us, %s FROM mailstore_entrylabel WHERE entry_id = %s",
        [(target.id, new_id, old_id) for old_id, new_id in pairs],
    )


def _join(rows: Sequence[Row], target: FolderCount) -> None:
    """Their conversations grow in the folder."""
    if not rows:
        return
    known = folder_threads.rows_in(target.id, [row.thread_id for row in rows])
    names = senders([row for row in rows if row.thread_id in known])
    grown = folder_threads.nothing_grown()
    for row in rows:
        name = names.get(row.message_id, "")
        grown[row.thread_id, target.id].add(flags=row.flags, sort_us=row.sort_us, name=name)
    folder_threads.grow(grown)
