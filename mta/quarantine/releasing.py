"""A mail that somebody wants after all goes the way it would have gone: by the filters and the forwarding of whom it is for.

A filter that rejects is passed over, for a person has overruled it; nobody is answered automatically, for who reads his
quarantine is there, and the sender was proven on another day. Monitors get their copy now, unless they had it when a
filter rejected the mail. A virus goes to the one mailbox alone, by no rule.
"""

from __future__ import annotations

import dataclasses
import time

from django.db import transaction

from accounts.models import Account
from accounts.rows import AccountRow, account_row
from logs_app.models import Kind
from logs_app.services import record
from mailstore import blobs, sql
from mailstore.services.deliver import Incoming, Placement, Prepared, prepare, store
from mailstore.services.touch import touch_on_commit
from mta.inbound.arranging import Arranged, Placed, arrange, kept_as_filed
from mta.inbound.coming import Coming
from mta.inbound.facts import Facts, facts_of
from mta.inbound.filing import DANGEROUS, Filed, Verdict, filed
from mta.models import ListedSender, QuarantinedMail, SpamLesson
from mta.quarantine.store import quarantine
from mta.rules.kinds import FILTER, FORWARD, MONITOR
from mta.services.effects import carry_out
from mta.services.senders import list_sender
from mta.spam.finding import Judged, decode
from mta.spam.lessons import want

State = QuarantinedMail.State


def deliver(mail: QuarantinedMail, *, via: str, trust: bool) -> bool:
    """Deliver it, durably, once; False when somebody did before. Learnt as wanted where it is kept."""
    account = Account.objects.select_related("domain").get(pk=mail.account_id)
    raw = blobs.get(mail.blob_id)
    prepared = prepare(raw[mail.trace_length :], trace=raw[: mail.trace_length])
    arranged = _arranged(mail, account_row(account), raw, prepared)
    with transaction.atomic():
        if not set_state(mail, State.RELEASED):
            return False
        quarantine(arranged.held, prepared, mail.envelope_from, require_tls=mail.require_tls)
        stored = store([Incoming(prepared, arranged.placements)]) if arranged.placements else []
        carry_out(arranged)
        for entry_id in (each.entry_ids[account.pk] for each in stored if account.pk in each.entry_ids):
            [message_id] = sql.row("SELECT message_id FROM mailstore_entry WHERE id = %s", [entry_id])
            want(account.pk, [message_id], SpamLesson.Lesson.HAM)
        if trust and mail.sender_address:
            list_sender(account.domain, mail.sender_address, ListedSender.Wish.SAFE, account=account, actor=account)
        _log(mail, account, via, arranged.notes.get(account.pk, {}))
    return True


def set_state(
    mail: QuarantinedMail, state: QuarantinedMail.State, *, before: QuarantinedMail.State = State.HELD
) -> int:
    """From `before` to `state`, unless somebody has decided since `mail` was read; when, in microseconds, or 0: only one of
    several who try at once succeeds."""
    now_us = time.time_ns() // 1000
    as_read = QuarantinedMail.objects.filter(pk=mail.pk, state=before, decided_us=mail.decided_us)
    if not as_read.update(state=state, decided_us=now_us):
        return 0
    touch_on_commit([mail.account_id])
    return now_us


def _arranged(mail: QuarantinedMail, row: AccountRow, raw: bytes, prepared: Prepared) -> Arranged:
    facts = facts_of([row])[row.id]
    kept = Placement(
        row.id, matched_address=mail.matched_address, verdict=int(Verdict.RELEASED), judgement=mail.judgement
    )
    placed = Placed(row, mail.matched_address, kept, dataclasses.replace(facts, ruled=facts.ruled & _asked(mail)))
    if not placed.facts.ruled:
        return kept_as_filed([placed])
    judged = decode(mail.judgement)
    dangerous = Judged(tuple(finding for finding in judged.findings if finding.rule in DANGEROUS))

    def file(account: AccountRow, matched: str, known: Facts) -> Filed:
        senders = (mail.envelope_from, mail.sender_address)
        return filed(Placement(account.id, matched_address=matched), known, dangerous, senders=senders)

    coming = Coming(
        raw[mail.trace_length :],
        prepared.scanned,
        mail.envelope_from,
        mail.trace_length,
        file,
        require_tls=mail.require_tls,
        is_released=True,
        earlier_hop=_hop(raw[: mail.trace_length]),
    )
    return arrange(coming, [placed])


def _asked(mail: QuarantinedMail) -> frozenset[str]:
    """The kinds of rules that are asked about this mail."""
    if mail.kind == QuarantinedMail.Kind.VIRUS:
        return frozenset()
    monitors = () if mail.kind == QuarantinedMail.Kind.REJECTED else (MONITOR,)
    return frozenset((FILTER, FORWARD, *monitors))


def _hop(trace: bytes) -> bytes:
    """Our Received field of then; what was written here has one that names no client."""
    begin = trace.find(b"Received: from ")
    return trace[begin:] if begin >= 0 else b""


def _log(mail: QuarantinedMail, account: Account, via: str, notes: dict[str, object]) -> None:
    facts = {"from": mail.envelope_from, "size": mail.size, "subject": mail.subject, "put_aside": "released"}
    record(
        Kind.RECEIVED,
        domain_id=mail.domain_id,
        account_id=mail.account_id,
        address=account.address,
        protocol=via,
        data=facts | notes,
    )
