"""What every page shows beside a mailbox's folders, in one query: its fill, its labels, its to-do marks, and numbers that
upper layers register."""

from __future__ import annotations

import dataclasses

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.selectors.folders import Usage
from mailstore.selectors.keywords import KeywordRow
from mailstore.selectors.list_marked import MARKED, MarkCount

USAGE, KEYWORD, MARKS, COUNT = 0, 1, 2, 3
_counts: dict[str, str] = {}


def register_count(name: str, query: str) -> None:
    """A number of every mailbox: `query` has one parameter, the mailbox, and gives one row of one number, fast and bounded
    in any mailbox, because every page asks it."""
    _counts[name] = query


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """`modseq` is the mailbox's when this was read; `keywords` in the order they were made; `marks` by folder, as `mark_counts` says; `counts` by their registered
    names."""

    modseq: int
    usage: Usage
    keywords: list[KeywordRow]
    marks: dict[int, MarkCount]
    counts: dict[str, int]


def mailbox_side(access: Access) -> Side:
    """All of it. NOT_FOUND without a mailbox."""
    access.require(Right.READ)
    query = (
        f"SELECT {USAGE}, m.used_bytes, a.quota_bytes, m.recoverable_bytes, m.modseq, 0, '', '', '' FROM mailstore_mailbox m "
        "JOIN accounts_account a ON a.id = m.id WHERE m.id = %s UNION ALL "
        f"SELECT {KEYWORD}, id, bit, total, unread, 0, atom, label, colour FROM mailstore_keyword WHERE mailbox_id = %s "
        f"UNION ALL SELECT {MARKS}, {MARKED}, '', '', '' FROM mailstore_todo d CROSS JOIN mailstore_entry e "
        "WHERE d.mailbox_id = %s AND e.id = d.entry_id GROUP BY e.folder_id"
    )
    for number, each in enumerate(_counts.values()):
        query += f" UNION ALL SELECT {COUNT}, {number}, ({each}), 0, 0, 0, '', '', ''"
    usage: Usage | None = None
    modseq = 0
    found: list[KeywordRow] = []
    marks: dict[int, MarkCount] = {}
    names = list(_counts)
    counts: dict[str, int] = {}
    for kind, first, second, third, fourth, fifth, atom, label, colour in sql.rows(
        query, [access.mailbox] * (3 + len(_counts))
    ):
        if kind == USAGE:
            usage, modseq = Usage(first, second, third), int(fourth)
        elif kind == KEYWORD:
            found.append(KeywordRow(first, second, atom, label, colour, third, fourth))
        elif kind == COUNT:
            counts[names[first]] = int(second)
        else:
            marks[first] = MarkCount(*map(int, (second, third, fourth, fifth)))
    if usage is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return Side(modseq, usage, sorted(found, key=lambda row: row.id), marks, counts)
