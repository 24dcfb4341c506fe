"""The tables of the mail store. The ORM owns the schema; hot paths are raw SQL in services and selectors.

Times on hot rows are integers, microseconds since 1970 (names end in `_us`). Columns named `<thing>_id` are
plain integers without a foreign-key constraint: rows of a mailbox are written together and `check_store`
verifies them; a constraint would cost an index look-up for each row of the deliver path.
"""

from mailstore.models.blobs import Blob, Dictionary
from mailstore.models.correspondents import Correspondent
from mailstore.models.drafts import Draft, DraftAttachment
from mailstore.models.entries import FLAG_NAMES, TODO_MARKS, Entry, EntryChange, Expunged, Flag, Recoverable, settled
from mailstore.models.labels import EntryLabel, Keyword, Snooze, Todo
from mailstore.models.mailboxes import Folder, Mailbox, Role
from mailstore.models.messages import Message
from mailstore.models.orders import EntryOrder, FolderOrder
from mailstore.models.retention import FolderMark, GoneObject
from mailstore.models.search import SearchRemoval, SearchTodo
from mailstore.models.threads import FolderThread, ThreadOf, ThreadReference

__all__ = [
    "FLAG_NAMES",
    "TODO_MARKS",
    "Blob",
    "Correspondent",
    "Dictionary",
    "Draft",
    "DraftAttachment",
    "Entry",
    "EntryChange",
    "EntryLabel",
    "EntryOrder",
    "Expunged",
    "Flag",
    "Folder",
    "FolderMark",
    "FolderOrder",
    "FolderThread",
    "GoneObject",
    "Keyword",
    "Mailbox",
    "Message",
    "Recoverable",
    "Role",
    "SearchRemoval",
    "SearchTodo",
    "Snooze",
    "ThreadOf",
    "ThreadReference",
    "Todo",
    "settled",
]
