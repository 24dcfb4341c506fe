"""From a click on Reply to a mail on its way: what the composer's views do to drafts, one function for each step."""

from __future__ import annotations

import time

from django.db import transaction

from accounts.models import Account
from accounts.selectors import Identity, access_for, identities_of
from core.access import Access, Right
from core.errors import MailError
from mailstore.fields import mailbox_of
from mailstore.message import Readable, parts, read
from mailstore.models import Draft, Flag
from mailstore.selectors import drafts as drafts_read, entries
from mailstore.services import drafts, entries as entries_write
from mailstore.services.drafts import DraftContent, DraftRow
from mta.company.rates import obey
from mta.selectors import mark_of
from mta.services import SubmitRequest, submit
from webmail import answering, composing
from webmail.answering import Mine, Prefill

SNAPSHOT_EVERY_US = 60_000_000
"""The copy in 草稿箱 follows at most once a minute, and when the composer closes."""


def mine(actor: Account, mailbox: int) -> Mine:
    """The addresses somebody writes from in a mailbox."""
    found = identities_of(actor, mailbox)
    default = found[0].address if found else actor.address
    return Mine(frozenset(each.address.lower() for each in found), default)


def writing_access(actor: Account, mailbox: int) -> Access:
    """Where a new draft lies: in the mailbox that is looked at if one may send from it, else in one's own."""
    access = access_for(actor, mailbox)
    return access if access.may(Right.SEND | Right.INSERT) else access_for(actor, actor.pk)


def start_blank(actor: Account, mailbox: int) -> DraftRow:
    """An empty draft."""
    access = writing_access(actor, mailbox)
    options = composing.default_options(access.mailbox)
    return drafts.create_draft(access, identity=mine(actor, access.mailbox).default, options=options)


def start_answer(actor: Account, source_access: Access, entry_id: int, *, mode: str) -> DraftRow:
    """A draft that answers, forwards or repeats a mail, its files included where they go along."""
    access = writing_access(actor, source_access.mailbox)
    entry = entries.get(source_access, entry_id)
    raw = entries.raw(source_access, entry_id)
    readable = read(raw)
    own = mine(actor, access.mailbox)
    prefill = _prefill(readable, mode=mode, own=own, matched=entry.matched_address)
    with transaction.atomic():
        draft = _create(access, prefill, source_entry_id=None if mode == "edit_as_new" else entry_id)
        if mode == "forward_attached":
            drafts.attach(
                access, draft.id, _eml_name(readable), "message/rfc822", entries.original(source_access, entry_id)
            )
        else:
            _copy_parts(access, draft, raw, readable, with_files=mode in {"forward", "edit_as_new"})
    return drafts_read.get_draft(access, draft.id)


def snapshot(access: Access, actor: Account, draft: DraftRow, *, close: bool) -> None:
    """Bring the copy in 草稿箱 up to date if it is time; a draft that can't be composed yet keeps its old copy."""
    if not close and time.time_ns() // 1000 - draft.snapshot_us < SNAPSHOT_EVERY_US:
        return
    try:
        raw = _message(access, actor, draft)
        drafts.snapshot_draft(access, draft.id, raw)
    except MailError:
        # Its text is safe in the draft itself; only what mail programs see is older.
        return


def send(
    access: Access,
    actor: Account,
    draft: DraftRow,
    *,
    schedule_us: int = 0,
    undo_s: int | None = None,
    digest: bytes = b"",
) -> int:
    """Send a draft, now or at a time; returns the submission. It can be taken back for `undo_s` (None: as the setting says);
    by `digest` it is known again (`mta.selectors.outbox.sent_before`). Durable when this returns; raises as
    `mta.services.submit` does."""
    recipients = composing.recipients_of(draft)
    identity = _identity(actor, access, draft)
    raw = _message(access, actor, draft, mark=mark_of(digest))
    options = composing.options_of(draft.options)
    request = SubmitRequest(
        envelope_from=identity.address,
        recipients=recipients.addresses,
        raw=raw,
        draft_id=draft.id,
        schedule_us=schedule_us,
        undo_s=undo_s,
        save_to_sent=options["save_to_sent"],
        individual=options["individual"],
        actor_id=actor.pk,
        digest=digest,
    )
    try:
        with transaction.atomic():
            submission = submit(access, request)
            mark_source(actor, draft, add=True)
    except MailError as error:
        obey(access.mailbox, error)
        raise
    return submission


def prepend(access: Access, draft: DraftRow, text: str) -> DraftRow:
    """Put what was typed below the mail above its quote."""
    content = DraftContent(
        identity=draft.identity,
        to=draft.to,
        cc=draft.cc,
        bcc=draft.bcc,
        subject=draft.subject,
        html="" if draft.is_plain else composing.typed_html(text) + draft.html,
        text=f"{text}{draft.text}" if draft.is_plain else "",
        is_plain=draft.is_plain,
        options=draft.options,
    )
    return drafts.save_draft(access, draft.id, draft.revision, content)


def mark_source(actor: Account, draft: DraftRow, *, add: bool) -> None:
    """Mark what was answered or forwarded (or take the mark back), where it may be marked at all."""
    flag = Flag.FORWARDED if draft.mode == Draft.Mode.FORWARD else Flag.ANSWERED
    if not draft.source_entry_id:
        return
    try:
        access = access_for(actor, mailbox_of(draft.source_entry_id))
        entries_write.set_flags(
            access, [draft.source_entry_id], add=flag if add else Flag(0), remove=Flag(0) if add else flag
        )
    except MailError:
        return  # gone, or in a mailbox that may only be read


def _prefill(readable: Readable, *, mode: str, own: Mine, matched: str) -> Prefill:
    if mode == "edit_as_new":
        return answering.repeat(readable, mine=own)
    if mode == "forward_attached":
        identity = answering.identity_for(readable, own, matched)
        return Prefill(Draft.Mode.FORWARD, identity, subject=answering.forward_subject(readable.subject))
    return answering.answer(readable, mode=mode, mine=own, matched=matched)


def _create(access: Access, prefill: Prefill, *, source_entry_id: int | None) -> DraftRow:
    return drafts.create_draft(
        access,
        identity=prefill.identity,
        mode=prefill.mode,
        source_entry_id=source_entry_id,
        to=prefill.to,
        cc=prefill.cc,
        subject=prefill.subject,
        html=prefill.html,
        text=prefill.text,
        is_plain=prefill.is_plain,
        options=composing.default_options(access.mailbox),
    )


def _copy_parts(access: Access, draft: DraftRow, raw: bytes, readable: Readable, *, with_files: bool) -> None:
    """The pictures that the quoted HTML shows, and with a forward the files."""
    pictures = {
        each.number: each.content_id
        for each in readable.attachments
        if each.inline and each.content_id and f"cid:{each.content_id}" in draft.html
    }
    wanted = [each.number for each in readable.attachments] if with_files else list(pictures)
    drafts.require_attachable(len(wanted))
    for found in parts(raw, wanted):
        shown = pictures.get(found.number, "")
        file = (found.filename, found.content_type, found.content)
        drafts.attach(access, draft.id, *file, content_id=shown, inline=bool(shown))


def _message(access: Access, actor: Account, draft: DraftRow, *, mark: str = "") -> bytes:
    identity = _identity(actor, access, draft)
    return composing.message_of(access, draft, identity=identity, references=_references(actor, draft), mark=mark)


def _identity(actor: Account, access: Access, draft: DraftRow) -> Identity:
    return composing.identity_named(identities_of(actor, access.mailbox), draft.identity)


def _references(actor: Account, draft: DraftRow) -> tuple[str, ...]:
    """The threading fields of an answer; none when its original is gone meanwhile."""
    if not draft.source_entry_id:
        return ()
    try:
        source = access_for(actor, mailbox_of(draft.source_entry_id))
        return answering.references(read(entries.raw(source, draft.source_entry_id)))
    except MailError:
        return ()


def _eml_name(readable: Readable) -> str:
    return f"{readable.subject.strip()[:80] or 'message'}.eml"
