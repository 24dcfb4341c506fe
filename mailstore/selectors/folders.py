"""Folders with their counters, and what a mailbox holds in all."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.fields import mailbox_of

COLUMNS = (
    "id, parent_id, name, role, position, is_hidden, is_read_only, is_quota_exempt, pop_visible, imap_visible, lock_scope, "
    "uidvalidity, uidnext, highestmodseq, total, unread, starred, bytes, orders_kept, orders_ready, recent_uid"
)
ORDER = {role: number for number, role in enumerate(["inbox", "drafts", "sent", "trash", "junk", "monitor", ""])}
MAX_FOLDERS = 5_000


@dataclasses.dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder. `depth` is 0 at the top; a locked one keeps its counters to itself."""

    id: int
    parent_id: int
    name: str
    role: str
    depth: int
    position: int
    is_hidden: bool
    is_read_only: bool
    is_quota_exempt: bool
    pop_visible: bool
    imap_visible: bool
    is_locked: bool
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    total: int
    unread: int
    starred: int
    bytes: int
    orders_kept: int
    orders_ready: int
    recent_uid: int
    """Of IMAP's `\\Recent`: the highest UID that some program was told of, as far as it is written down."""


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """`used_bytes` counts against `quota_bytes`; what can be recovered has an allowance of its own."""

    used_bytes: int
    quota_bytes: int
    recoverable_bytes: int


def folder_tree(access: Access) -> list[FolderRow]:
    """All folders, parents before children, roles first; one query."""
    access.require(Right.READ)
    query = f"SELECT {COLUMNS} FROM mailstore_folder WHERE mailbox_id = %s LIMIT %s"
    found = sql.rows(query, [access.mailbox, MAX_FOLDERS])
    known = {row[0] for row in found}
    children: dict[int, list[Any]] = {}
    for row in sorted(found, key=_place):
        children.setdefault(row[1] if row[1] in known else 0, []).append(row)
    return _walk(access, children)


def _place(row: Sequence[Any]) -> tuple[int, int, str, int]:
    number, _, name, role, position, *_ = row
    return ORDER.get(role, 9), position, name.casefold(), number


def _walk(access: Access, children: dict[int, list[Any]]) -> list[FolderRow]:
    """Depth first, without recursion: names may nest as deep as somebody likes."""
    tree: list[FolderRow] = []
    stack = [(row, 0) for row in reversed(children.get(0, []))]
    while stack:
        row, depth = stack.pop()
        tree.append(_row(access, row, depth))
        stack += [(child, depth + 1) for child in reversed(children.get(row[0], []))]
    return tree


def folder(access: Access, folder_id: int) -> FolderRow:
    """One folder, open or locked; NOT_FOUND for what isn't in this mailbox. `depth` is 0."""
    access.require(Right.READ)
    if mailbox_of(folder_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    return _one(access, "id = %s", folder_id)


def folder_by_role(access: Access, role: str) -> FolderRow:
    """The folder with a role; NOT_FOUND when the mailbox has none."""
    access.require(Right.READ)
    return _one(access, "mailbox_id = %s AND role = %s", access.mailbox, str(role))


def folder_by_path(access: Access, names: Sequence[str]) -> list[FolderRow]:
    """The folders on the way down these names, from the top; fewer when there is none of the next name. A query by the
    unique index for each, and nothing of the others."""
    access.require(Right.READ)
    found: list[FolderRow] = []
    query = f"SELECT {COLUMNS} FROM mailstore_folder WHERE mailbox_id = %s AND parent_id = %s AND name = %s"
    for depth, name in enumerate(names):
        row = sql.row(query, [access.mailbox, found[-1].id if found else 0, name])
        if row is None:
            break
        found.append(_row(access, row, depth))
    return found


def open_folder(access: Access, folder_id: int) -> FolderRow:
    """`folder`, but NO_PERMISSION when it is locked in this session."""
    found = folder(access, folder_id)
    if found.is_locked:
        raise MailError(ErrorKind.NO_PERMISSION, locked=folder_id)
    return found


def locked_folders(access: Access) -> list[int]:
    """Ids of the folders that this session must not look into."""
    if access.actor == 0:
        return []
    query = "SELECT id FROM mailstore_folder WHERE mailbox_id = %s AND lock_scope <> ''"
    return [row[0] for row in sql.rows(query, [access.mailbox]) if row[0] not in access.unlocked]


def mailbox_usage(access: Access) -> Usage:
    """What the mailbox holds; one query by primary key. NOT_FOUND without a mailbox."""
    row = sql.row(
        "SELECT m.used_bytes, a.quota_bytes, m.recoverable_bytes FROM mailstore_mailbox m "
        "JOIN accounts_account a ON a.id = m.id WHERE m.id = %s",
        [access.mailbox],
    )
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return Usage(*row)


def modseq_of(mailbox_ids: Sequence[int]) -> dict[int, int]:
    """The newest change of each mailbox that exists."""
    found: dict[int, int] = {}
    for part in sql.slices(mailbox_ids):
        found.update(sql.rows(f"SELECT id, modseq FROM mailstore_mailbox WHERE id IN ({sql.marks(part)})", part))
    return found


def is_locked(access: Access, folder_id: int, lock_scope: str) -> bool:
    """Whether this session must not look into a folder; the system itself may."""
    return bool(lock_scope) and access.actor != 0 and folder_id not in access.unlocked


def _one(access: Access, condition: str, *values: object) -> FolderRow:
    row = sql.row(f"SELECT {COLUMNS} FROM mailstore_folder WHERE {condition} LIMIT 1", values)
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return _row(access, row)


def _row(access: Access, row: Sequence[Any], depth: int = 0) -> FolderRow:
    """Every sign-in, page and APPEND reads all folders, so this has no loop."""
    (
        number,
        parent,
        name,
        role,
        position,
        hidden,
        read_only,
        exempt,
        pop,
        imap,
        scope,
        validity,
        uidnext,
        modseq,
        *rest,
    ) = row
    locked = is_locked(access, number, scope)
    total, unread, starred, size, kept, ready, recent = rest if not locked else (0, 0, 0, 0, *rest[4:])
    return FolderRow(
        number, parent, name, role, depth, position, bool(hidden), bool(read_only), bool(exempt), bool(pop), bool(imap),
        locked, validity, uidnext, modseq, total, unread, starred, size, kept, ready, recent,
    )  # fmt: skip
