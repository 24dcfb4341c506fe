"""A mail as a page: what `mailstore.message.read` found, put into the words, links and cards of the reading pane.

The HTML of a mail never stands in our own page. It is cleaned here and sent from its own URL into a frame without
scripts; pictures come through `picture_url`, signed for this one mail, so that the proxy fetches nothing else.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import hmac
import re
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from core.crypto import keyed_hash
from documents.filetype import icon_kind, safe_filename
from documents.html.clean import CleanHtml, clean_for_reading
from mailstore.message import Address, Part, Readable
from mailstore.models import Flag, Role
from webmail import plain_text
from webmail.people import Face, faces

VIEWABLE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"})
"""Raster pictures: the only types a browser shows from our own address."""
_COLOURED = re.compile(r"(?i)\b(?:bgcolor|background|color)\b\s*[=:]")


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """An attachment as the page shows it."""

    number: str
    filename: str
    size_bytes: int
    kind: str
    """Names the colour of the type."""
    label: str
    """Three or four letters on the icon."""
    is_viewable: bool
    is_message: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """The text of a mail: either `is_html` and shown in a frame, or blocks of plain text."""

    is_html: bool
    blocks: list[plain_text.Block]
    blocked_images: int = 0
    trackers: int = 0
    is_truncated: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """The frame's document: cleaned HTML, and whether it may follow the dark theme."""

    html: str
    follows_theme: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """One mail, opened."""

    subject: str
    sender: Face
    to: list[Face]
    cc: list[Face]
    bcc: list[Face]
    reply_to: list[Face]
    sent_at: datetime.datetime | None
    sender_clock: str
    """The time where the sender is, when that is another zone than the reader's."""
    body: Body
    cards: list[Card]
    files_bytes: int
    high_priority: bool
    receipt_to: list[Face]

    @property
    def recipients_line(self) -> str:
        """ "To: me, Anna; Cc: Bob", at most a few names."""
        shown = [_("To: %s") % _names(self.to)] if self.to else []
        if self.cc:
            shown.append(_("Cc: %s") % _names(self.cc))
        if self.bcc:
            shown.append(_("Bcc: %s") % _names(self.bcc))
        return _("; ").join(shown) or _("No recipients")

    @property
    def answer_to(self) -> str:
        """Whom an answer goes to, as in `webmail.answering`: one's own mail goes on to its recipients."""
        return _names(self.to if self.sender.is_me and self.to else self.reply_to or [self.sender])


def opened(readable: Readable, *, entry_id: int, mine: frozenset[str], images: bool) -> Opened:
    """Everything of a mail but its HTML, which `sheet` makes."""
    own = functools.partial(faces, mine=mine)
    files = [each for each in readable.attachments if not each.inline or not readable.html]
    sender = own(readable.from_ or readable.sender or (Address(_("Unknown sender"), ""),))[0]
    return Opened(
        subject=readable.subject.strip() or _("(no subject)"),
        sender=sender,
        to=own(readable.to),
        cc=own(readable.cc),
        bcc=own(readable.bcc),
        reply_to=[each for each in own(readable.reply_to) if each.address.lower() != sender.address.lower()],
        sent_at=readable.date,
        sender_clock=_sender_clock(readable.date),
        body=_body(readable, entry_id, images=images),
        cards=[_card(each) for each in files],
        files_bytes=sum(each.size_bytes for each in files),
        high_priority=readable.high_priority,
        receipt_to=own(readable.receipt_to),
    )


def sheet(readable: Readable, *, entry_id: int, images: bool) -> Sheet:
    """The cleaned HTML of a mail for its frame; remote pictures only when `images`."""
    source = readable.html or ""
    return Sheet(_clean(source, entry_id, images=images).html, follows_theme=not _COLOURED.search(source))


def picture_url(entry_id: int, url: str) -> str:
    """Our own address for a remote picture of this mail."""
    encoded = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    query = urlencode({"u": encoded, "s": _signature(entry_id, url)})
    return f"{reverse('message_image', args=[entry_id])}?{query}"


def picture_source(entry_id: int, encoded: str, signature: str) -> str | None:
    """The remote address in a link made by `picture_url`, or None when we didn't make it for this mail."""
    try:
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None
    genuine = hmac.compare_digest(_signature(entry_id, url).encode(), signature.encode())
    return url if genuine else None


def shows_images(role: str, *, asked: bool, trusted: bool) -> bool:
    """Remote pictures are shown once asked for or for a trusted sender, and never in Junk."""
    return (asked or trusted) and role != Role.JUNK


def short_date(at: datetime.datetime) -> str:
    """Today's time, this year's day, or the full day, in the reader's zone."""
    local = timezone.localtime(at)
    now = timezone.localtime()
    if local.date() == now.date():
        return _("Today %s") % formats.date_format(local, "H:i")
    if local.date() == now.date() - datetime.timedelta(days=1):
        return _("Yesterday %s") % formats.date_format(local, "H:i")
    return formats.date_format(local, _("j M H:i") if local.year == now.year else _("j M Y H:i"))


def full_date(at: datetime.datetime) -> str:
    """The whole date with its weekday and zone, in the reader's zone."""
    local = timezone.localtime(at)
    shown = formats.date_format(local, _("l, j F Y H:i:s"))
    return f"{shown} ({_offset(local)})"


def at_us(microseconds: int) -> datetime.datetime:
    """A stored time as an aware datetime."""
    return datetime.datetime.fromtimestamp(microseconds / 1_000_000, tz=datetime.UTC)


def flag_names(flags: int) -> dict[str, bool]:
    """Flags by the names that templates use."""
    return {flag.name.lower(): bool(flags & flag) for flag in Flag if flag.name}


def _body(readable: Readable, entry_id: int, *, images: bool) -> Body:
    if readable.html is None:
        return Body(False, plain_text.blocks(readable.text or ""), is_truncated=readable.is_truncated)
    clean = _clean(readable.html, entry_id, images=images)
    return Body(True, [], clean.blocked_images, clean.trackers, readable.is_truncated)


def _clean(source: str, entry_id: int, *, images: bool) -> CleanHtml:
    def part_url(content_id: str) -> str:
        return f"{reverse('message_cid', args=[entry_id])}?{urlencode({'cid': content_id})}"

    def image_url(url: str) -> str:
        return picture_url(entry_id, url)

    return clean_for_reading(source, part_url=part_url, image_url=image_url if images else None)


def _signature(entry_id: int, url: str) -> str:
    return keyed_hash("mail-picture", f"{entry_id} {url}".encode()).hex()[:32]


def _card(each: Part) -> Card:
    filename = safe_filename(each.filename)
    stem, dot, extension = filename.rpartition(".")
    label = (
        extension
        if dot and stem and len(extension) <= 4 and extension.isalnum()
        else each.content_type.rpartition("/")[2]
    )
    return Card(
        number=each.number,
        filename=filename,
        size_bytes=each.size_bytes,
        kind=icon_kind(each.content_type, filename),
        label=label[:4].upper(),
        is_viewable=each.content_type in VIEWABLE,
        is_message=each.content_type == "message/rfc822",
    )


def _names(people: list[Face]) -> str:
    shown = _(", ").join(person.short for person in people[:3])
    return _("%(names)s and %(count)d more") % {"names": shown, "count": len(people) - 3} if len(people) > 3 else shown


def _sender_clock(at: datetime.datetime | None) -> str:
    if at is None or at.utcoffset() == timezone.localtime(at).utcoffset() or not at.utcoffset():
        return ""
    return formats.date_format(at, "H:i")


def _offset(local: datetime.datetime) -> str:
    return f"UTC{local:%z}"[:-2] + ":" + f"{local:%z}"[-2:]
