"""The spam judgement of a mail, for everyone it reaches: contents once, what is known of the sender in one query, then
pure rules. What happens to the mail is `mta.inbound.filing`'s."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING

from mailstore.message.recipient import people
from mailstore.services.deliver import Prepared
from mta.authentication.letter import Letter
from mta.authentication.results import Judgement
from mta.inbound.judging import Examined
from mta.inbound.recipients import facts_by_account, merge_accounts
from mta.spam.contents import contents_of
from mta.spam.finding import Finding, Judged
from mta.spam.known import Known, Question, sender_names
from mta.spam.score import Subject, judge_common, judge_files_of, judge_personal, judged
from mta.spam.senders import Author, is_proven
from mta.spam.words import tokens_of

if TYPE_CHECKING:
    from mta.inbound.receive import Transaction

ON_LOOP_MAX = 64 * 1024
"""Contents of a larger mail are taken apart beside the event loop."""


@dataclasses.dataclass(frozen=True, slots=True)
class Weighing:
    """What is weighed. `received` are the bytes without the trace block."""

    transaction: Transaction
    examined: Examined
    prepared: Prepared
    received: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A sender's mail that was delivered or put aside, for his record in one company."""

    domain_id: int
    name: str
    is_flagged: bool


async def weigh(weighing: Weighing, ask: Callable[[Question], Awaitable[Mapping[int, Known]]]) -> Mapping[int, Judged]:
    """What was found, by account. One question to `ask`, which answers as `known_about`."""
    if len(weighing.received) <= ON_LOOP_MAX:
        subject = _subject(weighing)
    else:
        subject = await asyncio.get_running_loop().run_in_executor(None, _subject, weighing)
    targets = weighing.transaction.targets
    facts = facts_by_account(targets)
    readers = {account: facts[account.id] for account, _ in merge_accounts(targets).values()}
    proven = is_proven(weighing.examined.judgement)
    known = await ask(Question(subject.author, subject.tokens, readers, proven))
    return _judged(weighing, subject, known)


def _judged(weighing: Weighing, subject: Subject, known: Mapping[int, Known]) -> dict[int, Judged]:
    """Where somebody outside has judged the contents, our rules for origin, header and links are not asked; who the
    sender is to this company and to this reader nobody outside knows."""
    files, outside = judge_files_of(subject), weighing.examined.outside
    common: dict[frozenset[str], tuple[Finding, ...]] = {}
    found = {}
    for account_id, each in known.items():
        ours = each.about.ours
        if ours not in common:
            common[ours] = judge_common(subject, ours=ours, only_proof=outside.is_judged)
        personal = judge_personal(subject, each.about, each.experience)
        found[account_id] = judged(outside.findings, common[ours], files, personal)
    return found


def _subject(weighing: Weighing) -> Subject:
    prepared, arrival = weighing.prepared, weighing.transaction.arrival
    contents = contents_of(weighing.received, prepared.scanned, shift=prepared.trace_length)
    author = author_of(prepared, weighing.examined.letter)
    facts = facts_by_account(weighing.transaction.targets).values()
    is_taught = any(each.company.is_enough or each.own.is_enough for each in facts)
    tokens = tokens_of(contents, author.address) if is_taught else ()
    return Subject(
        weighing.examined.judgement,
        weighing.examined.letter,
        prepared.scanned,
        contents,
        author,
        int(arrival.at_s * 1e6),
        tokens,
    )


def author_of(prepared: Prepared, letter: Letter) -> Author:
    """Who the mail says it is from, and where answers go."""
    scanned = prepared.scanned
    answers = [person.address for field in letter.named(b"reply-to")[:1] for person in people(field.value)[:1]]
    reply_to = answers[0] if answers and answers[0].lower() != scanned.sender_address.lower() else ""
    return Author(scanned.sender_name, scanned.sender_address, reply_to)


def seen_senders(
    judgement: Judgement, prepared: Prepared, put_aside: Collection[int], transaction: Transaction
) -> tuple[Seen, ...]:
    """Two for each company: the author's address and his domain. `put_aside`: ids of the accounts whose copy is."""
    author = Author(prepared.scanned.sender_name, prepared.scanned.sender_address)
    if not author.domain:
        return ()
    flagged: dict[int, bool] = {}
    for account, _ in merge_accounts(transaction.targets).values():
        flagged[account.domain_id] = flagged.get(account.domain_id, False) or account.id in put_aside
    names = sender_names(author, proven=is_proven(judgement))
    return tuple(Seen(domain_id, name, is_flagged) for domain_id, is_flagged in flagged.items() for name in names)
