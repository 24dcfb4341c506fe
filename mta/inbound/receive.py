"""A message of a stranger into the mailboxes: trace, steps, one group-committed transaction, then 250.

The writer's transaction holds everything that must stand or fall together: message rows, the `accepted` row, and the
queue rows for external members of lists. Nothing is spooled; a refusal is given in the dialogue.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.conf import settings

from accounts.rows import AccountRow
from core import dbthread
from core.errors import ErrorKind, MailError
from logs_app.models import Kind
from logs_app.services import NewEvent
from mailstore.services.deliver import Incoming, Placement, Prepared, deliver_async, prepare
from mta.authentication.results import Judgement
from mta.company.journal import incoming_journals
from mta.dmarc_reports.observed import Observation, observe
from mta.inbound.accepted import AlreadyAcceptedError, digest_of, remember_all
from mta.inbound.afterwards import Happened
from mta.inbound.arranging import Placed, arrange, kept_as_filed
from mta.inbound.coming import Coming
from mta.inbound.facts import Facts
from mta.inbound.filing import Filed, filed
from mta.inbound.judging import NO_CONSEQUENCE, Consequence, Examined, Judging, consequence, require_scanned
from mta.inbound.recipients import Target, facts_by_account, merge_accounts
from mta.inbound.trace import Arrival, checked_header, passed_by, trace_block, without_our_results
from mta.inbound.weighing import Seen, Weighing, seen_senders, weigh
from mta.outbound.signatures import arc_set
from mta.quarantine.store import quarantine
from mta.services.bounces import bounce_in, note_bounce
from mta.services.effects import carry_out
from mta.services.lists import queue_for_externals
from mta.services.moderation import hold_post
from mta.spam.finding import NOTHING, Judged, Rule
from mta.steps import Mail, place

PREPARE_ON_LOOP_MAX = 64 * 1024
"""Below this, preparing on the event loop (0.2 ms) is cheaper than a thread; above it would make clients wait."""
NO_NOTES: Mapping[str, object] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Transaction:
    """One envelope with its targets, and how it came."""

    arrival: Arrival
    sender: str
    recipients: Sequence[str]
    targets: Sequence[Target]
    require_tls: bool = False
    """What leaves again must stay encrypted (RFC 8689)."""
    as_sent: bytes | None = None
    """The message as it was signed, where it is stored in another form (RFC 3030 3)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """What follows a stored mail: the digest to forget once its answer was read (empty: it was stored before), what
    happened for the log, which is written in batches after the commit, and what to report to the author's domain."""

    digest: bytes
    happened: Happened | None
    observation: Observation | None = None
    seen: tuple[Seen, ...] = ()
    """For the senders' records."""


class RefusedError(MailError):
    """Judged and refused; what `happened` is for the log, `observation` for the report to the author's domain."""

    def __init__(self, cause: MailError, happened: Happened, observation: Observation | None) -> None:
        super().__init__(cause.kind, **cause.data)
        self.happened = happened
        self.observation = observation


async def receive(transaction: Transaction, message: bytes, *, judging: Judging | None = None) -> Receipt:
    """Store `message` for every target, durably; what is left to do after the 250 comes back.

    It is judged when `judging` is given. Raises MailError (RefusedError after a judgement) or DatabaseError; then
    nothing is stored.
    """
    header = checked_header(message)
    transaction = _without_circles(transaction, header)
    judgement, examined, results, decided, observation = None, None, b"", NO_CONSEQUENCE, None
    if judging is not None:
        envelope = (transaction.arrival, transaction.sender, transaction.recipients)
        examined = await judging.examine(*envelope, header, message, as_sent=transaction.as_sent)
        judgement = examined.judgement
        decided = _decide(transaction, judgement)
        require_scanned(examined.outside, transaction.targets)
        results = judgement.field(settings.EHLO_NAME)
        observation = _observed(transaction, judgement, "quarantine" if decided.junk_domains else "none")
    received = without_our_results(message, header)
    trace = trace_block(transaction.arrival, transaction.sender, results)
    digest = digest_of(transaction.sender, transaction.recipients, message)
    if len(received) <= PREPARE_ON_LOOP_MAX:
        prepared = prepare(received, trace=trace)
    else:
        prepared = await dbthread.run(prepare, received, trace=trace)
    weighed: Mapping[int, Judged] = {}
    if judging is not None and examined is not None:
        weighed = await weigh(Weighing(transaction, examined, prepared, received), judging.ask_known)
    file = _Filing(Mail(transaction.sender, transaction.arrival, header), decided, prepared, weighed)
    files = _filed(transaction, file)
    arranged = kept_as_filed([each for each, one in files if not one.held])
    if any(each.facts.ruled for each, _ in files):
        origin = (transaction.arrival, judgement, transaction.require_tls)
        coming = Coming(received, prepared.scanned, transaction.sender, len(trace), file, *origin)
        arranged = await dbthread.run(arrange, coming, [each for each, one in files if not one.held])
    leaving = _leaving(transaction, decided, files, examined)
    also = [await _forwarding(transaction, leaving, received, judgement)] if leaving else []
    if waiting := [target for target in transaction.targets if target.held_group_id]:
        also.append(functools.partial(_hold, waiting, prepared, transaction))
    if any(facts.journal for target in transaction.targets for facts in target.facts.values()):
        about = (transaction.targets, trace + received, prepared.scanned, transaction.sender)
        also += [each.write for each in await dbthread.run(incoming_journals, *about)]
    for target in transaction.targets:
        if target.delivery_id and (bounce := bounce_in(target.delivery_id, received)):
            also.append(functools.partial(note_bounce, bounce))
    if arranged.has_effects:
        also.append(functools.partial(carry_out, arranged))
    if held := [*(each for _, each in files if each.held), *arranged.held]:
        also.append(
            functools.partial(quarantine, held, prepared, transaction.sender, require_tls=transaction.require_tls)
        )
    put_aside = {each.account.id: one.held or "junk" for each, one in files if one.is_junk}
    try:
        item = Incoming(prepared, arranged.placements, _all(also), about=digest, together=remember_all)
        await deliver_async(item)
    except AlreadyAcceptedError:
        return Receipt(b"", None)
    seen = seen_senders(judgement, prepared, put_aside, transaction) if judgement is not None else ()
    notes = {account_id: {"put_aside": where} for account_id, where in put_aside.items()} | arranged.notes
    return Receipt(digest, _happened(transaction, prepared, notes), observation, seen)


def _without_circles(transaction: Transaction, header: bytes) -> Transaction:
    """Without lists that this mail comes back to: of two outside members who send it there again each round would double
    it. Raises LIMIT when nobody is left."""
    passed = passed_by(header)
    kept = [each for each in transaction.targets if not (each.is_group and each.matched.lower() in passed)]
    if transaction.targets and not kept:
        raise MailError(ErrorKind.LIMIT, part="received")
    return dataclasses.replace(transaction, targets=kept) if len(kept) < len(transaction.targets) else transaction


def _leaving(
    transaction: Transaction,
    decided: Consequence,
    files: Sequence[tuple[Placed, Filed]],
    examined: Examined | None,
) -> list[Target]:
    """Lists whose outside members get it: not a forgery, not a virus, not what all members here have put aside."""
    if examined is not None and any(finding.rule is Rule.VIRUS for finding in examined.outside.findings):
        return []
    unwanted = {each.account.id for each, one in files if one.is_unwanted}
    return [
        target
        for target in transaction.targets
        if target.externals
        and target.domain_id not in decided.junk_domains
        and not (target.accounts and all(account.id in unwanted for account in target.accounts))
    ]


def _all(also: Sequence[Callable[[], None]]) -> Callable[[], None] | None:
    """One call for what the transaction writes beside the mail."""
    if len(also) < 2:
        return also[0] if also else None

    def every() -> None:
        for each in also:
            each()

    return every


def _decide(transaction: Transaction, judgement: Judgement) -> Consequence:
    try:
        return consequence(judgement, transaction.targets)
    except MailError as error:
        reason = f"dmarc {judgement.dmarc.domain}: {judgement.dmarc.reason}"
        happened = functools.partial(_refused, transaction.arrival, transaction.sender, transaction.targets, reason)
        raise RefusedError(error, happened, _observed(transaction, judgement, "reject")) from None


def _observed(transaction: Transaction, judgement: Judgement, done: str) -> Observation | None:
    if not settings.DMARC_REPORTS:
        return None
    arrival = transaction.arrival
    return observe(judgement, source=arrival.remote_address, sender=transaction.sender, at_s=arrival.at_s, done=done)


def _filed(transaction: Transaction, file: _Filing) -> list[tuple[Placed, Filed]]:
    known = facts_by_account(transaction.targets)
    found = []
    for account, matched in merge_accounts(transaction.targets).values():
        one = file(account, matched, known[account.id])
        found.append((Placed(account, matched, one.placement, known[account.id]), one))
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class _Filing:
    """Where the mail goes by what was found out about it and whom its readers list."""

    mail: Mail
    decided: Consequence
    prepared: Prepared
    weighed: Mapping[int, Judged]

    def __call__(self, account: AccountRow, matched: str, facts: Facts) -> Filed:
        at_us = int(self.mail.arrival.at_s * 1_000_000)
        placement = Placement(account.id, matched_address=matched, internal_us=at_us)
        unproven = account.domain_id in self.decided.junk_domains
        judged = self.weighed.get(account.id, NOTHING)
        senders = (self.mail.sender, self.prepared.scanned.sender_address)
        one = filed(placement, facts, judged, unproven=unproven, senders=senders)
        return one if one.held else Filed(place(self.mail, account, one.placement))


def _hold(targets: Sequence[Target], prepared: Prepared, transaction: Transaction) -> None:
    for target in targets:
        hold_post(target, prepared, transaction.sender, is_local=False, require_tls=transaction.require_tls)


async def _forwarding(
    transaction: Transaction, leaving: Sequence[Target], received: bytes, judgement: Judgement | None
) -> Callable[[], None]:
    """What the writer's transaction queues, sealed beforehand: it stands or falls with the rows of the mail."""
    now_s = transaction.arrival.at_s
    sealed = [b""] * len(leaving)
    if judgement is not None:
        for number, target in enumerate(leaving):
            sealed[number] = await dbthread.run(arc_set, received, judgement, domain_id=target.domain_id, now_s=now_s)
    return functools.partial(_queue, transaction, leaving, received, sealed)


def _queue(transaction: Transaction, leaving: Sequence[Target], received: bytes, sealed: Sequence[bytes]) -> None:
    for target, arc in zip(leaving, sealed, strict=True):
        queue_for_externals(
            target,
            received,
            transaction.arrival,
            sealed=arc,
            require_tls=transaction.require_tls,
        )


def _happened(transaction: Transaction, prepared: Prepared, notes: Mapping[int, Mapping[str, object]]) -> Happened:
    """It holds nothing of the message until the log is written."""
    facts = {"size": prepared.size, "subject": prepared.subject}
    return functools.partial(_received, transaction.arrival, transaction.sender, transaction.targets, facts, notes)


def _received(
    arrival: Arrival,
    sender: str,
    targets: Sequence[Target],
    facts: dict[str, object],
    notes: Mapping[int, Mapping[str, object]],
) -> Iterator[NewEvent]:
    """One RECEIVED event for each account, and one for each member whose mailbox had no room."""
    for account, matched in merge_accounts(targets).values():
        yield _event(arrival, sender, account, matched, {**facts, **notes.get(account.id, NO_NOTES)})
    for target in targets:
        for member in target.full:
            yield _event(arrival, sender, member, target.matched, facts, error="over_quota")


def _refused(arrival: Arrival, sender: str, targets: Sequence[Target], reason: str) -> Iterator[NewEvent]:
    for account, matched in merge_accounts(targets).values():
        yield _event(arrival, sender, account, matched, error=reason)


def _event(
    arrival: Arrival,
    sender: str,
    account: AccountRow,
    matched: str,
    facts: Mapping[str, object] = NO_NOTES,
    *,
    error: str = "",
) -> NewEvent:
    return NewEvent(
        Kind.RECEIVED if facts else Kind.REFUSED,
        at=datetime.datetime.fromtimestamp(arrival.at_s, datetime.UTC),
        domain_id=account.domain_id,
        account_id=account.id,
        address=account.address,
        protocol="smtp",
        remote_address=arrival.remote_address,
        succeeded=not error,
        error=error[:200],
        data={"from": sender, "to": matched or account.address, "queue_id": arrival.queue_id, **facts},
    )
