"""Handing a message over for sending: browser, mail program and system all end here.

One transaction: policy, submission and delivery rows, the Sent entry, the copies of local recipients, events. When it
has committed the mail is sent as far as its author is concerned; remote recipients are the queue's work from then on.
What a gate holds back (`mta.services.gates`) waits in its rows, and everything else happens at release.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Account, AccountRights
from accounts.selectors import is_local_domain, may_send_as, named
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs
from mailstore.message import scan, without_bcc
from mailstore.models import Draft
from mta import individual
from mta.approval.matching import facts_of
from mta.company.files import check_files
from mta.company.policy import send_policy
from mta.company.rates import count_mail, spend
from mta.company.viruses import look_through
from mta.inbound.accepted import remember
from mta.inbound.trace import new_queue_id
from mta.merging import names_recipients
from mta.models import Delivery, Submission
from mta.rights import check_rights, require_inside
from mta.services.gates import Gate, enter, next_gate
from mta.services.handover import Parcel, Routed, apply_routes, hand_over, route
from mta.services.program_copies import known_copy
from mta.services.sending import send_settings
from mta.smtp_in.commands import parse_address
from mta.wishes import NO_WISHES, Wishes

Origin = Submission.Origin

SCHEDULE_MAX_DAYS = 365
"""How far ahead a mail may be scheduled: a year's greetings; what is further away is a slip."""


@dataclasses.dataclass(frozen=True, slots=True)
class SubmitRequest:
    """What to send: `raw` with its Bcc, `recipients` the envelope (To, Cc and Bcc together)."""

    envelope_from: str
    recipients: Sequence[str]
    raw: bytes
    draft_id: int | None = None
    schedule_us: int = 0
    """When to send it; 0: now."""
    undo_s: int | None = None
    """How long a mail from the browser can be taken back before it leaves; None: as UNDO_SEND_S says."""
    save_to_sent: bool = True
    origin: str = Origin.WEB
    actor_id: int = 0
    wishes: Wishes = NO_WISHES
    queue_id: str = ""
    """The id that SMTP gave it already."""
    is_scanned: bool = False
    """Its bytes were looked at for viruses already, where the domain wants it."""
    digest: bytes = b""
    """By which a message is recognised when it comes again because the answer was lost (`mta.inbound.accepted`)."""
    individual: bool = False
    """群发单显: everybody gets a copy that names him alone (`mta.individual`)."""


def submit(access: Access, request: SubmitRequest) -> int:
    """Queue a message of `access.mailbox` and return the submission's id; durable when this returns.

    Raises NO_PERMISSION (no right to send, not from this address, or `stopped`), TOO_LARGE, LIMIT (recipients of a
    mail, or of a time, or copies of their own for too many colleagues (`individual`): `field` says which), INVALID
    (a forbidden `attachment`, a `virus`, an address, or none at all; an address without the name that the text wants
    (`merging`); a time that is over or too far away), UNAVAILABLE
    (the virus `scanner`), OVER_QUOTA (no room for the Sent entry), IN_USE (the
    draft is on its way already), AlreadyAcceptedError (the same `digest` is stored and perhaps never answered). Then
    nothing was changed.
    """
    access.require(Right.SEND)
    recipients = _recipients(request.recipients)
    account = _check_policy(access, request, recipients)
    policy, spending = None, None
    if request.origin != Origin.SYSTEM:
        policy = send_policy(account.domain_id)
        check_files(request.raw, policy.banned_files)
        spending = count_mail(access, account, policy, recipients)
        if not request.is_scanned:
            look_through(request.raw, account)
    now_us = time.time_ns() // 1000
    _check_schedule(request.schedule_us, now_us)
    submission = _new_submission(access, request, account.domain_id, now_us)
    facts = facts_of(submission, account, recipients, request.raw) if request.origin != Origin.SYSTEM else None
    gate = next_gate(submission, passed=None, facts=facts, now_us=now_us)
    if request.origin == Origin.SMTP:
        submission.sent_entry_id = known_copy(access, submission.message_id)
    sent = request.raw if request.save_to_sent and submission.sent_entry_id is None else None
    names = _names(request, recipients, account.domain_id) if request.individual else {}
    wire = individual.shared(request.raw) if request.individual else without_bcc(request.raw)
    routes = [] if gate else route(recipients, sender=request.envelope_from, domain_id=account.domain_id)
    parcel = Parcel.of(request.envelope_from, wire, sent=sent, policy=policy)
    if request.individual:
        parcel = parcel.with_copies(submission, routes, names)
    contents = [blobs.encode(each) for each in (parcel.wire, sent) if each is not None]
    with transaction.atomic():
        if request.digest:
            remember(request.digest)
        if spending is not None:
            spend(spending)
        ids = blobs.insert(contents)
        submission.wire_blob_id = ids[contents[0].sha256]
        submission.sent_blob_id = ids[contents[-1].sha256] if sent is not None else None
        _insert(submission)
        _create_deliveries(
            submission, {each: names.get(each.lower(), "") for each in recipients}, gate, routes, request.wishes
        )
        if gate:
            enter(submission, gate, facts, now_us)
        else:
            submission.is_gated = False
            hand_over(submission, parcel, routes)
    return submission.pk


def _insert(submission: Submission) -> None:
    """A draft leaves once: of two windows that send it, the second waits here for the first, and finds it gone."""
    submission.is_gated = True
    if submission.draft_id is None:
        submission.save(force_insert=True)
        return
    try:
        with transaction.atomic():
            submission.save(force_insert=True)
    except IntegrityError:
        raise MailError(ErrorKind.IN_USE) from None
    if not Draft.objects.filter(pk=submission.draft_id, mailbox_id=submission.mailbox_id).exists():
        raise MailError(ErrorKind.IN_USE)


def _names(request: SubmitRequest, recipients: Sequence[str], domain_id: int) -> Mapping[str, str]:
    """What each recipient is called, by address in lower case: as the author calls him, else as the company does where the
    text needs it."""
    names = individual.names_in(request.raw)
    if not names_recipients(request.raw):
        return names
    unknown = [each for each in recipients if each.lower() not in names]
    names = {address: found.name for address, found in named(unknown, {domain_id}).items() if found.name} | dict(names)
    if missing := [each for each in recipients if each.lower() not in names]:
        raise MailError(ErrorKind.INVALID, field="merging", address=missing[0], count=len(missing))
    return names


def _check_copies(recipients: Sequence[str], size: int) -> None:
    """Copies for colleagues are stored one by one."""
    colleagues = sum(is_local_domain(each.rpartition("@")[2]) for each in recipients)
    if colleagues > 1 and colleagues * size > individual.LOCAL_MAX_BYTES:
        raise MailError(ErrorKind.LIMIT, field="individual", limit=max(1, individual.LOCAL_MAX_BYTES // size))


def _check_schedule(schedule_us: int, now_us: int) -> None:
    if schedule_us and not now_us < schedule_us <= now_us + SCHEDULE_MAX_DAYS * 86_400_000_000:
        raise MailError(ErrorKind.INVALID, field="schedule", days=SCHEDULE_MAX_DAYS)


def _recipients(given: Sequence[str]) -> list[str]:
    """The envelope, each address once (domain names without case, RFC 5321 2.3.5)."""
    once: dict[str, str] = {}
    for text in given:
        address = parse_address(text.strip())
        if address is None:
            raise MailError(ErrorKind.INVALID, field="recipients", address=text)
        once.setdefault(address.lower(), address)
    if not once:
        raise MailError(ErrorKind.INVALID, field="recipients")
    return list(once.values())


def _check_policy(access: Access, request: SubmitRequest, recipients: Sequence[str]) -> Account:
    """The limits of the mailbox; whoever acts in another's mailbox writes outside only if he may himself."""
    account = Account.objects.select_related("domain", "rights").get(pk=access.mailbox)
    rights = getattr(account, "rights", None) or AccountRights(account=account)
    if request.origin == Origin.SYSTEM:
        rights = AccountRights(account=account)
    check_rights(account, rights, recipients, request.raw)
    if request.individual:
        _check_copies(recipients, len(request.raw))
    if request.origin == Origin.SYSTEM:
        return account
    if not may_send_as(access, request.envelope_from):
        raise MailError(ErrorKind.NO_PERMISSION, address=request.envelope_from)
    actor = request.actor_id or access.actor
    if actor not in (0, account.pk) and not AccountRights.of(actor).sends_outside:
        require_inside(account, recipients)
    return account


def _new_submission(access: Access, request: SubmitRequest, domain_id: int, now_us: int) -> Submission:
    scanned = scan(request.raw)
    return Submission(
        mailbox_id=access.mailbox,
        domain_id=domain_id,
        actor_id=request.actor_id or access.actor,
        origin=request.origin,
        envelope_from=request.envelope_from,
        message_id=(scanned.message_id or "")[:250],
        subject=scanned.subject[:500],
        queue_id=request.queue_id or new_queue_id(now_us / 1_000_000),
        draft_id=request.draft_id,
        created_us=now_us,
        release_us=_undo_until_us(request, now_us),
        schedule_us=request.schedule_us,
        is_followed=request.origin != Origin.SYSTEM and send_settings(access.mailbox).follows,
        returned=request.wishes.returned,
        envelope_id=request.wishes.envelope_id,
        require_tls=request.wishes.require_tls,
        is_individual=request.individual,
    )


def _undo_until_us(request: SubmitRequest, now_us: int) -> int:
    """When the undo time of a new submission is over; 0 for none. Scheduled mail can be stopped until it is due."""
    undo_s = settings.UNDO_SEND_S if request.undo_s is None else request.undo_s
    if request.origin != Origin.WEB or request.schedule_us or undo_s <= 0:
        return 0
    return int(now_us + undo_s * 1_000_000)


def _create_deliveries(
    submission: Submission,
    recipients: Mapping[str, str],
    gate: Gate | None,
    routes: list[Routed],
    wishes: Wishes,
) -> None:
    now_us = submission.created_us
    rows = [
        Delivery(
            submission=submission,
            mailbox_id=submission.mailbox_id,
            recipient=recipient,
            domain=recipient.rpartition("@")[2],
            state=gate.state if gate else Delivery.State.QUEUED,
            next_attempt_us=gate.until_us if gate else now_us,
            updated_us=now_us,
            notify=wishes.of(recipient).notify,
            original=wishes.of(recipient).original,
            name=name[:200],
        )
        for recipient, name in recipients.items()
    ]
    apply_routes(rows, routes, now_us)
    Delivery.objects.bulk_create(rows)
