"""Drafts: the composer's own state, saved often; the entry in 草稿箱 is a snapshot of it for other programs.

A save names the revision it started from; an older one is refused with what is stored now, so two windows never
overwrite each other. Replaced snapshots leave neither recovery nor search work behind. All need INSERT.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from documents.html.send import clean_for_sending
from mailstore import blobs
from mailstore.fields import mailbox_of
from mailstore.ledger import Ledger
from mailstore.message import Address, Readable, format_address, parts, read
from mailstore.models import Draft, DraftAttachment, Flag, Role
from mailstore.selectors import entries
from mailstore.selectors.drafts import (
    AttachmentRow,
    DraftRow,
    attachment_row,
    draft_row,
    draft_with_snapshot,
    get_draft,
    load_draft,
)
from mailstore.services.incoming import Incoming, Placement, Prepared, prepare
from mailstore.services.purge import purge_rows
from mailstore.services.quota import require_room
from mailstore.services.rows import load, now_us
from mailstore.services.store import store

__all__ = [
    "AttachmentRow",
    "DraftContent",
    "DraftRow",
    "attach",
    "content_of",
    "create_draft",
    "detach",
    "discard_draft",
    "draft_of_entry",
    "get_draft",
    "hide_snapshot",
    "save_draft",
    "show_snapshot",
    "snapshot_draft",
]

MAX_TEXT_CHARS = 8_000_000
MAX_FIELD_CHARS = 400_000
MAX_ATTACHMENTS = 500
MAX_FILENAME_CHARS = 255


@dataclasses.dataclass(frozen=True, slots=True)
class DraftContent:
    """Everything that a save replaces. HTML is stored as given: clean it first."""

    identity: str
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    is_plain: bool = False
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    schedule_us: int | None = None

    def values(self) -> dict[str, Any]:
        """For the row: without NUL, bounded. TOO_LARGE beyond what a mail could hold."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name, value in values.items():
            if isinstance(value, str):
                values[name] = _text(value, MAX_TEXT_CHARS if name in {"html", "text"} else MAX_FIELD_CHARS)
        values["identity"] = values["identity"][:320]
        values["options"] = dict(self.options)
        return values


def content_of(draft: DraftRow, **changed: Any) -> DraftContent:
    """What a draft holds, with some fields changed."""
    names = [field.name for field in dataclasses.fields(DraftContent)]
    return DraftContent(**{name: getattr(draft, name) for name in names} | changed)


def create_draft(
    access: Access,
    *,
    identity: str,
    mode: str = Draft.Mode.NEW,
    source_entry_id: int | None = None,
    **prefill: Any,
) -> DraftRow:
    """A new draft; `prefill` are fields of `DraftContent`."""
    access.require(Right.INSERT)
    content = DraftContent(identity=identity, **prefill)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        draft = Draft.objects.create(
            id=ledger.new_id(access.mailbox),
            mailbox_id=access.mailbox,
            mode=mode,
            source_entry_id=source_entry_id,
            updated_us=now_us(),
            **content.values(),
        )
        ledger.write()
    return draft_row(draft)


def save_draft(access: Access, draft_id: int, revision: int, content: DraftContent) -> DraftRow:
    """Replace the content. IN_USE with `current` (DraftRow) when `revision` isn't the stored one; NOT_FOUND; TOO_LARGE."""
    access.require(Right.INSERT)
    values = content.values()
    with transaction.atomic():
        Ledger([access.mailbox])
        draft = load_draft(access, draft_id)
        if draft.revision != revision:
            raise MailError(ErrorKind.IN_USE, current=draft_row(draft))
        for name, value in values.items():
            setattr(draft, name, value)
        draft.revision += 1
        draft.updated_us = now_us()
        draft.save(update_fields=[*values, "revision", "updated_us"])
    return draft_row(draft)


def snapshot_draft(access: Access, draft_id: int, raw: bytes) -> int:
    """Put `raw` into 草稿箱 in place of the draft's earlier copy; the new entry's id. OVER_QUOTA, TOO_LARGE, NOT_FOUND."""
    access.require(Right.INSERT)
    if len(raw) > settings.MESSAGE_MAX_BYTES:
        raise MailError(ErrorKind.TOO_LARGE, limit=settings.MESSAGE_MAX_BYTES)
    return _put_snapshot(access, draft_id, prepare(raw), checked=True)


def hide_snapshot(access: Access, draft_id: int) -> None:
    """Take a draft's copy out of 草稿箱 while the mail waits to be sent; the draft itself stays. Harmless when it is
    gone; in the caller's transaction."""
    access.require(Right.INSERT)
    if Draft.objects.filter(pk=draft_id, mailbox_id=access.mailbox).exists():
        _without_snapshot(access, draft_id)


def show_snapshot(access: Access, draft_id: int, raw: bytes) -> None:
    """The way back: `raw` lies in 草稿箱 again, however full the mailbox is, for it was there before. NOT_FOUND."""
    access.require(Right.INSERT)
    _put_snapshot(access, draft_id, prepare(raw))


def discard_draft(access: Access, draft_id: int) -> None:
    """Throw a draft away with its files and its copy in 草稿箱. Harmless when it is gone; NOT_FOUND for a stranger's."""
    access.require(Right.INSERT)
    if mailbox_of(draft_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    with transaction.atomic():
        Ledger([access.mailbox])
        if Draft.objects.filter(pk=draft_id).exists():
            _without_snapshot(access, draft_id)
            DraftAttachment.objects.filter(draft_id=draft_id).delete()
            Draft.objects.filter(pk=draft_id).delete()


def attach(
    access: Access,
    draft_id: int,
    filename: str,
    content_type: str,
    content: bytes,
    *,
    content_id: str = "",
    inline: bool = False,
) -> AttachmentRow:
    """Add a file. OVER_QUOTA, TOO_LARGE (alone larger than a message may be), LIMIT (500 files), NOT_FOUND."""
    access.require(Right.INSERT)
    if len(content) > settings.MESSAGE_MAX_BYTES:
        raise MailError(ErrorKind.TOO_LARGE, limit=settings.MESSAGE_MAX_BYTES)
    encoded = blobs.encode(content)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        load_draft(access, draft_id)
        require_room(ledger, access.mailbox, len(content))
        files = DraftAttachment.objects.filter(draft_id=draft_id)
        if files.count() >= MAX_ATTACHMENTS:
            raise MailError(ErrorKind.LIMIT, limit=MAX_ATTACHMENTS)
        row = DraftAttachment.objects.create(
            id=ledger.new_id(access.mailbox),
            mailbox_id=access.mailbox,
            draft_id=draft_id,
            blob_id=blobs.insert([encoded])[encoded.sha256],
            position=(files.aggregate(last=Max("position"))["last"] or 0) + 1,
            filename=_text(filename, MAX_FIELD_CHARS)[:MAX_FILENAME_CHARS],
            content_type=_text(content_type, MAX_FIELD_CHARS)[:120],
            size=len(content),
            content_id=_text(content_id, MAX_FIELD_CHARS)[:120],
            is_inline=inline,
        )
        ledger.write()
    return attachment_row(row)


def require_attachable(count: int) -> None:
    """Raise LIMIT before anything is written when a draft can't hold so many files."""
    if count > MAX_ATTACHMENTS:
        raise MailError(ErrorKind.LIMIT, limit=MAX_ATTACHMENTS)


def detach(access: Access, attachment_id: int) -> None:
    """Remove a file. NOT_FOUND."""
    access.require(Right.INSERT)
    if mailbox_of(attachment_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    with transaction.atomic():
        Ledger([access.mailbox])
        gone, _ = DraftAttachment.objects.filter(pk=attachment_id, mailbox_id=access.mailbox).delete()
    if not gone:
        raise MailError(ErrorKind.NOT_FOUND)


def draft_of_entry(access: Access, entry_id: int) -> int:
    """The draft of an entry in 草稿箱; made from the message when another program wrote it there."""
    access.require(Right.INSERT)
    entry = entries.get(access, entry_id)
    known = draft_with_snapshot(access, entry_id)
    if known is not None:
        return known
    if entry.folder_role != Role.DRAFTS:
        raise MailError(ErrorKind.NOT_FOUND)
    raw = entries.raw(access, entry_id)
    readable = read(raw)
    files = {each.number: each for each in readable.attachments}
    require_attachable(len(files))
    with transaction.atomic():
        draft = create_draft(access, identity=entry.sender_address, **_prefill(readable))
        for found in parts(raw, files):
            file, each = (found.filename, found.content_type, found.content), files[found.number]
            attach(access, draft.id, *file, content_id=each.content_id, inline=each.inline)
        Draft.objects.filter(pk=draft.id).update(snapshot_entry_id=entry_id, snapshot_us=now_us())
    return draft.id


def _prefill(readable: Readable) -> dict[str, Any]:
    html = clean_for_sending(readable.html) if readable.html else ""
    return {
        "to": _joined(readable.to),
        "cc": _joined(readable.cc),
        "bcc": _joined(readable.bcc),
        "subject": readable.subject,
        "html": html,
        "text": readable.text or "",
        "is_plain": not html,
    }


def _joined(people: tuple[Address, ...]) -> str:
    return ", ".join(format_address(each) for each in people)


def _put_snapshot(access: Access, draft_id: int, prepared: Prepared, *, checked: bool = False) -> int:
    placement = Placement(access.mailbox, role=Role.DRAFTS, flags=int(Flag.SEEN | Flag.DRAFT))
    with transaction.atomic():
        draft = _without_snapshot(access, draft_id)
        if checked:
            require_room(Ledger([access.mailbox]), access.mailbox, prepared.size)
        stored = store([Incoming(prepared, [placement], is_snapshot=True)])
        draft.snapshot_entry_id = stored[0].entry_ids[access.mailbox]
        draft.snapshot_us = now_us()
        draft.save(update_fields=["snapshot_entry_id", "snapshot_us"])
    return int(draft.snapshot_entry_id)


def _without_snapshot(access: Access, draft_id: int) -> Draft:
    """The draft, locked, after its copy in 草稿箱 has gone without a trace."""
    ledger = Ledger([access.mailbox])
    draft = load_draft(access, draft_id)
    entry_id, draft.snapshot_entry_id = draft.snapshot_entry_id, None
    if entry_id is not None:
        draft.save(update_fields=["snapshot_entry_id"])
        purge_rows(ledger, access, load(ledger, access, [entry_id]), keep=False)
        ledger.write()
    return draft


def _text(value: str, limit: int) -> str:
    """Without NUL and lone surrogates, which PostgreSQL refuses; TOO_LARGE beyond `limit` characters."""
    if len(value) > limit:
        raise MailError(ErrorKind.TOO_LARGE, limit=limit)
    return value.replace("\0", "").encode("utf-8", "replace").decode()
