"""A mailbox appears with its account, and with the five folders that every program expects (RFC 6154)."""

from __future__ import annotations

import functools

from django.db import transaction

from accounts.models import Account
from mailstore import kept_files, sql
from mailstore.fields import pack
from mailstore.models import Role

FOLDERS = (
    (Role.INBOX, "INBOX"),
    (Role.DRAFTS, "Drafts"),
    (Role.SENT, "Sent"),
    (Role.TRASH, "Trash"),
    (Role.JUNK, "Junk"),
)
"""In the order of the tree. Names are what IMAP shows; people see the role in their language."""

INSERT_FOLDER = sql.insert(
    "mailstore_folder",
    "id, mailbox_id, parent_id, name, role, position, is_hidden, is_read_only, is_quota_exempt, pop_visible, imap_visible, "
    "lock_scope, uidvalidity, uidnext, highestmodseq, expunge_floor, total, unread, starred, bytes",
)
INSERT_MAILBOX = sql.insert("mailstore_mailbox", "id, next_id, modseq, used_bytes, recoverable_bytes")


def folder_values(
    folder_id: int, mailbox: int, name: str, *, parent_id: int = 0, role: str = "", position: int = 0
) -> tuple[object, ...]:
    """The values of a new, empty folder for `INSERT_FOLDER`."""
    # RFC 9051 2.3.1.1: a name used again must have a greater UIDVALIDITY. The counter of the id only rises, and two
    # folders may be made in one second.
    uidvalidity = folder_id & 0xFFFFFFFF or 1
    shown = (False, False, False, role == Role.INBOX, True)
    return (folder_id, mailbox, parent_id, name, role, position, *shown, "", uidvalidity, 1, 1, 0, 0, 0, 0, 0)


def create_mailbox(mailbox_id: int) -> None:
    """Make the mailbox of an account with its folders, in the caller's transaction; harmless when it exists."""
    with transaction.atomic():
        values = [mailbox_id, len(FOLDERS) + 1, 1, 0, 0]
        if sql.run(f"{INSERT_MAILBOX} ON CONFLICT (id) DO NOTHING", values) < 1:
            return
        folders = [
            folder_values(pack(mailbox_id, number), mailbox_id, name, role=role, position=number)
            for number, (role, name) in enumerate(FOLDERS, start=1)
        ]
        sql.run_many(INSERT_FOLDER, folders)


def create_for(account: Account) -> None:
    """The account's step (accounts.steps)."""
    create_mailbox(account.pk)


def forget_files_of(account: Account) -> None:
    """The account's step (accounts.steps): what lies beside the database goes with it."""
    transaction.on_commit(functools.partial(kept_files.forget_mailbox, account.pk))
