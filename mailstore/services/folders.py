"""The folders of a mailbox. Those with a role stay as they are; the others are people's own."""

from __future__ import annotations

import functools
import unicodedata
from typing import NamedTuple

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import kept_files, sql
from mailstore.fields import mailbox_of
from mailstore.ledger import Ledger
from mailstore.services.deletion_log import Deletion
from mailstore.services.mailboxes import INSERT_FOLDER, folder_values
from mailstore.services.orders import forget_orders
from mailstore.services.purge import purge
from mailstore.services.rows import writable
from mailstore.services.selection import Selection

MAX_NAME_CHARS = 100


class Limits(NamedTuple):
    """How many folders of their own people may make in a mailbox, and in how many levels."""

    folders: int
    depth: int


def folder_limits(access: Access) -> Limits:
    """Those of the mailbox's domain (requirements A22)."""
    query = (
        "SELECT d.max_folders, d.max_folder_depth FROM accounts_account a "
        "JOIN accounts_domain d ON d.id = a.domain_id WHERE a.id = %s"
    )
    return Limits(*sql.row(query, [access.mailbox]))


def create_folder(access: Access, name: str, *, parent_id: int = 0) -> int:
    """A new folder's id. Needs FOLDERS. INVALID name, EXISTS, LIMIT (`limit` folders or `depth` levels of
    the domain), NOT_FOUND parent."""
    access.require(Right.FOLDERS)
    name = clean_name(name)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        limits = folder_limits(access)
        if _depth(ledger, access, parent_id) >= limits.depth:
            raise MailError(ErrorKind.LIMIT, depth=limits.depth)
        count, last = sql.row(
            "SELECT sum(CASE role WHEN '' THEN 1 ELSE 0 END), max(position) FROM mailstore_folder WHERE mailbox_id = %s",
            [access.mailbox],
        )
        if count >= limits.folders:
            raise MailError(ErrorKind.LIMIT, limit=limits.folders)
        _require_free(access, name, parent_id)
        folder_id = ledger.new_id(access.mailbox)
        values = folder_values(folder_id, access.mailbox, name, parent_id=parent_id, position=(last or 0) + 1)
        sql.run(INSERT_FOLDER, values)
        _tell(ledger, access)
    return folder_id


def rename_folder(access: Access, folder_id: int, name: str) -> None:
    """Needs FOLDERS. NO_PERMISSION for a folder with a role, INVALID name, EXISTS."""
    access.require(Right.FOLDERS)
    name = clean_name(name)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        _require_own(ledger, access, folder_id)
        parent_id, old = sql.row("SELECT parent_id, name FROM mailstore_folder WHERE id = %s", [folder_id])
        if name != old:
            _require_free(access, name, parent_id)
            sql.run("UPDATE mailstore_folder SET name = %s WHERE id = %s", [name, folder_id])
            _tell(ledger, access)


def move_folder(access: Access, folder_id: int, *, parent_id: int) -> None:
    """Put a folder under another (0: the top). INVALID under itself, EXISTS, LIMIT, NO_PERMISSION as in rename."""
    access.require(Right.FOLDERS)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        _require_own(ledger, access, folder_id)
        parents = _parents(access)
        if folder_id in _line(parents, parent_id):
            raise MailError(ErrorKind.INVALID, field="parent")
        limits = folder_limits(access)
        if _depth(ledger, access, parent_id) + _height(parents, folder_id) > limits.depth:
            raise MailError(ErrorKind.LIMIT, depth=limits.depth)
        name, old = sql.row("SELECT name, parent_id FROM mailstore_folder WHERE id = %s", [folder_id])
        if parent_id != old:
            _require_free(access, name, parent_id)
            sql.run("UPDATE mailstore_folder SET parent_id = %s WHERE id = %s", [parent_id, folder_id])
            _tell(ledger, access)


def relocate_folder(access: Access, folder_id: int, *, parent_id: int, name: str) -> None:
    """Move and rename at once (RFC 9051 6.3.6). As `move_folder` and `rename_folder`."""
    with transaction.atomic():
        Ledger([access.mailbox])
        parent, old = sql.row("SELECT parent_id, name FROM mailstore_folder WHERE id = %s", [folder_id]) or (0, "")
        if clean_name(name) == old or parent == parent_id:
            move_folder(access, folder_id, parent_id=parent_id)
            rename_folder(access, folder_id, name)
            return
        # A name of its own on the way: neither the old nor the new one may stand in either place.
        rename_folder(access, folder_id, f"{folder_id}")
        move_folder(access, folder_id, parent_id=parent_id)
        rename_folder(access, folder_id, name)


def delete_folder(access: Access, folder_id: int) -> None:
    """Only an empty one without folders below: IN_USE else. NO_PERMISSION for a folder with a role."""
    access.require(Right.FOLDERS)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        _require_own(ledger, access, folder_id)
        total = ledger.folder(folder_id).total
        below = sql.row(
            "SELECT count(*) FROM mailstore_folder WHERE mailbox_id = %s AND parent_id = %s",
            [access.mailbox, folder_id],
        )[0]
        if total or below:
            raise MailError(ErrorKind.IN_USE, entries=total, folders=below)
        for table in ("expunged", "entrychange", "folderthread", "entrylabel"):
            sql.run(f"DELETE FROM mailstore_{table} WHERE folder_id = %s", [folder_id])
        sql.run("DELETE FROM mailstore_folder WHERE id = %s", [folder_id])
        forget_orders(folder_id)
        transaction.on_commit(functools.partial(kept_files.forget_folder, folder_id))
        _tell(ledger, access)


def empty_folder(access: Access, folder_id: int) -> int:
    """Purge everything in a folder to recovery; how many. Needs DELETE."""
    return purge(access, Selection(folder_id=folder_id), action=Deletion.EMPTY)


def clean_name(name: str) -> str:
    """NFC without outer spaces. INVALID when nothing is left, too long, or with what IMAP can't carry in a name."""
    name = unicodedata.normalize("NFC", name).strip()
    is_printable = all(c == " " or c.isprintable() for c in name)
    # "/" separates levels (RFC 9051 5.1.1); "%" and "*" are wildcards of LIST (6.3.9).
    if not name or len(name) > MAX_NAME_CHARS or not is_printable or any(c in "/%*\\" for c in name):
        raise MailError(ErrorKind.INVALID, field="name")
    return name


def _require_own(ledger: Ledger, access: Access, folder_id: int) -> None:
    """A folder that people made, open to this session."""
    if writable(ledger, access, folder_id).role:
        raise MailError(ErrorKind.NO_PERMISSION, folder=folder_id)


def _require_free(access: Access, name: str, parent_id: int) -> None:
    is_inbox = parent_id == 0 and name.upper() == "INBOX"  # RFC 9051 5.1: in any case
    query = "SELECT 1 FROM mailstore_folder WHERE mailbox_id = %s AND parent_id = %s AND name = %s"
    if is_inbox or sql.row(query, [access.mailbox, parent_id, name]):
        raise MailError(ErrorKind.EXISTS, name=name)


def _parents(access: Access) -> dict[int, int]:
    return dict(sql.rows("SELECT id, parent_id FROM mailstore_folder WHERE mailbox_id = %s", [access.mailbox]))


def _line(parents: dict[int, int], folder_id: int) -> list[int]:
    """The folder and what it lies in, up to the top; ends even if the tree were broken."""
    line: list[int] = []
    while folder_id and folder_id not in line:
        line.append(folder_id)
        folder_id = parents.get(folder_id, 0)
    return line


def _height(parents: dict[int, int], folder_id: int) -> int:
    """Levels of the tree that hangs on a folder, itself included."""
    lines = [_line(parents, each) for each in parents]
    return max(line.index(folder_id) + 1 for line in lines if folder_id in line)


def _depth(ledger: Ledger, access: Access, parent_id: int) -> int:
    """How deep something below this parent would lie; NOT_FOUND when there is no such parent."""
    if not parent_id:
        return 0
    if mailbox_of(parent_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    writable(ledger, access, parent_id)
    return len(_line(_parents(access), parent_id))


def announce(access: Access) -> None:
    """Something beside the mails of a mailbox changed (subscriptions, annotations): who follows it hears of it."""
    with transaction.atomic():
        _tell(Ledger([access.mailbox]), access)


def _tell(ledger: Ledger, access: Access) -> None:
    """The tree looks different: a change that readers must hear of."""
    ledger.mailbox_modseq(access.mailbox)
    ledger.write()
