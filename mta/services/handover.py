"""The moment a submission leaves its author: routes, local copies, the Sent entry, events, the first failures.

Everything that reads or computes is done before the transaction (`route`, `Parcel.of`), so that SQLite's one writer is
held for rows alone.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from django.conf import settings

from accounts.models import Account
from accounts.rows import AccountRow, account_row
from core.access import system_access
from core.jobs import wake_on_commit
from mailstore import blobs
from mailstore.models import Flag, Role
from mailstore.services.deliver import Incoming, Placement, Prepared, prepare, store
from mailstore.services.drafts import discard_draft
from mta import individual
from mta.company.footer import with_footer
from mta.company.journal import incoming_journals, write_journal
from mta.company.suppression import SUPPRESSED, suppressed
from mta.inbound.arranging import Arranged, Placed, arrange, kept_as_filed
from mta.inbound.coming import Coming
from mta.inbound.facts import Facts
from mta.inbound.filing import Filed, filed
from mta.inbound.monitoring import Way, copies_for
from mta.inbound.recipients import Refusal, Target, facts_by_account, find_target, merge_accounts
from mta.inbound.trace import mail_date
from mta.models import Delivery, SendPolicy, Submission
from mta.quarantine.store import quarantine
from mta.rules.looked import Looked
from mta.services.effects import carry_out
from mta.services.failure import Failure, Success, confirm_to_sender, notify_sender
from mta.services.lists import queue_for_externals
from mta.services.moderation import hold_post
from mta.services.outcome import log_delivery
from mta.steps import Outcome, tell_outcome
from mta.wishes import NO_WISH, RecipientWish

State = Delivery.State

REFUSALS: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN: ("5.1.1", "No such mailbox here"),
    Refusal.SUSPENDED: ("5.2.1", "Mailbox is disabled"),
    Refusal.FULL: ("5.2.2", "Mailbox is full"),
    Refusal.POSTING: ("5.7.1", "You may not write to this list"),
    Refusal.INSIDE: ("5.7.1", "The recipient takes mail of his own company alone"),
    Refusal.SUPPRESSED: SUPPRESSED,
    Refusal.BLOCKED: ("5.7.1", "The recipient does not accept mail from you"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Routed:
    """One recipient and where he is: a `Target` here, or why not (`ELSEWHERE` is the queue's)."""

    recipient: str
    target: Target | Refusal


@dataclasses.dataclass(frozen=True, slots=True)
class Copy:
    """What a recipient here gets: the bytes, the same for the store, and what his list passes on."""

    wire: bytes
    local: Prepared
    outside: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Parcel:
    """The bytes of a submission and what is stored of them, prepared outside the transaction."""

    wire: bytes
    sent: Prepared | None
    local: Prepared
    outside: bytes
    """What people elsewhere get: with the company's footer."""
    footed: blobs.Encoded | None = None
    """`outside` for the store, where it differs from `wire`."""
    journal: str = ""
    inside: bytes = b""
    """What colleagues get."""
    copies: Mapping[str, Copy] = dataclasses.field(default_factory=dict)
    """By recipient, where each has bytes of his own."""

    @classmethod
    def of(cls, sender: str, wire: bytes, *, sent: bytes | None, policy: SendPolicy | None = None) -> Parcel:
        """`sent`: what the Sent entry will be, or None for no entry. The author's copy has no footer, as he wrote it."""
        kept = prepare(sent) if sent is not None else None
        wanted = policy.footer_on if policy else SendPolicy.Footer.NONE
        footed = with_footer(wire, policy) if policy and wanted != SendPolicy.Footer.NONE else wire
        inside = footed if wanted == SendPolicy.Footer.ALL else wire
        local = prepare(inside, trace=_local_trace(sender))
        stored = blobs.encode(footed) if footed != wire else None
        return cls(wire, kept, local, footed, stored, policy.journal_address if policy else "", inside)

    def with_copies(self, submission: Submission, routes: Sequence[Routed], names: Mapping[str, str]) -> Parcel:
        """A copy of his own for every recipient who is here (`mta.individual`); `names` by address in lower case."""
        copies, trace = {}, _local_trace(submission.envelope_from)
        for each in routes:
            if isinstance(each.target, Target):
                mine = (submission.message_id, each.recipient, names.get(each.recipient.lower(), ""))
                inside = individual.own_copy(self.inside, *mine)
                outside = individual.own_copy(self.outside, *mine) if each.target.externals else b""
                copies[each.recipient] = Copy(inside, prepare(inside, trace=trace), outside)
        return dataclasses.replace(self, copies=copies)

    def copy_for(self, recipient: str) -> Copy:
        """What this recipient gets."""
        return self.copies.get(recipient) or Copy(self.wire, self.local, self.outside)


def route(recipients: Sequence[str], *, sender: str, domain_id: int = 0) -> list[Routed]:
    """Where each recipient is now; those elsewhere that are dead for the author's domain are refused."""
    found = [Routed(recipient, _target(recipient, sender)) for recipient in recipients]
    leaving = [each.recipient for each in found if each.target is Refusal.ELSEWHERE]
    dead = suppressed(domain_id, leaving) if domain_id and leaving else set()
    return [Routed(each.recipient, Refusal.SUPPRESSED) if each.recipient.lower() in dead else each for each in found]


def _target(recipient: str, sender: str) -> Target | Refusal:
    target = find_target(recipient, sender=sender)
    return Refusal.BLOCKED if isinstance(target, Target) and target.blocks(sender) else target


def apply_routes(rows: Sequence[Delivery], routes: Sequence[Routed], now_us: int) -> None:
    """Set each row's state from its route; rows without one stay as they are."""
    by_recipient = {routed.recipient: routed.target for routed in routes}
    for row in rows:
        target = by_recipient.get(row.recipient)
        if target is None:
            continue
        row.updated_us = now_us
        if isinstance(target, Target):
            row.state, row.code = State.DELIVERED, "2.1.5"
        elif target is Refusal.ELSEWHERE:
            row.state, row.next_attempt_us = State.QUEUED, now_us
        else:
            row.state = State.BOUNCED
            row.code, row.text = REFUSALS[target]


def hand_over(submission: Submission, parcel: Parcel, routes: Sequence[Routed]) -> None:
    """Inside the caller's transaction: Sent entry, local copies, lists, failures, events; wakes the queue on commit."""
    _store_copies(submission, parcel, routes)
    for routed in routes:
        target = routed.target
        if not isinstance(target, Target):
            continue
        copy = parcel.copy_for(routed.recipient)
        if target.held_group_id:
            hold_post(target, copy.local, submission.envelope_from, is_local=True, require_tls=submission.require_tls)
        if target.externals:
            queue_for_externals(target, copy.outside, None, require_tls=submission.require_tls)
    if parcel.footed is not None:
        own = blobs.insert([parcel.footed])[parcel.footed.sha256]
        Delivery.objects.filter(submission=submission, state=State.QUEUED).update(blob_id=own)
    if parcel.journal and submission.origin != Submission.Origin.SYSTEM:
        write_journal(submission, parcel.wire, [each.recipient for each in routes], parcel.journal)
    for routed in routes:
        if isinstance(routed.target, Target) and any(facts.journal for facts in routed.target.facts.values()):
            copy, but = parcel.copy_for(routed.recipient), submission.domain_id if parcel.journal else 0
            envelope = (copy.wire, copy.local.scanned, submission.envelope_from)
            for each in incoming_journals([routed.target], *envelope, but=but):
                each.write()
    _log(submission, routes)
    _report(submission, parcel, routes)
    if submission.draft_id:
        discard_draft(system_access(submission.mailbox_id), submission.draft_id)
    if any(routed.target is Refusal.ELSEWHERE for routed in routes):
        wake_on_commit("mta.send_due")


def _report(submission: Submission, parcel: Parcel, routes: Sequence[Routed]) -> None:
    """Those who got nothing, and those whose delivery the author wants confirmed."""
    wishes = _wishes(submission)
    failures, successes = [], []
    for routed in routes:
        wish = wishes.get(routed.recipient, NO_WISH)
        if isinstance(routed.target, Target):
            successes.append(Success(routed.recipient, "2.1.5", wish=wish))
        elif routed.target in REFUSALS:
            failures.append(Failure(routed.recipient, *REFUSALS[routed.target], wish=wish))
    notify_sender(submission, parcel.wire, failures)
    confirm_to_sender(submission, parcel.wire, successes)


def _wishes(submission: Submission) -> dict[str, RecipientWish]:
    """What a mail program asked for; nobody else can."""
    if submission.origin != Submission.Origin.SMTP:
        return {}
    rows = Delivery.objects.filter(submission=submission).exclude(notify="", original="")
    return {row.recipient: RecipientWish(row.notify, row.original) for row in rows}


def _store_copies(submission: Submission, parcel: Parcel, routes: Sequence[Routed]) -> None:
    items: list[Incoming[None]] = []
    arranged = _arranged(submission, parcel.copy_for(""), [] if parcel.copies else _targets(routes))
    watched = _watched(submission, parcel, routes)
    if parcel.sent is not None:
        mine = Placement(submission.mailbox_id, role=Role.SENT, flags=int(Flag.SEEN))
        items.append(Incoming(parcel.sent, [mine, *watched]))
    else:
        arranged.placements += watched
    quarantine(arranged.held, parcel.local, submission.envelope_from, require_tls=submission.require_tls)
    if arranged.placements:
        items.append(Incoming(parcel.local, arranged.placements))
        submission.local_hash = parcel.local.encoded.sha256
    stored = store(items) if items else []
    _store_own(submission, parcel, routes)
    if parcel.sent is not None:
        submission.sent_entry_id = stored[0].entry_ids[submission.mailbox_id]
    submission.save(update_fields=["sent_entry_id", "local_hash", "is_gated"])
    carry_out(arranged)


def _store_own(submission: Submission, parcel: Parcel, routes: Sequence[Routed]) -> None:
    """Copies that differ, one after the other. Whom two of the recipients lead to gets the first."""
    reached: set[int] = set()
    for routed in routes:
        target, copy = routed.target, parcel.copies.get(routed.recipient)
        if copy is None or not isinstance(target, Target):
            continue
        fresh = tuple(each for each in target.accounts if each.id not in reached)
        reached |= {each.id for each in fresh}
        arranged = _arranged(submission, copy, [dataclasses.replace(target, accounts=fresh)])
        quarantine(arranged.held, copy.local, submission.envelope_from, require_tls=submission.require_tls)
        if arranged.placements:
            store([Incoming(copy.local, arranged.placements)])
        own = Delivery.objects.filter(submission=submission, recipient=routed.recipient)
        own.update(local_hash=copy.local.encoded.sha256)
        carry_out(arranged)


def _arranged(submission: Submission, copy: Copy, targets: Sequence[Target]) -> Arranged:
    """Where the copies of local recipients go: by their lists, then by their rules."""
    sender, scanned = submission.envelope_from, copy.local.scanned

    def file(account: AccountRow, matched: str, facts: Facts) -> Filed:
        placement = Placement(account.id, matched_address=matched)
        return filed(placement, facts, senders=(sender, scanned.sender_address))

    known, placed, held = facts_by_account(targets), [], []
    for account, matched in merge_accounts(targets).values():
        one = file(account, matched, known[account.id])
        if one.held:
            held.append(one)
        else:
            placed.append(Placed(account, matched, one.placement, known[account.id]))
    arranged = kept_as_filed(placed)
    if any(each.facts.ruled for each in placed):
        local = copy.local
        coming = Coming(copy.wire, scanned, sender, local.trace_length, file, require_tls=submission.require_tls)
        arranged = arrange(coming, placed)
    arranged.held += held
    return arranged


def _watched(submission: Submission, parcel: Parcel, routes: Sequence[Routed]) -> list[Placement]:
    """Copies of what a watched person sends, with Bcc where the author keeps it."""
    if submission.origin == Submission.Origin.SYSTEM:
        return []
    author = Account.objects.select_related("domain").filter(pk=submission.mailbox_id).first()
    if author is None:
        return []
    targets = _targets(routes)
    leaves = any(routed.target is Refusal.ELSEWHERE for routed in routes) or any(each.externals for each in targets)
    way = Way(to_inside=bool(targets), to_outside=leaves)
    local = parcel.local
    header_length = local.scanned.header_length - local.trace_length
    looked = Looked(parcel.wire, local.scanned, header_length, sender=submission.envelope_from)
    return copies_for(account_row(author), way, looked)


def _targets(routes: Sequence[Routed]) -> list[Target]:
    return [routed.target for routed in routes if isinstance(routed.target, Target)]


def _log(submission: Submission, routes: Sequence[Routed]) -> None:
    for routed in routes:
        if routed.target is Refusal.ELSEWHERE:
            continue
        state, code, text = str(State.DELIVERED), "2.1.5", ""
        if isinstance(routed.target, Refusal):
            state, (code, text) = str(State.BOUNCED), REFUSALS[routed.target]
        log_delivery(submission, routed.recipient, state=state, code=code, text=text)
        tell_outcome(Outcome(submission.pk, routed.recipient, state, code, text))


def _local_trace(sender: str) -> bytes:
    date = mail_date(time.time())
    return f"Return-Path: <{sender}>\r\nReceived: by {settings.EHLO_NAME}; {date}\r\n".encode()
