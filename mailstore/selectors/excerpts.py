"""The lines under the subjects of a page of results. The index has no texts: they are read again for the mails shown."""

from __future__ import annotations

from collections.abc import Sequence

from core.access import Access, Right
from core.errors import MailError
from mailstore import blobs, sql
from mailstore.message import read
from mailstore.search.document import body_text
from mailstore.search.excerpt import Marks, excerpt
from mailstore.selectors.lists import ListRow

MAX_READ_BYTES = 512 * 1024
"""A larger mail keeps its preview: reading it would cost more than the line is worth."""


def excerpts(access: Access, rows: Sequence[ListRow], marks: Marks) -> dict[int, str]:
    """For entries whose text has a match: the part around it. `rows` come from `search`, so they may be read. One query,
    and only for rows whose preview doesn't show a match already."""
    access.require(Right.READ)
    if marks.text is None:
        return {}
    found = {row.entry_id: row.preview for row in rows if excerpt(marks.text, row.preview)}
    left = {row.message_id: row for row in rows if row.entry_id not in found}
    query = (
        "SELECT m.id, b.codec, b.data, b.key, b.size FROM mailstore_message m JOIN mailstore_blob b ON b.id = m.blob_id "
        f"WHERE m.id IN ({sql.marks(list(left))}) AND m.mailbox_id = %s AND b.size <= %s"
    )
    for message_id, *stored in sql.rows(query, [*left, access.mailbox, MAX_READ_BYTES]):
        try:
            raw = blobs.decode(*stored)
        except MailError:
            continue
        line = excerpt(marks.text, body_text(read(raw)))
        if line:
            found |= {row.entry_id: line for row in rows if row.message_id == message_id}
    return found
