"""What rules make of a mail besides keeping it, written in the transaction that stores it.

A forward that can't be written fails the mail (it may be kept nowhere else); an answer that can't be given never does.
"""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import connection, transaction

from accounts.rows import AccountRow
from core.errors import MailError
from mailstore import blobs
from mailstore.message import scan
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.inbound.answering import Answer
from mta.inbound.arranging import Arranged, Placed, arrange
from mta.inbound.coming import Coming
from mta.inbound.facts import Facts
from mta.inbound.filing import Filed, filed
from mta.inbound.forwarding import Forward
from mta.inbound.recipients import Refusal, Target, find_target, merge_accounts
from mta.inbound.trace import mail_date
from mta.models import Forwarded
from mta.quarantine.store import quarantine
from mta.services.system_mail import queue_mail

log = logging.getLogger(__name__)


def carry_out(arranged: Arranged) -> None:
    """Everything of it, inside the caller's transaction."""
    for forward in arranged.forwards:
        _forward(forward)
    for answer in arranged.answers:
        if _is_first(answer):
            try:
                with transaction.atomic():
                    send_alone(answer.domain_id, answer.sender, answer.raw)
            except MailError:
                log.exception("no answer", extra={"account": answer.account_id})


def _forward(forward: Forward) -> None:
    submission_id = queue_mail(
        forward.account.domain_id,
        forward.addresses,
        forward.content,
        message_id=forward.message_id,
        subject=forward.subject,
        envelope_from=forward.envelope_from,
        require_tls=forward.require_tls,
    )
    Forwarded.objects.create(submission_id=submission_id, account_id=forward.account.id, is_kept=forward.is_kept)


def _is_first(answer: Answer) -> bool:
    """Remember that this sender has his answer; False when he had it meanwhile."""
    query = (
        "INSERT INTO mta_autoreplied (account_id, sender_hash, at_us) VALUES (%s, %s, %s) "
        "ON CONFLICT (account_id, sender_hash) DO UPDATE SET at_us = excluded.at_us "
        "WHERE mta_autoreplied.at_us <= %s RETURNING at_us"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [answer.account_id, answer.sender_hash, time.time_ns() // 1000, answer.since_us])
        return cursor.fetchone() is not None


def send_alone(domain_id: int, recipient: str, raw: bytes) -> None:
    """A message with the null sender to one address, inside the caller's transaction: stored when it is ours (by its
    owner's lists and rules), queued when it is not, forgotten when nobody may have it (RFC 5321 6.1)."""
    target = find_target(recipient, sender="")
    if target is Refusal.ELSEWHERE:
        scanned = scan(raw)
        content, message_id = blobs.encode(raw), scanned.message_id or ""
        queue_mail(domain_id, [recipient], content, message_id=message_id, subject=scanned.subject, envelope_from="")
    elif isinstance(target, Target):
        store_for(target, raw, _trace(""), "")


def _trace(sender: str) -> bytes:
    return f"Return-Path: <{sender}>\r\nReceived: by {settings.EHLO_NAME}; {mail_date(time.time())}\r\n".encode()


def store_for(target: Target, raw: bytes, trace: bytes, sender: str) -> None:
    """Deliver `raw` to the accounts of `target` by their lists and rules, inside the caller's transaction."""
    prepared = prepare(raw, trace=trace)
    author = prepared.scanned.sender_address

    def file(account: AccountRow, matched: str, facts: Facts) -> Filed:
        return filed(Placement(account.id, matched_address=matched), facts, senders=(sender, author))

    placed, held = [], []
    for account, matched in merge_accounts([target]).values():
        one = file(account, matched, target.facts[account.id])
        if one.held:
            held.append(one)
        else:
            placed.append(Placed(account, matched, one.placement, target.facts[account.id]))
    arranged = arrange(Coming(raw, prepared.scanned, sender, len(trace), file), placed)
    quarantine([*held, *arranged.held], prepared, sender)
    store([Incoming(prepared, arranged.placements)])
    carry_out(arranged)
