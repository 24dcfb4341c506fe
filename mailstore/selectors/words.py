"""Which messages of a mailbox hold a text, as mail programs ask for it: all of them, in no order.

The index answers in words (`mailstore.search.words`): the last one may go on, the others are whole. What waits for the
indexer is not in it yet, so the caller asks `waiting` first and `holders` then: what is taken in between the two is in
both answers, never in none.
"""

from __future__ import annotations

import dataclasses
from array import array

from core.access import Access, Right
from mailstore import sql
from mailstore.fields import COUNTER_BITS
from mailstore.search.expression import Either, Expression
from mailstore.search.index import index
from mailstore.search.plan import expression
from mailstore.search.tree import Field, Or, Text
from mailstore.thread_members import members_of

ADDRESSED = (Field.SUBJECT, Field.FROM, Field.TO)
"""Fields whose words stand among those of the text too; TO holds Cc and Bcc."""


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the index is asked for a text: anywhere in a mail, and in its header."""

    anywhere: Expression
    header: Expression


def asked(text: str) -> Asked | None:
    """None for a text without words: the index can't know it."""
    anywhere = expression(Text(text, Field.ANY, is_prefix=True))
    header = expression(Or(tuple(Text(text, field, is_prefix=True) for field in ADDRESSED)))
    if anywhere is None or not isinstance(header, Either):
        return None
    return Asked(anywhere, header)


def holders(access: Access, wanted: Expression) -> array[int]:
    """Message ids."""
    access.require(Right.READ)
    return index().holders(access.mailbox, wanted)


def waiting(access: Access) -> list[int]:
    """Messages that the index does not hold yet."""
    access.require(Right.READ)
    query = "SELECT message_id FROM mailstore_searchtodo WHERE message_id BETWEEN %s AND %s"
    first = access.mailbox << COUNTER_BITS
    return [row[0] for row in sql.rows(query, [first, first + (1 << COUNTER_BITS) - 1])]


def in_thread(access: Access, thread_id: int) -> list[int]:
    """Messages of a conversation; a message in none is its own."""
    access.require(Right.READ)
    query = (
        f"SELECT m.id FROM {members_of('%s')} AS s CROSS JOIN mailstore_message m "
        "WHERE m.id = s.message_id AND m.mailbox_id = %s"
    )
    return [row[0] for row in sql.rows(query, [thread_id, thread_id, access.mailbox])]


def with_message_id(access: Access, message_id_hash: int) -> list[int]:
    """Messages with a Message-ID."""
    access.require(Right.READ)
    query = "SELECT id FROM mailstore_message WHERE mailbox_id = %s AND message_id_hash = %s"
    return [row[0] for row in sql.rows(query, [access.mailbox, message_id_hash])]
