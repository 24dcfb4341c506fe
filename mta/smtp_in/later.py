"""FUTURERELEASE (RFC 4865): a mail program says when its mail shall leave; no sockets, no store."""

from __future__ import annotations

import datetime
import re

from core.times import micros, moment

PARAMETERS = frozenset({"HOLDFOR", "HOLDUNTIL"})
_SECONDS = re.compile(r"[1-9][0-9]{0,8}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def offer(now_us: int, max_days: int) -> str:
    """The line of EHLO: the longest time and the last moment (4)."""
    last = moment(now_us) + datetime.timedelta(days=max_days)
    return f"FUTURERELEASE {max_days * 86_400} {last:%Y-%m-%dT%H:%M:%SZ}"


def release_us(hold_for: str | None, hold_until: str | None, now_us: int, max_days: int) -> int | None:
    """When to send; 0 for at once, None for what is wrong: both together, no time, one that is over or too far (5)."""
    if hold_for is None and hold_until is None:
        return 0
    if hold_for is not None and hold_until is not None:
        return None
    at_us = _after(hold_for, now_us) if hold_for is not None else _at(hold_until or "")
    return at_us if at_us is not None and now_us < at_us <= now_us + max_days * 86_400_000_000 else None


def _after(seconds: str, now_us: int) -> int | None:
    return now_us + int(seconds) * 1_000_000 if _SECONDS.fullmatch(seconds) else None


def _at(text: str) -> int | None:
    """RFC 3339 5.6."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return micros(datetime.datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        return None
