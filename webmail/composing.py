"""A draft on its way to bytes: checks before sending, pictures by Content-ID, the message itself."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _

from accounts.selectors import Identity
from core.access import Access
from core.errors import ErrorKind, MailError
from documents.html.send import clean_for_sending
from documents.html.text import html_to_text
from mailstore.message import Address, Invalid, Outgoing, OutgoingPart, compose, parse_address_list
from mailstore.message.write import ascii_domain
from mailstore.selectors import drafts
from mailstore.services.drafts import AttachmentRow, DraftContent, DraftRow
from mta.services.sending import send_settings
from webmail import scheduling
from webmail.forms.compose import ComposeForm

_LOOK = (
    """<div style="font-family:'Microsoft YaHei','PingFang SC',Arial,sans-serif;"""
    """font-size:14px;line-height:1.7">%s</div>"""
)
"""Without a font of its own a mail is set in the reader's default, which in Outlook is Times."""
DEFAULT_OPTIONS = {"high_priority": False, "save_to_sent": True, "receipt": False, "individual": False}


def default_options(mailbox: int) -> dict[str, bool]:
    """The footer's flags of a new mail, as its mailbox wants them."""
    return {**DEFAULT_OPTIONS, "save_to_sent": send_settings(mailbox).keeps_web_mail}


_FILE_URL = re.compile(
    r"""(?P<before><img\b[^>]{0,2000}?\bsrc\s*=\s*)(?P<quote>["'])[^"']{0,200}/compose/\d+/files/(?P<file>\d+)(?P=quote)""",
    re.IGNORECASE,
)
_CID_URL = re.compile(
    r"""(?P<before><img\b[^>]{0,2000}?\bsrc\s*=\s*)(?P<quote>["'])cid:(?P<cid>[^"'\s]{1,300})(?P=quote)""",
    re.IGNORECASE,
)
_MENTIONS_FILE = re.compile(
    r"附件|附上|附档|附檔|见附|見附|随信附|随函附|\battach(?:ed|ment|ments|ing)\b|\benclosed\b"
    r"|\bplease find\b.{0,40}\b(?:file|document)s?\b",
    re.IGNORECASE,
)
_QUOTE_BEGINS = re.compile(
    r"(?m)^(?:>|-{5,}|On .{5,200} wrote:$|.{5,200}写道：$|-{3,} ?(?:Forwarded message|转发的邮件|原始邮件))"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Recipients:
    """The three fields of a draft, parsed."""

    to: list[Address]
    cc: list[Address]
    bcc: list[Address]
    invalid: list[tuple[str, Invalid]]
    """With the name of the field each stands in."""

    @property
    def addresses(self) -> list[str]:
        """Everybody once, in the order of the fields."""
        return [each.address for each in self.everybody]

    @property
    def everybody(self) -> list[Address]:
        """The same with their names."""
        found = [*self.to, *self.cc, *self.bcc]
        return list({each.address.lower(): each for each in reversed(found)}.values())[::-1]


@dataclasses.dataclass(frozen=True, slots=True)
class Caution:
    """Something the writer may have forgotten; `name` is what he confirms."""

    name: str
    text: str


def recipients_of(draft: DraftRow) -> Recipients:
    """To, Cc and Bcc of a draft."""
    invalid: list[tuple[str, Invalid]] = []
    parsed: dict[str, list[Address]] = {}
    for name, text in (("to", draft.to), ("cc", draft.cc), ("bcc", draft.bcc)):
        found = parse_address_list(text)
        parsed[name] = [each for each in found if isinstance(each, Address)]
        invalid += [(name, each) for each in found if isinstance(each, Invalid)]
    return Recipients(**parsed, invalid=invalid)


def reason(invalid: Invalid) -> str:
    """Why an address can't be written to, for people."""
    return {
        "no_at": _("an address needs an @"),
        "local": _("the part before @ is not valid"),
        "domain": _("the part after @ is not a domain"),
        "too_long": _("the address is too long"),
        "characters": _("it has characters that no address may have"),
    }.get(invalid.reason, _("not a mail address"))


def errors_of(recipients: Recipients, *, max_recipients: int) -> list[tuple[str, str]]:
    """What makes sending impossible, as (field, sentence)."""
    if recipients.invalid:
        return [
            (name, _("%(text)s: %(reason)s") % {"text": each.text, "reason": reason(each)})
            for name, each in recipients.invalid
        ]
    count = len(recipients.addresses)
    if count == 0:
        return [("to", _("Add at least one recipient."))]
    if count > max_recipients:
        return [
            (
                "to",
                _("A mail may have at most %(limit)d recipients; this one has %(count)d.")
                % {"limit": max_recipients, "count": count},
            )
        ]
    return []


def warnings_of(draft: DraftRow, attachments: Sequence[AttachmentRow]) -> list[Caution]:
    """What may have been forgotten."""
    found = []
    if not draft.subject.strip():
        found.append(Caution("subject", _("The mail has no subject.")))
    own = own_text(draft.text if draft.is_plain else html_to_text(without_quote(draft.html)))
    if not any(not each.is_inline for each in attachments) and _MENTIONS_FILE.search(f"{own_subject(draft)}\n{own}"):
        found.append(Caution("attachment", _("The text speaks of an attachment, but there is none.")))
    return found


def own_subject(draft: DraftRow) -> str:
    """The subject when it is the writer's own, not an answer's."""
    return draft.subject if draft.mode == "new" else ""


def own_text(text: str) -> str:
    """What the writer wrote: everything above the quoted original."""
    begin = _QUOTE_BEGINS.search(text)
    return text[: begin.start()] if begin else text


def without_quote(html: str) -> str:
    """HTML up to the quoted original."""
    return html.split('<div class="gm-quote"', 1)[0]


def for_editor(html: str, draft_id: int, attachments: Sequence[AttachmentRow]) -> str:
    """Pictures named by Content-ID (RFC 2392) get the address where the editor can load them."""
    urls = {
        each.content_id: reverse("compose_file", args=[draft_id, each.id]) for each in attachments if each.content_id
    }

    def located(match: re.Match[str]) -> str:
        url = urls.get(match["cid"])
        return f'{match["before"]}"{url}"' if url else match[0]

    return _CID_URL.sub(located, html)


def from_editor(html: str, attachments: Sequence[AttachmentRow]) -> str:
    """The way back: pictures of this draft are named by Content-ID again."""
    names = {str(each.id): each.content_id for each in attachments if each.content_id}

    def named(match: re.Match[str]) -> str:
        content_id = names.get(match["file"])
        return f'{match["before"]}"cid:{content_id}"' if content_id else match[0]

    return _FILE_URL.sub(named, html)


def message_of(
    access: Access, draft: DraftRow, *, identity: Identity, references: tuple[str, ...] = (), mark: str = ""
) -> bytes:
    """The draft as a message with its Bcc field; what is not yet an address stays out of it. With a `mark` (letters, digits)
    that is its Message-ID in front of the host."""
    outgoing = _outgoing(access, draft, identity, references)
    if mark:
        host = ascii_domain(identity.address.rpartition("@")[2])
        outgoing = dataclasses.replace(outgoing, message_id=f"{mark}@{host}")
    return compose(outgoing, keep_bcc=True)


def _outgoing(access: Access, draft: DraftRow, identity: Identity, references: tuple[str, ...]) -> Outgoing:
    recipients = recipients_of(draft)
    sender = Address(identity.name, identity.address)
    everybody = (recipients.to, recipients.cc, recipients.bcc)
    if draft.options.get("individual"):
        everybody = (recipients.everybody, [], [])
    html = None if draft.is_plain else _LOOK.replace("%s", draft.html)
    return Outgoing(
        from_=sender,
        to=everybody[0],
        cc=everybody[1],
        bcc=everybody[2],
        subject=draft.subject,
        html=html,
        text=draft.text if draft.is_plain else None,
        attachments=_parts(access, draft, html),
        in_reply_to=references[-1] if references else None,
        references=references,
        high_priority=bool(draft.options.get("high_priority")),
        receipt_to=sender if draft.options.get("receipt") else None,
    )


def _parts(access: Access, draft: DraftRow, html: str | None) -> list[OutgoingPart]:
    """Files, and those pictures that the text still shows."""
    wanted = [each for each in draft.attachments if not each.is_inline or (html and f"cid:{each.content_id}" in html)]
    return [
        OutgoingPart(
            each.filename,
            each.content_type,
            drafts.attachment_bytes(access, each.id),
            each.content_id or None,
            each.is_inline,
        )
        for each in wanted
    ]


def options_of(stored: dict[str, Any]) -> dict[str, bool]:
    """The footer's flags with their defaults."""
    return {name: bool(stored.get(name, default)) for name, default in DEFAULT_OPTIONS.items()}


def content_of(form: ComposeForm, attachments: Sequence[AttachmentRow], *, identity: str) -> DraftContent:
    """What the form holds, cleaned, as the draft keeps it."""
    given = form.cleaned_data
    html = "" if given["is_plain"] else clean_for_sending(from_editor(given["html"], attachments))
    return DraftContent(
        identity=given["identity"] or identity,
        to=given["to"],
        cc=given["cc"],
        bcc=given["bcc"],
        subject=given["subject"],
        html=html,
        text=given["text"] if given["is_plain"] else html_to_text(html),
        is_plain=given["is_plain"],
        options=given["options"],
        schedule_us=scheduling.at_us(given["schedule_at"]),
    )


def holds(draft: DraftRow, content: DraftContent) -> bool:
    """Whether a draft is what `content` would make it."""
    return all(getattr(draft, each.name) == getattr(content, each.name) for each in dataclasses.fields(content))


def identity_named(identities: Sequence[Identity], address: str) -> Identity:
    """The chosen From; raises NO_PERMISSION for one that isn't offered."""
    for each in identities:
        if each.address.lower() == address.lower():
            return each
    raise MailError(ErrorKind.NO_PERMISSION, address=address)


def typed_html(text: str) -> str:
    """Plain text as the editor would have it: one paragraph for each line."""
    return "".join(f"<p>{escape(line) or '<br>'}</p>" for line in text.split("\n")) if text else ""
