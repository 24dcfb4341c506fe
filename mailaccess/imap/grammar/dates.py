"""Dates in commands: `1-Feb-2026` (SEARCH) and `" 1-Feb-2026 09:00:00 +0800"` (APPEND)."""

from __future__ import annotations

import datetime
import re

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.strings import month_number

_DATE = re.compile(rb'"?([ \d]?\d)-([A-Za-z]{3})-(\d{4})"?')
_DATE_TIME = re.compile(rb'"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"')


def date(cursor: Cursor) -> datetime.date:
    """A day."""
    found = cursor.match(_DATE, "a date")
    try:
        return datetime.date(int(found[3]), month_number(found[2].decode()), int(found[1]))
    except ValueError:
        raise ImapSyntaxError("no such date") from None


def date_time(cursor: Cursor) -> datetime.datetime:
    """A moment with its zone."""
    found = cursor.match(_DATE_TIME, "a date and time")
    minutes = int(found[8]) * 60 + int(found[9])
    try:
        zone = datetime.timezone(datetime.timedelta(minutes=-minutes if found[7] == b"-" else minutes))
        day = (int(found[3]), month_number(found[2].decode()), int(found[1]))
        return datetime.datetime(*day, int(found[4]), int(found[5]), min(int(found[6]), 59), tzinfo=zone)
    except ValueError:
        raise ImapSyntaxError("no such date") from None
