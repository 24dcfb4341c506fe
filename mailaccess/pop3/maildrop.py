"""The maildrop of a session (RFC 1939 5): which mails, their numbers, what is marked; all as it was at sign-in.

Visible are the folders that POP shows (the inbox, others by choice) within the account's window of time. A UIDL is the
entry's id, which survives every move. Nothing is read at sign-in but counters where they are exact; the list is read
when somebody asks for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from core.access import Access
from core.errors import ErrorKind, MailError
from mailaccess.directory import opened
from mailaccess.models import PopSettings
from mailstore import sql
from mailstore.selectors.maildrop import Drop, drop_count, drop_rows, letters
from mailstore.services.entries import purge
from mta.services.monitoring import note_views
from mta.services.openings import is_recallable, note_opened

DAY_US = 24 * 3600 * 1_000_000
AHEAD_LETTERS = 16
AHEAD_BYTES = 128 * 1024
"""Read before they are asked for: a visit to the database costs more than a small mail."""
WINDOWS = {"week": 7, "two_weeks": 14, "month": 31, "quarter": 92, "year": 366, "all": 0}
"""Days; 0 for everything (18.1.5 of the manual)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A mail by its number's place."""

    entry_id: int
    size: int

    @property
    def uidl(self) -> str:
        """At most 70 printable characters (RFC 1939 7)."""
        return f"{self.entry_id:x}"


@dataclass(slots=True)
class Maildrop:
    """One session's. Runs on database threads."""

    access: Access
    drop: Drop
    keeps_mail: bool
    """Mail programs may not delete: DELE is obeyed in this session alone."""
    with_monitored: bool = False
    marked: set[int] = field(default_factory=set)
    """Numbers."""
    _rows: list[Row] | None = None
    _ahead: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    """Mails read already, by number; none that its sender could still recall."""
    _last: int = 0
    """The number of the last mail that was taken."""

    @classmethod
    def open(cls, access: Access) -> Maildrop:
        """What this account's programs may see now."""
        settings = PopSettings.of(access.mailbox)
        days = WINDOWS[settings.window]
        access, folders = opened(access)
        folders = [row for row in folders if not row.is_locked]
        shown = [row for row in folders if row.pop_visible or (row.role == "monitor" and settings.with_monitored)]
        since_us = time.time_ns() // 1000 - days * DAY_US if days else None
        return cls(access, Drop.of(shown, since_us), settings.keeps_mail, settings.with_monitored)

    @property
    def rows(self) -> list[Row]:
        """All mails, oldest first."""
        if self._rows is None:
            self._rows = [Row(*row) for row in drop_rows(self.access, self.drop)]
        return self._rows

    def stat(self) -> tuple[int, int]:
        """(count, bytes) of what is not marked."""
        if self._rows is None and not self.marked:
            return drop_count(self.access, self.drop)
        left = [row for number, row in enumerate(self.rows, 1) if number not in self.marked]
        return len(left), sum(row.size for row in left)

    def row(self, number: int) -> Row:
        """A mail that is there and not marked; NOT_FOUND."""
        if not 0 < number <= len(self.rows) or number in self.marked:
            raise MailError(ErrorKind.NOT_FOUND)
        return self.rows[number - 1]

    def at_hand(self, number: int) -> tuple[bytes, int] | None:
        """`letter` without database work, of a mail that was read together with the one before it."""
        found = self._ahead.pop(number, None)
        if found is None or number in self.marked:
            return None
        self._last = number
        return found

    def letter(self, number: int, *, shows_body: bool = True) -> tuple[bytes, int]:
        """(bytes, header length) of a mail; a colleague's counts as opened when its body is shown. Who takes one mail
        after the other gets some of them read at once."""
        row = self.row(number)
        is_next = (
            number == self._last + 1 and shows_body and not self.with_monitored
        )  # whose views are noted one by one
        following = self._following(number) if is_next else {}
        found = letters(self.access, [row.entry_id, *(each.entry_id for each in following.values())])
        if row.entry_id not in found:
            raise MailError(ErrorKind.NOT_FOUND)
        raw, header_length, message_id = found[row.entry_id]
        if shows_body:
            self._last = number
            self._ahead = {
                place: found[each.entry_id][:2]
                for place, each in following.items()
                if each.entry_id in found and not is_recallable(found[each.entry_id][0])
            }
            if is_recallable(raw):
                note_opened([message_id])
            if self.with_monitored:
                note_views(self.access, [message_id], protocol="pop3")
        return raw, header_length

    def _following(self, number: int) -> dict[int, Row]:
        """The mails that will be asked for next, as many as may be held."""
        found: dict[int, Row] = {}
        held = 0
        for place in range(number + 1, min(number + AHEAD_LETTERS, len(self.rows)) + 1):
            held += self.rows[place - 1].size
            if held > AHEAD_BYTES:
                break
            found[place] = self.rows[place - 1]
        return found

    def listed(self) -> list[tuple[int, Row]]:
        """(number, mail) of what is not marked."""
        return [(number, row) for number, row in enumerate(self.rows, 1) if number not in self.marked]

    def update(self) -> int:
        """Take away what is marked, into the recovery (RFC 1939 6); how many."""
        ids = [self.rows[number - 1].entry_id for number in sorted(self.marked)]
        if not ids or self.keeps_mail:
            return 0
        gone = 0
        for part in sql.slices(ids):
            try:
                gone += purge(self.access, part)
            except MailError as error:
                if error.kind is not ErrorKind.NOT_FOUND:
                    raise
        return gone
