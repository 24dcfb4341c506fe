"""Whether an account answers a mail by itself, to whom, from which of its names, with which text."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable

from accounts.addressing import parse
from accounts.rows import AccountRow
from accounts.selectors import is_local_domain, resolve
from mailstore.message import address_hash
from mta.authentication.outcome import Outcome
from mta.inbound.coming import Coming
from mta.models import AutoReplied, AutoReply
from mta.rules.looked import Looked
from mta.rules.replying import answer, may_be_answered

DAY_US = 86_400_000_000
ADDRESSED_MAX = 20
"""Local addresses of To and Cc that are looked up; who is one of more is not meant in person."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is ready; `mta.services.effects` sends it unless the sender had one after `since_us` meanwhile."""

    account_id: int
    domain_id: int
    sender: str
    sender_hash: int
    since_us: int
    raw: bytes


def answer_for(reply: AutoReply, account: AccountRow, looked: Looked, coming: Coming) -> Answer | None:
    """The answer, or None where RFC 3834 or the account says that there is none."""
    sender, now_us = coming.sender, time.time_ns() // 1000
    if not _is_time(reply, now_us) or not may_be_answered(looked, coming.scanned, sender):
        return None
    if coming.judgement and coming.judgement.spf.outcome in (Outcome.FAIL, Outcome.SOFTFAIL):
        return None  # he did not write it
    text = _text(reply, account, coming)
    since_us = now_us - reply.every_days * DAY_US
    sender_hash = address_hash(sender)
    if not text or AutoReplied.objects.filter(account=account.id, sender_hash=sender_hash, at_us__gt=since_us).exists():
        return None
    written_to = _written_to(account, looked.addressed)
    if written_to is None:
        return None
    raw = answer(coming.scanned, account=account, written_to=written_to, sender=sender, text=text)
    return Answer(account.id, account.domain_id, sender, sender_hash, since_us, raw)


def _is_time(reply: AutoReply, now_us: int) -> bool:
    now_s = now_us / 1_000_000
    begun = reply.begins_at is None or reply.begins_at.timestamp() <= now_s
    return begun and (reply.ends_at is None or now_s < reply.ends_at.timestamp())


def _text(reply: AutoReply, account: AccountRow, coming: Coming) -> str:
    """A colleague's, an outsider's, or none: to oneself, and to who only says that he is one of us."""
    if not is_local_domain(coming.sender.rpartition("@")[2]):
        return (reply.outside_text or reply.text) if reply.answers_outside else ""
    found = resolve(coming.sender)
    if not coming.is_local or found is None or found.account is None or found.account.id == account.id:
        return ""
    if found.account.domain_id == account.domain_id:
        return reply.text
    return (reply.outside_text or reply.text) if reply.answers_outside else ""


def _written_to(account: AccountRow, addresses: Iterable[str]) -> str | None:
    """The name of this mailbox in To or Cc, without a tag; None: it was not meant in person (RFC 3834 2)."""
    local = [parts for parts in map(parse, addresses) if parts is not None and is_local_domain(parts.domain)]
    for parts in local[:ADDRESSED_MAX]:
        found = resolve(parts.address)
        if found is not None and found.kind == "account" and found.account and found.account.id == account.id:
            return parts.untagged.address
    return None
