"""What the composer's template needs of a draft, and the words that its scripts say."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import Domain
from core.access import Access
from documents.filetype import extension_of, icon_kind
from documents.html.text import html_to_text
from mailstore.services.drafts import AttachmentRow, DraftRow
from webmail import composing, reading, scheduling


@dataclasses.dataclass(frozen=True, slots=True)
class FileCard:
    """An attachment of a draft."""

    id: str
    filename: str
    size: int
    kind: str
    label: str
    url: str
    remove_url: str
    is_viewable: bool


def file_card(draft_id: int, row: AttachmentRow) -> FileCard:
    """The card of one attachment."""
    return FileCard(
        id=str(row.id),
        filename=row.filename,
        size=row.size,
        kind=icon_kind(row.content_type, row.filename),
        label=(extension_of(row.filename) or row.content_type.rpartition("/")[2])[:4].upper(),
        url=reverse("compose_file", args=[draft_id, row.id]),
        remove_url=reverse("compose_detach", args=[draft_id, row.id]),
        is_viewable=row.content_type in reading.VIEWABLE,
    )


def urls(draft_id: int | None) -> dict[str, str]:
    """Where the form posts to; without a draft, to where one is made first."""
    if draft_id is None:
        new = reverse("compose_new")
        steps = {name: f"{new}?then={name}" for name in ("save", "send", "attach", "discard")}
        return {"url": new, **steps}
    names = {
        "url": "compose",
        "save": "compose_save",
        "send": "compose_send",
        "attach": "compose_attach",
        "discard": "compose_discard",
    }
    return {key: reverse(name, args=[draft_id]) for key, name in names.items()}


def fields_of(draft: DraftRow, *, following: str) -> dict[str, Any]:
    """The form of a draft as it was saved."""
    return {
        "revision": draft.revision,
        "identity": draft.identity,
        "to": draft.to,
        "cc": draft.cc,
        "bcc": draft.bcc,
        "subject": draft.subject,
        "format": "plain" if draft.is_plain else "html",
        "html": composing.for_editor(draft.html, draft.id, draft.attachments),
        "text": draft.text if draft.is_plain else html_to_text(draft.html),
        "next": following,
        "schedule_at": scheduling.field_of(draft.schedule_us),
        **composing.options_of(draft.options),
    }


def title_of(mode: str) -> str:
    """The heading of the composer."""
    return {"reply": _("Reply"), "reply_all": _("Reply all"), "forward": _("Forward")}.get(mode, _("New mail"))


def saved_at(microseconds: int) -> str:
    """The time a draft was saved, in the reader's zone."""
    return formats.date_format(timezone.localtime(reading.at_us(microseconds)), "H:i")


def texts(*, limit_bytes: int) -> dict[str, Any]:
    """Every sentence of the composer's scripts, in the page's language."""
    return {
        "states": {
            "saving": _("Saving…"),
            "saved": _("Draft saved %s"),
            "offline": _("No connection. Your text is kept in this browser and saved as soon as possible."),
            "failed": _("Not saved. Trying again… %s"),
            "signed_out": _("Signed out. Your text is kept in this browser."),
            "conflict": _("Changed in another window"),
            "restored": _("Restored what had not been saved"),
            "uploading": _("Waiting for uploads…"),
            "sending": _("Sending…"),
            "not_sent": _("Not sent"),
        },
        "suggestions": _("Suggestions"),
        "found": _("%s suggestions"),
        "remove": _("Remove %s"),
        "invalid": _("not a mail address"),
        "too_large": _("Too large: a mail may have at most %s with its files")
        % formats.localize(f"{limit_bytes // (1024 * 1024)} MB"),
        "failed": _("That did not work. Nothing was lost; please try again."),
        "kept": _("Saved in Drafts"),
        "discarded": _("Draft discarded"),
        "undo": _("Undo"),
        "send_anyway": _("Send anyway"),
        "go_on": _("Back to the mail"),
        "sign_in": _("Sign in"),
        "signed_out": _("Your session has ended. Sign in in a new tab; your text stays here and is saved afterwards."),
        "conflict": _("This draft was changed in another window at %s. Which text should stay?"),
        "keep_mine": _("Keep this one"),
        "take_other": _("Load the other one"),
    }


def limit_bytes(access: Access) -> int:
    """The largest mail that may be sent from this mailbox."""
    return min(_domain_of(access).message_max_bytes, int(settings.MESSAGE_MAX_BYTES))


def max_recipients(access: Access) -> int:
    """How many people one mail from this mailbox may have."""
    return _domain_of(access).max_recipients


def _domain_of(access: Access) -> Domain:
    return Domain.objects.get(accounts=access.mailbox)
