"""The keywords of a mailbox; those with a name are its labels."""

from __future__ import annotations

import dataclasses

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql

COLUMNS = "id, bit, atom, label, colour, total, unread"


@dataclasses.dataclass(frozen=True, slots=True)
class KeywordRow:
    """A keyword at a bit of `Entry.keywords`; `label` is empty for a mail program's own."""

    id: int
    bit: int
    atom: str
    label: str
    colour: str
    total: int
    unread: int


def keywords(access: Access) -> list[KeywordRow]:
    """All of a mailbox, in the order they were made; at most 62. One query."""
    access.require(Right.READ)
    query = f"SELECT {COLUMNS} FROM mailstore_keyword WHERE mailbox_id = %s ORDER BY id"
    return [KeywordRow(*row) for row in sql.rows(query, [access.mailbox])]


def keyword(access: Access, keyword_id: int) -> KeywordRow:
    """One of them; NOT_FOUND for another mailbox's."""
    access.require(Right.READ)
    query = f"SELECT {COLUMNS} FROM mailstore_keyword WHERE id = %s AND mailbox_id = %s"
    row = sql.row(query, [keyword_id, access.mailbox])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return KeywordRow(*row)
