"""Rows of 恢复误删邮件 as HTML: the look of the mail list, with when a mail was deleted in the place of when it came."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from django.utils import formats
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from mailstore.message.scan import Attribute
from mailstore.selectors.recoverable import RecoverableRow
from webmail.rows import Rows


class RecoveryRows(Rows):
    """Renders the rows of one page, grouped by the day of deletion. A row is the label of its checkbox."""

    def __init__(self) -> None:
        super().__init__()
        self.words |= {"deleted": _("Deleted"), "sent": _("Date"), "recipients": _("To")}

    def render_recoverable(self, rows: Iterable[RecoverableRow]) -> SafeString:
        """All rows with their day headings."""
        html: list[str] = []
        heading = ""
        for row in rows:
            deleted_at = self._at(row.deleted_us)
            group = self.group(deleted_at.date())
            if group != heading:
                heading = group
                html.append(f'<li class="day"><h2>{escape(group)}</h2></li>')
            html.append(self._recoverable(row, deleted_at))
        return mark_safe("".join(html))  # noqa: S308 - escaped piece by piece

    def _recoverable(self, row: RecoverableRow, deleted_at: datetime.datetime) -> str:
        words, entry = self.words, row.entry_id
        subject = escape(row.subject) or words["subject"]
        who = escape(row.sender_name or row.sender_address) or words["sender"]
        to = escape(row.recipients) or words["nobody"]
        sent_at = self._at(row.sort_us)
        preview = f'<span class="row-preview">{escape(row.preview)}</span>' if row.preview else ""
        return (
            f'<li class="row" data-id="{entry}" id="e{entry}">'
            f'<span class="row-check"><input type="checkbox" name="ids" value="{entry}" id="c{entry}" '
            f'aria-label="{words["select"]}: {subject}"></span>'
            f'<label class="row-link" for="c{entry}">'
            f'<span class="row-who"><b>{who}</b></span>'
            f'<time datetime="{deleted_at.isoformat(timespec="seconds")}">'
            f'<span class="visually-hidden">{words["deleted"]}: </span>{self._deleted(deleted_at)}</time>'
            f'<span class="row-to"><span class="row-key">{words["recipients"]}: </span>{to}</span>'
            f'<span class="row-text"><span class="row-subject">{subject}</span>{preview}{self._clip(row)}</span>'
            f'<span class="row-sent"><span class="row-key">{words["sent"]}: </span>'
            f'<time datetime="{sent_at.isoformat(timespec="seconds")}">{sent_at:%Y-%m-%d %H:%M}</time></span>'
            "</label></li>"
        )

    def _deleted(self, at: datetime.datetime) -> str:
        """The day too, where the heading doesn't say it: whoever looks for a mail knows when he lost it."""
        if at.date() >= self.today - datetime.timedelta(days=1):
            return self.when(at)
        return f"{escape(formats.date_format(at, _('j M')))} {at:%H:%M}"

    def _at(self, us: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(us / 1e6, self.zone)

    def _clip(self, row: RecoverableRow) -> str:
        if not row.attributes & Attribute.ATTACHMENT:
            return ""
        word = self.words["attachment"]
        return f' <svg class="icon" role="img" aria-label="{word}"><use href="#i-paperclip"/></svg>'
