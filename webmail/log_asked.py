"""What the address of a log page asks for: a period, a page, a state; nonsense counts as not asked."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from mailstore.selectors.list_row import UNCOUNTED
from mta.selectors.log_pages import Key, LogPage, Where, parse_key

SIZE = 20
"""Lines of a page (18.1.1 of the manual)."""
MAX_PAGE = 100_000


@dataclasses.dataclass(slots=True)
class LogAsked:
    """`since` and `until` are days of the reader's zone, the last one included. What is behind `counted` is known after
    the look-up."""

    since: str = ""
    until: str = ""
    state: str = ""
    mine: bool = False
    number: int = 1
    after: Key | None = None
    before: Key | None = None
    pages: int = 1
    """0: more than are counted."""
    previous: str = ""
    """The query of the page before; empty where there is none."""
    next: str = ""

    @classmethod
    def of(cls, request: HttpRequest, *, states: frozenset[str] = frozenset()) -> LogAsked:
        """From the query of a page."""
        page = request.GET.get("page", "1")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1
        state = request.GET.get("state", "")
        return cls(
            since=_day(request.GET.get("since", "")),
            until=_day(request.GET.get("until", "")),
            state=state if state in states else "",
            mine="mine" in request.GET,
            number=max(1, min(number, MAX_PAGE)),
            after=parse_key(request.GET.get("after", "")),
            before=parse_key(request.GET.get("before", "")),
        )

    @property
    def period(self) -> tuple[datetime.datetime | None, datetime.datetime | None]:
        """From the first moment of `since` to the last of `until`."""
        until = _midnight(self.until)
        return _midnight(self.since), until + datetime.timedelta(days=1) if until else None

    @property
    def where(self) -> Where:
        """Which page."""
        return Where(self.number, self.after, self.before)

    def counted(self, page: LogPage[Any]) -> None:
        """The page that was asked for."""
        asked = self.number
        self.pages = max(1, -(-page.total // SIZE)) if page.total != UNCOUNTED else 0
        self.number = 1  # wherever it was when its address was made
        if page.previous is not None:
            self.number = max(2, min(asked, self.pages) if self.pages else asked)
            self.previous = self._page(1)
            if self.number > 2:
                self.previous = self._page(self.number - 1, before=page.previous)
        if page.next is not None:
            self.next = self._page(self.number + 1, after=page.next)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What another page of the same list asks for too."""
        given = [
            ("state", self.state),
            ("since", self.since),
            ("until", self.until),
            ("mine", "1" if self.mine else ""),
        ]
        return [(name, value) for name, value in given if value]

    def _page(self, number: int, **keys: Key) -> str:
        at = [(name, ".".join(map(str, key))) for name, key in keys.items()]
        return f"?{urlencode([*self.kept, ('page', number), *at])}"


def _day(text: str) -> str:
    try:
        day = datetime.date.fromisoformat(text[:10])
    except ValueError:
        return ""
    return day.isoformat() if 1970 < day.year < 9000 else ""


def _midnight(day: str) -> datetime.datetime | None:
    if not day:
        return None
    return timezone.make_aware(datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time()))
