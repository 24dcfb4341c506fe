"""What the address of a list asks for: conditions, order, place. The address is the whole state: it can be shared, and
Back goes to what was seen before. Nonsense counts as not asked."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from core.errors import MailError
from mailstore.selectors.list_position import key_of_moment
from mailstore.selectors.lists import NATURAL, By, Filter, Key, Sort

SHOWN = ("unread", "read", "starred", "attachment", "todo")
"""Values of `show`, by the names of `Filter`."""
ORDERS = {"date": By.DATE, "sender": By.SENDER, "subject": By.SUBJECT, "size": By.SIZE}
"""Values of `sort`; with a hyphen in front the other way round."""
MAX_PAGE = 1_000_000
MAX_ADDRESS_CHARS = 320
Pairs = list[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """The conditions (`show`, `label`, `sender`, `since` and `until` with both days), the order (None: as remembered),
    and where the page begins: by number, key or day."""

    show: tuple[str, ...] = ()
    label: int | None = None
    sender: str = ""
    since: datetime.date | None = None
    until: datetime.date | None = None
    sort: Sort | None = None
    number: int = 1
    after: str = ""
    before: str = ""
    day: datetime.date | None = None
    query: str = ""
    """As it was asked."""

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        """From an address."""
        shown = {part for value in query.getlist("show") for part in value.split(",")}
        label, text = query.get("label", ""), query.get("page", "1")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
        return cls(
            show=tuple(name for name in SHOWN if name in shown),
            label=int(label) if label.isascii() and label.isdigit() and len(label) < 19 else None,
            sender=query.get("from", "").replace("\0", "").strip()[:MAX_ADDRESS_CHARS],
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
            sort=sort_of(query.get("sort", "")),
            number=max(1, min(number, MAX_PAGE)),
            after=query.get("after", ""),
            before=query.get("before", ""),
            day=_day(query.get("date", "")),
            query=query.urlencode(),
        )

    @property
    def filter(self) -> Filter:
        """The conditions for the store, days being those of the reader's zone."""
        return Filter(
            **dict.fromkeys(self.show, True),  # type: ignore[arg-type]
            label=self.label,
            sender=self.sender,
            since_us=_midnight(self.since),
            until_us=_midnight(self.until, days=1),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return self.filter != Filter()

    def key(self, name: str, sort: Sort) -> Key | None:
        """`after` or `before` as a key of this order."""
        text = self.after if name == "after" else self.before
        try:
            key = Key.parse(text) if text else None
            if key is not None:
                key.require(sort)
        except MailError:
            return None
        return key

    def moment(self, sort: Sort) -> Key | None:
        """Where the day that is jumped to begins, in a list by date."""
        if self.day is None or sort.by is not By.DATE:
            return None
        at_us = _midnight(self.day, days=0 if sort.reverse else 1) or 0
        return key_of_moment(at_us if sort.reverse else at_us - 1, oldest_first=sort.reverse)

    def pairs(self, *, without: Sequence[str] = (), **given: Any) -> Pairs:
        """The query of this list's state without a place in it; `given` comes on top, `without` goes."""
        kept: list[tuple[str, Any]] = [("show", name) for name in self.show]
        kept += [("label", self.label), ("from", self.sender), ("since", self.since), ("until", self.until)]
        kept += [("sort", name_of(self.sort) if self.sort else None)]
        left = {*without, *given}
        found = [(name, str(value)) for name, value in kept if value not in {None, ""} and name not in left]
        return found + [(name, str(value)) for name, value in given.items() if value is not None]

    def link(self, address: str, *, without: Sequence[str] = (), **given: Any) -> str:
        """An address of this list in another state."""
        pairs = self.pairs(without=without, **given)
        return f"{address}?{urlencode(pairs)}" if pairs else address

    def without_show(self, name: str) -> Asked:
        """One of `show` less."""
        return dataclasses.replace(self, show=tuple(each for each in self.show if each != name))

    def address(self, address: str) -> str:
        """Where a script asks for this page again."""
        return f"{address}?{self.query}" if self.query else address


def sort_of(text: str) -> Sort | None:
    """The order of this name; None for nonsense."""
    by = ORDERS.get(text.removeprefix("-"))
    return Sort(by, reverse=text.startswith("-")) if by else None


def name_of(sort: Sort) -> str:
    """The way back."""
    return "-" * sort.reverse + next(name for name, by in ORDERS.items() if by is sort.by)


def effective(asked: Asked, remembered: str) -> Sort:
    """The order that the address asks for, else the one that is remembered for the folder."""
    return asked.sort or sort_of(remembered) or NATURAL


def _day(text: str) -> datetime.date | None:
    try:
        found = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2200 else None


def _midnight(day: datetime.date | None, *, days: int = 0) -> int | None:
    """The beginning of a day in the reader's zone, or of one some days later, in microseconds since 1970."""
    if day is None:
        return None
    later = datetime.datetime.combine(day + datetime.timedelta(days=days), datetime.time.min)
    return int(timezone.make_aware(later).timestamp()) * 1_000_000
