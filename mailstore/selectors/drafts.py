"""Drafts as the composer reads them."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs
from mailstore.fields import mailbox_of
from mailstore.models import Draft, DraftAttachment


@dataclasses.dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file of a draft; `size` is its length in bytes, unencoded."""

    id: int
    filename: str
    content_type: str
    size: int
    content_id: str
    is_inline: bool


@dataclasses.dataclass(frozen=True, slots=True)
class DraftRow:
    """What somebody is writing; a save must name its `revision`."""

    id: int
    mailbox_id: int
    revision: int
    mode: str
    source_entry_id: int | None
    identity: str
    to: str
    cc: str
    bcc: str
    subject: str
    html: str
    text: str
    is_plain: bool
    options: dict[str, Any]
    schedule_us: int | None
    updated_us: int
    snapshot_entry_id: int | None
    snapshot_us: int
    attachments: list[AttachmentRow]


def get_draft(access: Access, draft_id: int) -> DraftRow:
    """Two queries. NOT_FOUND for what isn't in this mailbox."""
    access.require(Right.READ)
    return draft_row(load_draft(access, draft_id))


def attachment_bytes(access: Access, attachment_id: int) -> bytes:
    """The content of a draft's file. NOT_FOUND for what isn't in this mailbox."""
    access.require(Right.READ)
    found = _own(access, attachment_id)
    blob_id = DraftAttachment.objects.filter(**found).values_list("blob_id", flat=True).first()
    if blob_id is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return blobs.get(blob_id)


def draft_with_snapshot(access: Access, entry_id: int) -> int | None:
    """The draft whose copy an entry of 草稿箱 is, if it is one of ours."""
    access.require(Right.READ)
    found = Draft.objects.filter(mailbox_id=access.mailbox, snapshot_entry_id=entry_id)
    return found.values_list("id", flat=True).first()


def load_draft(access: Access, draft_id: int) -> Draft:
    """The model, for the services."""
    draft = Draft.objects.filter(**_own(access, draft_id)).first()
    if draft is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return draft


def draft_row(draft: Draft) -> DraftRow:
    """The value of a loaded draft; reads its attachments."""
    files = DraftAttachment.objects.filter(draft_id=draft.pk).order_by("position", "id")
    values = {
        field.name: getattr(draft, field.name) for field in dataclasses.fields(DraftRow) if field.name != "attachments"
    }
    return DraftRow(**values, attachments=[attachment_row(each) for each in files])


def attachment_row(each: DraftAttachment) -> AttachmentRow:
    """The value of a file's row."""
    return AttachmentRow(each.pk, each.filename, each.content_type, each.size, each.content_id, each.is_inline)


def _own(access: Access, packed_id: int) -> dict[str, int]:
    """The condition for a row of this mailbox; a number that no column can hold is nobody's."""
    if mailbox_of(packed_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    return {"id": packed_id, "mailbox_id": access.mailbox}
