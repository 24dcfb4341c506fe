"""Which messages a thread has, as tables for FROM: its first message, whose id it has, and those that joined it."""

from __future__ import annotations

from mailstore import sql


def members() -> str:
    """A table of (thread_id, message_id): the messages of some threads; its two parameters are both `sql.numbers` of
    the threads. A thread's first message may be gone."""
    listed = "SELECT value AS thread_id, value AS message_id FROM " + sql.numbered()
    return f"({listed} UNION SELECT thread_id, message_id FROM mailstore_threadof WHERE {sql.among('thread_id')})"


def members_of(thread: str) -> str:
    """A table of the `message_id`s of one thread, whose id is the SQL expression `thread`."""
    return (
        f"(SELECT {thread} AS message_id UNION "
        f"SELECT o.message_id FROM mailstore_threadof o WHERE o.thread_id = {thread})"
    )
