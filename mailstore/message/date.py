"""The Date field (RFC 5322 3.3, obsolete zones 4.3), and what senders write instead."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_tz

from mailstore.message import header

_MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_QUICK = re.compile(
    rb"\s*(?:[A-Za-z]{3},\s*)?(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})\s+(\d{1,2}):(\d\d):(\d\d)\s+([+-])(\d\d)(\d\d)\s*(?:\([^()]*\)\s*)?\Z"
)
# Before 1970 or behind 2200 is a broken clock, not a date.
_LATEST_S = 7_258_118_400
_EPOCH = date(1970, 1, 1).toordinal()


def date_us(value: bytes | None) -> int | None:
    """Microseconds since 1970, or None when it can't be read."""
    if not value:
        return None
    match = _QUICK.match(value)
    month = _MONTHS.get(match[2].lower().decode()) if match else None
    if match is None or month is None:
        return _careful(value)
    day, year, hour, minute, second = map(int, match.group(1, 3, 4, 5, 6))
    zone = (int(match[8]) * 3600 + int(match[9]) * 60) * (-1 if match[7] == b"-" else 1)
    return _checked(year, month, day, hour * 3600 + minute * 60 + min(second, 59) - zone)


def _checked(year: int, month: int, day: int, rest_s: int) -> int | None:
    if not 1970 <= year <= 2200 or abs(rest_s) > 4 * 86_400:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    seconds = days * 86_400 + rest_s
    return seconds * 1_000_000 if 0 <= seconds <= _LATEST_S else None


def _careful(value: bytes) -> int | None:
    try:
        found = parsedate_tz(header.text(value)[:200])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if found is None:
        return None
    year, month, day, hour, minute, second = found[:6]
    return _checked(year, month, day, hour * 3600 + minute * 60 + min(second, 59) - (found[9] or 0))


def date_at(value: bytes | None) -> datetime | None:
    """An aware datetime in the sender's zone where it is known, else in UTC; None when it can't be read."""
    us = date_us(value)
    if us is None or value is None:
        return None
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    match = _QUICK.match(value)
    if not match:
        return at
    minutes = (int(match[8]) * 60 + int(match[9])) * (-1 if match[7] == b"-" else 1)
    return at.astimezone(timezone(timedelta(minutes=minutes))) if abs(minutes) < 1440 else at
