"""What an answer starts with: recipients, subject, the quoted original and the threading fields.

The words above a quote follow the language of the mail that is answered, not of the reader's pages.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterable

from django.utils import formats, timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from documents.html.send import clean_for_sending
from documents.html.text import html_to_text
from mailstore.message import Address, Readable, format_address, parse_address_list
from mailstore.models import Draft

MAX_QUOTE_CHARS = 400_000
"""A longer original is quoted up to here; it can still be forwarded as an attachment."""
MAX_REFERENCES = 100

# Every way that mail programs here and abroad write "Re:" and "Fw:", counters and full-width colons included.
_REPLY = r"re|aw|sv|antw|vs|rif|odp|ynt|回复|答复|回覆|答覆|回信"
_FORWARD = r"fwd?|wg|tr|rv|enc|i|转发|轉寄|轉發|转寄"
_REPLY_PREFIX = re.compile(rf"^\s*(?:(?:{_REPLY})\s*(?:[\[(（]\d+[\])）]|\^\d+)?\s*[:：]\s*)+", re.IGNORECASE)
_FORWARD_PREFIX = re.compile(rf"^\s*(?:(?:{_FORWARD})\s*(?:[\[(（]\d+[\])）])?\s*[:：]\s*)+", re.IGNORECASE)
_QUOTE_STYLE = "margin:0 0 0 6px;border-left:2px solid #c4cad6;padding-left:12px"
_CJK = re.compile(r"[\u4e00-\u9fff]")


@dataclasses.dataclass(frozen=True, slots=True)
class Prefill:
    """The start of a draft."""

    mode: str
    identity: str
    to: str = ""
    cc: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    is_plain: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Mine:
    """The reader's own addresses, lower-cased, and the one to write from when nothing tells otherwise."""

    addresses: frozenset[str]
    default: str


def answer(readable: Readable, *, mode: str, mine: Mine, matched: str = "") -> Prefill:
    """The prefilled draft of a reply, reply to all or forward. `matched`: our address that the envelope named."""
    identity = identity_for(readable, mine, matched)
    is_plain = readable.html is None
    quote = _quote(readable, mode)
    to: list[Address] = []
    cc: list[Address] = []
    if mode == Draft.Mode.FORWARD:
        subject = forward_subject(readable.subject)
    else:
        to, cc = recipients(readable, mode=mode, mine=mine)
        subject = reply_subject(readable.subject)
    return Prefill(
        mode=mode,
        identity=identity,
        to=joined(to),
        cc=joined(cc),
        subject=subject,
        html="" if is_plain else quote,
        text=quote if is_plain else "",
        is_plain=is_plain,
    )


def repeat(readable: Readable, *, mine: Mine) -> Prefill:
    """The same mail once more, to be changed and sent as a new one."""
    is_plain = readable.html is None
    return Prefill(
        mode=Draft.Mode.NEW,
        identity=identity_for(readable, mine, ""),
        to=joined(readable.to),
        cc=joined(readable.cc),
        subject=readable.subject,
        html="" if is_plain else clean_for_sending(readable.html or ""),
        text=readable.text or "" if is_plain else "",
        is_plain=is_plain,
    )


def recipients(readable: Readable, *, mode: str, mine: Mine) -> tuple[list[Address], list[Address]]:
    """To and Cc of an answer (RFC 5322 3.6.3), never with an own address unless nobody else is left."""
    sent_by_me = any(each.address.lower() in mine.addresses for each in readable.from_)
    first = list(readable.to) if sent_by_me else list(readable.reply_to or readable.from_ or readable.sender)
    if mode == Draft.Mode.REPLY:
        return _once(first), []
    followup = _followup_to(readable)
    if followup:
        return _without(followup, mine.addresses) or followup, []
    to = first if sent_by_me else [*first, *readable.to]
    others = _without(to, mine.addresses) or _once(first)
    taken = mine.addresses | {each.address.lower() for each in others}
    return others, _without(readable.cc, taken)


def identity_for(readable: Readable, mine: Mine, matched: str) -> str:
    """The own address that the mail was written to, or from."""
    named = [matched, *(each.address for each in (*readable.to, *readable.cc, *readable.from_, *readable.bcc))]
    return next((each.lower() for each in named if each.lower() in mine.addresses), mine.default)


def reply_subject(subject: str) -> str:
    """`Re: ` once, whatever was there."""
    return f"Re: {_REPLY_PREFIX.sub('', subject).strip()}".strip()


def forward_subject(subject: str) -> str:
    """`Fw: ` once, whatever was there."""
    return f"Fw: {_FORWARD_PREFIX.sub('', subject).strip()}".strip()


def references(readable: Readable) -> tuple[str, ...]:
    """The References field of an answer (RFC 5322 3.6.4): the parent's, then the parent itself; long ones lose
    their middle, because the first one names the conversation."""
    own = (readable.message_id,) if readable.message_id else ()
    known = tuple(each for each in readable.references if each not in own) + own
    return known if len(known) <= MAX_REFERENCES else (known[0], *known[-(MAX_REFERENCES - 1) :])


def joined(addresses: Iterable[Address]) -> str:
    """Addresses as they stand in a recipient field."""
    return ", ".join(format_address(each) for each in addresses)


def language_of(readable: Readable) -> str:
    """Chinese when the mail has Chinese in it, else English."""
    sample = f"{readable.subject} {readable.text or html_to_text((readable.html or '')[:20_000])}"
    return "zh-hans" if _CJK.search(sample[:4_000]) else "en"


def _quote(readable: Readable, mode: str) -> str:
    with translation.override(language_of(readable)):
        intro = _forward_intro(readable) if mode == Draft.Mode.FORWARD else [_attribution(readable)]
    if readable.html is None:
        return _quote_text(readable, intro, mode)
    inner = clean_for_sending(readable.html[:MAX_QUOTE_CHARS])
    head = "<br>".join(escape(line) for line in intro)
    if mode == Draft.Mode.FORWARD:
        return f'<p><br></p><div class="gm-quote"><p>{head}</p>{inner}</div>'
    return (
        f'<p><br></p><div class="gm-quote"><p>{head}</p><blockquote style="{_QUOTE_STYLE}">{inner}</blockquote></div>'
    )


def _quote_text(readable: Readable, intro: list[str], mode: str) -> str:
    original = (readable.text or "")[:MAX_QUOTE_CHARS].replace("\r\n", "\n").rstrip("\n")
    head = "\n".join(intro)
    if mode == Draft.Mode.FORWARD:
        return f"\n\n{head}\n\n{original}\n"
    quoted = "\n".join(f">{line}" if line.startswith(">") else f"> {line}" for line in original.split("\n"))
    return f"\n\n{head}\n{quoted}\n"


def _attribution(readable: Readable) -> str:
    who = joined(readable.from_[:1]) or _("Unknown sender")
    if readable.date is None:
        return _("%(who)s wrote:") % {"who": who}
    return _("On %(date)s, %(who)s wrote:") % {"date": _date(readable.date), "who": who}


def _forward_intro(readable: Readable) -> list[str]:
    lines = [
        _("---------- Forwarded message ----------"),
        _("From: %s") % joined(readable.from_),
        _("Date: %s") % (_date(readable.date) if readable.date else ""),
        _("Subject: %s") % readable.subject,
        _("To: %s") % joined(readable.to[:50]),
    ]
    if readable.cc:
        lines.append(_("Cc: %s") % joined(readable.cc[:50]))
    return lines


def _date(at: datetime.datetime) -> str:
    return formats.date_format(timezone.localtime(at), _("D, j M Y, H:i"))


def _followup_to(readable: Readable) -> list[Address]:
    """Mail-Followup-To: where a list wants answers to all to go."""
    values = [value for name, value in readable.headers if name.lower() == "mail-followup-to"]
    return [each for each in parse_address_list(values[0]) if isinstance(each, Address)] if values else []


def _without(addresses: Iterable[Address], taken: frozenset[str] | set[str]) -> list[Address]:
    return [each for each in _once(addresses) if each.address.lower() not in taken]


def _once(addresses: Iterable[Address]) -> list[Address]:
    return list({each.address.lower(): each for each in reversed(list(addresses))}.values())[::-1]
