"""A mail of which nothing has left becomes its author's draft again: he took it back, or somebody refused it."""

from __future__ import annotations

import time

from core.access import system_access
from mailstore.message import Address, format_address, read
from mailstore.models import Flag, Role
from mailstore.services import drafts
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.models import Delivery, Submission
from mta.services.outcome import log_delivery
from mta.steps import Outcome, tell_outcome

State = Delivery.State


def stop(submission: Submission, rows: list[Delivery]) -> None:
    """Cancel locked deliveries, in the caller's transaction."""
    now_us = time.time_ns() // 1000
    for row in rows:
        row.state, row.claimed_until_us, row.on_hold, row.updated_us = State.CANCELLED, 0, False, now_us
    Delivery.objects.bulk_update(rows, ["state", "claimed_until_us", "on_hold", "updated_us"])
    for row in rows:
        log_delivery(submission, row.recipient, state=State.CANCELLED, code="", text="")
        tell_outcome(Outcome(submission.pk, row.recipient, State.CANCELLED, "", ""))


def give_back(submission: Submission, rows: list[Delivery], raw: bytes) -> int:
    """Cancel all of it and put it into 草稿箱, in the caller's transaction; the draft's id. What a mail program sent
    becomes a draft too, with those whom the envelope alone named as Bcc."""
    stop(submission, rows)
    submission.is_gated = False
    submission.save(update_fields=["is_gated"])
    access = system_access(submission.mailbox_id)
    if submission.draft_id:
        drafts.show_snapshot(access, submission.draft_id, raw)
        return int(submission.draft_id)
    mine = Placement(submission.mailbox_id, role=Role.DRAFTS, flags=int(Flag.SEEN | Flag.DRAFT))
    entry_id = store([Incoming(prepare(raw), [mine])])[0].entry_ids[submission.mailbox_id]
    draft_id = drafts.draft_of_entry(access, entry_id)
    readable, draft = read(raw), drafts.get_draft(access, draft_id)
    named = {each.address.lower() for each in (*readable.to, *readable.cc, *readable.bcc)}
    hidden = [format_address(Address("", row.recipient)) for row in rows if row.recipient.lower() not in named]
    if hidden or submission.is_individual:
        bcc = ", ".join([*([draft.bcc] if draft.bcc else []), *hidden])
        options = {**draft.options, "individual": submission.is_individual}
        drafts.save_draft(access, draft_id, draft.revision, drafts.content_of(draft, bcc=bcc, options=options))
    return draft_id
