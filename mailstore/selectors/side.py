"""What every page shows beside a mailbox's folders, in one query: its fill, its labels, its to-do marks."""

from __future__ import annotations

import dataclasses

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.selectors.folders import Usage
from mailstore.selectors.keywords import KeywordRow
from mailstore.selectors.list_marked import MARKED, MarkCount

USAGE, KEYWORD, MARKS = 0, 1, 2


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """`keywords` in the order they were made; `marks` by folder, as `mark_counts` says."""

    usage: Usage
    keywords: list[KeywordRow]
    marks: dict[int, MarkCount]


def mailbox_side(access: Access) -> Side:
    """All of it. NOT_FOUND without a mailbox."""
    access.require(Right.READ)
    query = (
        f"SELECT {USAGE}, m.used_bytes, a.quota_bytes, m.recoverable_bytes, 0, 0, '', '', '' FROM mailstore_mailbox m "
        "JOIN accounts_account a ON a.id = m.id WHERE m.id = %s UNION ALL "
        f"SELECT {KEYWORD}, id, bit, total, unread, 0, atom, label, colour FROM mailstore_keyword WHERE mailbox_id = %s "
        f"UNION ALL SELECT {MARKS}, {MARKED}, '', '', '' FROM mailstore_todo d CROSS JOIN mailstore_entry e "
        "WHERE d.mailbox_id = %s AND e.id = d.entry_id GROUP BY e.folder_id"
    )
    usage: Usage | None = None
    found: list[KeywordRow] = []
    marks: dict[int, MarkCount] = {}
    for kind, first, second, third, fourth, fifth, atom, label, colour in sql.rows(query, [access.mailbox] * 3):
        if kind == USAGE:
            usage = Usage(first, second, third)
        elif kind == KEYWORD:
            found.append(KeywordRow(first, second, atom, label, colour, third, fourth))
        else:
            marks[first] = MarkCount(*map(int, (second, third, fourth, fifth)))
    if usage is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return Side(usage, sorted(found, key=lambda row: row.id), marks)
