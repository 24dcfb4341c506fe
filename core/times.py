"""Moments as rows keep them, microseconds since 1970, and as Python does, in UTC."""

from __future__ import annotations

import datetime
import zoneinfo

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)


def moment(us: int) -> datetime.datetime:
    """Exactly. Raises OverflowError beyond the year 9999."""
    return EPOCH + datetime.timedelta(microseconds=us)


def zone_named(name: str) -> datetime.tzinfo:
    """The time zone; UTC for a name that this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.UTC


def micros(at: datetime.datetime) -> int:
    """The inverse; `at` knows its zone."""
    return (at - EPOCH) // MICROSECOND
