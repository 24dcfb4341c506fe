"""Taking away what is marked as deleted (RFC 9051 6.4.3): into the recovery, in slices."""

from __future__ import annotations

from mailaccess.imap.view import Ranges, View
from mailstore.models import Flag
from mailstore.selectors.folder_state import entries_of
from mailstore.services.entries import holding, purge
from mailstore.services.selection import SLICE


def expunge_deleted(view: View, ranges: Ranges | None) -> int:
    """Expunge the messages with `\\Deleted`, those within `ranges` of UIDs alone when given (UID EXPUNGE, RFC 4315);
    how many. Only what this session was told of goes."""
    gone = 0
    wanted = ranges if ranges is not None else [(1, view.uidnext - 1)]
    while True:
        with holding(view.access):
            found = entries_of(view.folder_id, wanted, SLICE, flag=Flag.DELETED)
            if not found:
                return gone
            gone += purge(view.access, [entry_id for _, entry_id in found])
        if len(found) < SLICE:
            return gone
