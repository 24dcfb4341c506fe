"""定时发送: times as the composer offers and reads them, in the reader's zone."""

from __future__ import annotations

import dataclasses
import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from mta.services.submit import SCHEDULE_MAX_DAYS

FORMAT = "%Y-%m-%dT%H:%M"
"""What a browser's field for date and time holds: date, hour, minute."""


@dataclasses.dataclass(frozen=True, slots=True)
class Preset:
    """A time that is offered: its value for the form, its name, itself in words."""

    value: str
    name: str
    shown: str


def presets() -> list[Preset]:
    """Tomorrow's morning and afternoon, and the next Monday."""
    today = timezone.localdate()
    tomorrow = today + datetime.timedelta(days=1)
    monday = today + datetime.timedelta(days=7 - today.weekday())
    offered = [(tomorrow, 8, _("Tomorrow morning")), (tomorrow, 13, _("Tomorrow afternoon"))]
    if monday != tomorrow:
        offered.append((monday, 8, _("Monday morning")))
    return [_preset(day, hour, name) for day, hour, name in offered]


def at_us(text: str) -> int | None:
    """Microseconds of a local time, or None for what is none (a wrong day, an hour that a change of clocks leaves out)."""
    try:
        local = datetime.datetime.strptime(text.strip()[:16], FORMAT)  # noqa: DTZ007 - the reader's zone follows
        aware = timezone.make_aware(local)
        exists = timezone.make_naive(aware.astimezone(datetime.UTC), timezone.get_current_timezone()) == local
    except (ValueError, OverflowError):
        return None
    return int(aware.timestamp()) * 1_000_000 if exists else None


def field_of(us: int | None) -> str:
    """A stored time for the form's field; empty when it is over."""
    if not us or us <= timezone.now().timestamp() * 1_000_000:
        return ""
    return timezone.localtime(_moment(us)).strftime(FORMAT)


def bounds() -> tuple[str, str]:
    """The earliest and the latest time that may be chosen."""
    now = timezone.localtime()
    return (now + datetime.timedelta(minutes=1)).strftime(FORMAT), (
        now + datetime.timedelta(days=SCHEDULE_MAX_DAYS)
    ).strftime(FORMAT)


def limits_us() -> tuple[int, int]:
    """`bounds` in microseconds: later than now, and not beyond the last day."""
    now_us = int(timezone.now().timestamp() * 1_000_000)
    return now_us, now_us + SCHEDULE_MAX_DAYS * 86_400_000_000


def shown(us: int) -> str:
    """A moment in words: day, and time of day."""
    local = timezone.localtime(_moment(us))
    day = formats.date_format(local, _("j M") if local.year == timezone.localdate().year else "DATE_FORMAT")
    return f"{day} {local:%H:%M}"


def zone_name() -> str:
    """The reader's zone with its distance from UTC."""
    offset = timezone.localtime().strftime("%z")
    return f"{timezone.get_current_timezone_name()} (UTC{offset[:3]}:{offset[3:]})"


def _preset(day: datetime.date, hour: int, name: str) -> Preset:
    local = datetime.datetime.combine(day, datetime.time(hour))
    return Preset(local.strftime(FORMAT), name, shown(int(timezone.make_aware(local).timestamp()) * 1_000_000))


def _moment(us: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(us / 1_000_000, datetime.UTC)
