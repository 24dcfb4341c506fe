"""Rows of a list as HTML, by one function: a template costs fifty times as much.

Everything of a mail passes `escape`; nothing else here comes from outside.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterable, Sequence
from html import escape

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from mailstore.message.scan import Attribute
from mailstore.models import Flag, Role
from mailstore.search.excerpt import Marks, spans
from mailstore.selectors.lists import ListRow
from webmail.labels import Label, carried

SEEN, FLAGGED, ANSWERED, FORWARDED = int(Flag.SEEN), int(Flag.FLAGGED), int(Flag.ANSWERED), int(Flag.FORWARDED)
ATTACHMENT, HIGH_PRIORITY = int(Attribute.ATTACHMENT), int(Attribute.HIGH_PRIORITY)
"""Plain numbers: an enum's `&` costs as much as a cell."""
BY_RECIPIENT = frozenset({Role.SENT, Role.DRAFTS})
"""Folders whose rows name whom a mail is to."""
MAX_CHIPS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """In what the row of a mail and that of a conversation differ. `who` and `star` are HTML."""

    id: str
    key: int
    box: str
    url: str
    who: str
    count: int
    is_new: bool
    is_current: bool
    is_starred: bool
    star: str


class Rows:
    """Renders the rows of one page. Words, zone and the day are looked up once."""

    def __init__(
        self,
        *,
        role: str = "",
        current: int = 0,
        folder_names: dict[int, str] | None = None,
        marks: Marks | None = None,
        excerpts: dict[int, str] | None = None,
        labels: Sequence[Label] = (),
        todo: dict[int, bool] | None = None,
        states: dict[int, str] | None = None,
        by_day: bool = True,
    ) -> None:
        self.by_day = by_day
        self.labels = labels
        self.todo = todo or {}
        self.states = states or {}
        self.marks = marks or Marks(None, None, None)
        self.excerpts = excerpts or {}
        self.by_recipient = role in BY_RECIPIENT
        self.role = role
        self.current = current
        self.folder_names = folder_names
        self.now = timezone.localtime()
        self.today = self.now.date()
        self.monday = self.today - datetime.timedelta(days=self.today.weekday())
        self.zone = timezone.get_current_timezone()
        self.words = {
            "unread": _("Unread"),
            "star": _("Star"),
            "select": _("Select"),
            "nobody": _("(no recipient)"),
            "sender": _("(unknown sender)"),
            "subject": _("(no subject)"),
            "attachment": _("Has attachments"),
            "answered": _("Answered"),
            "forwarded": _("Forwarded"),
            "priority": _("High priority"),
            "todo": _("To do"),
            "done": _("Completed"),
            "to": _("To: "),
        }
        self._urls: dict[int, str] = {}
        self._chips: dict[int, str] = {}

    def render(self, rows: Iterable[ListRow]) -> SafeString:
        """All rows, with day headings when they are in the order of days."""
        html: list[str] = []
        day, heading = None, ""
        for row in rows:
            at = datetime.datetime.fromtimestamp(row.sort_us / 1e6, self.zone)
            if self.by_day and at.date() != day:
                day = at.date()
                group = self.group(day)
                if group != heading:
                    heading = group
                    html.append(f'<li class="day"><h2>{escape(group)}</h2></li>')
            html.append(self.row(row, at))
        return mark_safe("".join(html))  # noqa: S308 - escaped piece by piece

    def row(self, row: ListRow, at: datetime.datetime) -> str:
        """One row."""
        entry, is_starred = row.entry_id, bool(row.flags & FLAGGED)
        return self.line(
            row,
            at,
            Line(
                id=f"e{entry}",
                key=entry,
                box="ids",
                url=self._url(row),
                who=f"<b>{self._who(row)}</b>",
                count=row.thread_count,
                is_new=not row.flags & SEEN,
                is_current=entry == self.current,
                is_starred=is_starred,
                star=f'name="{"unstar" if is_starred else "star"}" value="{entry}"',
            ),
        )

    def line(self, row: ListRow, at: datetime.datetime, line: Line) -> str:
        """The HTML of a row or of a conversation."""
        words = self.words
        subject = self._marked(row.subject, self.marks.subject) or words["subject"]
        name = escape(row.subject) or words["subject"]
        marks, count_marks = self._marks(row)
        count_marks += line.is_starred
        classes = "row" + " is-new" * line.is_new + " is-on" * line.is_current
        classes += f" marks-{min(count_marks, 5)}" * (count_marks > 0)
        count = f'<span class="row-n">{line.count}</span>' if line.count > 1 else ""
        unread = f'<span class="visually-hidden">{words["unread"]}: </span>' if line.is_new else ""
        here = ' aria-current="true"' if line.is_current else ""
        preview = self._marked(self.excerpts.get(row.entry_id, row.preview), self.marks.text)
        preview = f'<span class="row-preview">{preview}</span>' if preview else ""
        return (
            f'<li class="{classes}" data-id="{line.key}" id="{line.id}">'
            f'<label class="row-check"><input type="checkbox" name="{line.box}" value="{line.key}" '
            f'aria-label="{words["select"]}: {name}"></label>'
            f'<a class="row-link" href="{line.url}" draggable="true"{here}>'
            f'<span class="row-who">{unread}{line.who}{count}</span>'
            f'<time datetime="{at.isoformat(timespec="seconds")}">{self.when(at)}</time>'
            f'<span class="row-text">{self._state(row)}{self._priority(row)}{self._labels(row)}'
            f'<span class="row-subject">{subject}</span>{preview}</span></a>'
            f'<span class="row-marks">{marks}'
            f'<button class="row-star{" is-on" * line.is_starred}" {line.star} '
            f'aria-pressed="{"true" if line.is_starred else "false"}" aria-label="{words["star"]}" title="{words["star"]}">'
            f'<svg class="icon" aria-hidden="true"><use href="#i-star"/></svg></button></span></li>'
        )

    def when(self, at: datetime.datetime) -> str:
        """The time as far as its day heading leaves it open."""
        day = at.date()
        if day >= self.today - datetime.timedelta(days=self.by_day):
            return at.strftime("%H:%M")
        if day >= self.monday and self.by_day:
            return escape(formats.date_format(at, "D"))
        if day.year == self.today.year:
            return escape(formats.date_format(at, _("j M")))
        return at.strftime("%Y-%m-%d")

    def group(self, day: datetime.date) -> str:
        """Today, yesterday, this week, last week, earlier; in the reader's zone."""
        if day >= self.today:
            return _("Today")
        if day == self.today - datetime.timedelta(days=1):
            return _("Yesterday")
        if day >= self.monday:
            return _("This week")
        return _("Last week") if day >= self.monday - datetime.timedelta(days=7) else _("Earlier")

    def _who(self, row: ListRow) -> str:
        if self.by_recipient or (self.role == "" and not row.sender_address and row.recipients):
            return self._person(row.recipients) or self.words["nobody"]
        return self._person(row.sender_name or row.sender_address) or self.words["sender"]

    def _person(self, text: str) -> str:
        return self._marked(text, self.marks.people)

    def _marked(self, text: str, wanted: re.Pattern[str] | None) -> str:
        """Escaped, with what was searched for marked."""
        if wanted is None:
            return escape(text)
        pieces, at = [], 0
        for start, end in spans(wanted, text):
            pieces += [escape(text[at:start]), f"<mark>{escape(text[start:end])}</mark>"]
            at = end
        return "".join([*pieces, escape(text[at:])])

    def _marks(self, row: ListRow) -> tuple[str, int]:
        """The icons of a row, and how many they are: the text beside them leaves room."""
        marks = [
            ("attachment", "paperclip", row.attributes & ATTACHMENT),
            ("answered", "reply", row.flags & ANSWERED),
            ("forwarded", "forward", row.flags & FORWARDED),
        ]
        if self.todo and row.entry_id in self.todo:
            word = "done" if self.todo[row.entry_id] else "todo"
            marks.append((word, word, 1))
        shown = [
            f'<svg class="icon" role="img" aria-label="{self.words[word]}"><use href="#i-{icon}"/></svg>'
            for word, icon, holds in marks
            if holds
        ]
        return "".join(shown), len(shown)

    def _priority(self, row: ListRow) -> str:
        if not row.attributes & HIGH_PRIORITY:
            return ""
        word = self.words["priority"]
        return f'<span class="row-urgent" title="{word}"><span aria-hidden="true">!</span><span class="visually-hidden">{word}</span></span>'

    def _state(self, row: ListRow) -> str:
        """How far a mail is that lies among the drafts and has been sent; else where it lies."""
        words = self.states.get(row.entry_id)
        return f'<span class="row-state">{escape(words)}</span>' if words else self._place(row)

    def _place(self, row: ListRow) -> str:
        name = (self.folder_names or {}).get(row.folder_id)
        return f'<span class="row-folder">{escape(name)}</span>' if name else ""

    def _labels(self, row: ListRow) -> str:
        """The chips of a mail's labels; the keyword bits of one list are few, so each combination is made once."""
        if not (row.keywords and self.labels):
            return ""
        if row.keywords not in self._chips:
            found = carried(self.labels, row.keywords)
            chips = [
                f'<span class="label label-{each.colour}">{escape(each.name)}</span>' for each in found[:MAX_CHIPS]
            ]
            if len(found) > MAX_CHIPS:
                rest = ", ".join(each.name for each in found[MAX_CHIPS:])
                chips.append(f'<span class="label label-grey" title="{escape(rest)}">+{len(found) - MAX_CHIPS}</span>')
            self._chips[row.keywords] = "".join(chips)
        return self._chips[row.keywords]

    def _url(self, row: ListRow) -> str:
        """`reverse` once for each folder; the entry's id stands at the end."""
        if row.folder_id not in self._urls:
            self._urls[row.folder_id] = reverse("message", args=[row.folder_id, 0]).removesuffix("0/")
        return f"{self._urls[row.folder_id]}{row.entry_id}/"
