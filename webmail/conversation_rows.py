"""Rows of conversations: who took part, how many mails, the newest of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from mailstore.selectors.conversations import ConversationRow
from webmail.rows import Line, Rows

MAX_NAMES = 3


class ConversationRows(Rows):
    """Renders one page of them with day headings."""

    def render_conversations(self, rows: Iterable[ConversationRow], *, folder_id: int, me: str) -> SafeString:
        """`me` is the name of the mailbox's own person; `current` is a conversation here."""
        html: list[str] = []
        heading = ""
        base = reverse("conversation", args=[folder_id, 0]).removesuffix("0/")
        for row in rows:
            at = datetime.datetime.fromtimestamp(row.last_us / 1e6, self.zone)
            group = self.group(at.date())
            if group != heading:
                heading = group
                html.append(f'<li class="day"><h2>{escape(group)}</h2></li>')
            html.append(self.line(row.newest, at, self._line(row, f"{base}{row.thread_id}/", me)))
        return mark_safe("".join(html))  # noqa: S308 - escaped piece by piece

    def _line(self, row: ConversationRow, url: str, me: str) -> Line:
        is_starred = row.starred > 0
        star = (
            f'name="unstar_thread" value="{row.thread_id}"'
            if is_starred
            else f'name="star" value="{row.newest.entry_id}"'
        )
        return Line(
            id=f"t{row.thread_id}",
            key=row.thread_id,
            box="threads",
            url=url,
            who=self._people(row, me),
            count=row.total,
            is_new=row.unread > 0,
            is_current=row.thread_id == self.current,
            is_starred=is_starred,
            star=star,
        )

    def _people(self, row: ConversationRow, me: str) -> str:
        """The first and the last of them; oneself as "me"."""
        if self.by_recipient or row.total < 2 or not row.participants:
            return f"<b>{self._who(row.newest)}</b>"
        names = [_("me") if name == me else name for name in row.participants]
        if len(names) > MAX_NAMES:
            names = [names[0], "…", *names[-(MAX_NAMES - 1) :]]
        if len(names) > 1:
            names = [name if name == "…" else _short(name) for name in names]
        return f"<b>{escape(_(', ').join(names).replace('…' + _(', '), '… '))}</b>"


def _short(name: str) -> str:
    """A given name where names have spaces; Chinese names are short already."""
    first = name.split(" ", 1)[0].rstrip(",")
    return first if first and "@" not in name else name.partition("@")[0]
