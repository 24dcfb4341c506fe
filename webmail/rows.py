"""Rows of a list as HTML, by one function: a template costs fifty times as much.

Everything of a mail passes `escape`; nothing else here comes from outside.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from mailstore.message.scan import Attribute
from mailstore.models import Flag, Role
from mailstore.search.excerpt import Marks, spans
from mailstore.selectors.lists import ListRow

SEEN, FLAGGED, ANSWERED, FORWARDED = int(Flag.SEEN), int(Flag.FLAGGED), int(Flag.ANSWERED), int(Flag.FORWARDED)
ATTACHMENT, HIGH_PRIORITY = int(Attribute.ATTACHMENT), int(Attribute.HIGH_PRIORITY)
"""Plain numbers: an enum's `&` costs as much as a cell."""
BY_RECIPIENT = frozenset({Role.SENT, Role.DRAFTS})
"""Folders whose rows name whom a mail is to."""


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
    ) -> None:
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
            "to": _("To: "),
        }
        self._urls: dict[int, str] = {}

    def render(self, rows: Iterable[ListRow]) -> SafeString:
        """All rows with their day headings."""
        html: list[str] = []
        heading = ""
        for row in rows:
            at = datetime.datetime.fromtimestamp(row.sort_us / 1e6, self.zone)
            group = self.group(at.date())
            if group != heading:
                heading = group
                html.append(f'<li class="day"><h2>{escape(group)}</h2></li>')
            html.append(self.row(row, at))
        return mark_safe("".join(html))  # noqa: S308 - escaped piece by piece

    def row(self, row: ListRow, at: datetime.datetime) -> str:
        """One row."""
        words, entry = self.words, row.entry_id
        is_new = not row.flags & SEEN
        is_starred = bool(row.flags & FLAGGED)
        subject = self._marked(row.subject, self.marks.subject) or words["subject"]
        name = escape(row.subject) or words["subject"]
        who = self._who(row)
        marks, count_marks = self._marks(row)
        classes = "row" + " is-new" * is_new + " is-on" * (entry == self.current)
        classes += f" marks-{count_marks + is_starred}" * (count_marks + is_starred > 0)
        count = f'<span class="row-n">{row.thread_count}</span>' if row.thread_count > 1 else ""
        unread = f'<span class="visually-hidden">{words["unread"]}: </span>' if is_new else ""
        url = self._url(row)
        here = ' aria-current="true"' if entry == self.current else ""
        preview = self.excerpts.get(entry, row.preview)
        preview = self._marked(preview, self.marks.text)
        preview = f'<span class="row-preview">{preview}</span>' if preview else ""
        return (
            f'<li class="{classes}" data-id="{entry}" id="e{entry}">'
            f'<label class="row-check"><input type="checkbox" name="ids" value="{entry}" '
            f'aria-label="{words["select"]}: {name}"></label>'
            f'<a class="row-link" href="{url}" draggable="true"{here}>'
            f'<span class="row-who">{unread}<b>{who}</b>{count}</span>'
            f'<time datetime="{at.isoformat(timespec="seconds")}">{self.when(at)}</time>'
            f'<span class="row-text">{self._place(row)}{self._priority(row)}'
            f'<span class="row-subject">{subject}</span>{preview}</span></a>'
            f'<span class="row-marks">{marks}'
            f'<button class="row-star{" is-on" * is_starred}" name="{"unstar" if is_starred else "star"}" value="{entry}" '
            f'aria-pressed="{"true" if is_starred else "false"}" aria-label="{words["star"]}" title="{words["star"]}">'
            f'<svg class="icon" aria-hidden="true"><use href="#i-star"/></svg></button></span></li>'
        )

    def when(self, at: datetime.datetime) -> str:
        """The time as far as its day heading leaves it open."""
        day = at.date()
        if day >= self.today - datetime.timedelta(days=1):
            return at.strftime("%H:%M")
        if day >= self.monday:
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

    def _place(self, row: ListRow) -> str:
        name = (self.folder_names or {}).get(row.folder_id)
        return f'<span class="row-folder">{escape(name)}</span>' if name else ""

    def _url(self, row: ListRow) -> str:
        """`reverse` once for each folder; the entry's id stands at the end."""
        if row.folder_id not in self._urls:
            self._urls[row.folder_id] = reverse("message", args=[row.folder_id, 0]).removesuffix("0/")
        return f"{self._urls[row.folder_id]}{row.entry_id}/"
