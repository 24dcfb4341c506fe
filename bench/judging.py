"""What judging and signing cost: CPU for each mail of 8 KB, the answers of the DNS known already.

The spam rows are what weighing adds to a delivery that was judged: taking the contents apart and the rules alone, then
with the one query (all threads counted) without and with words that were learnt.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts.models import Account
from accounts.rows import AccountRow, account_row
from bench.corpus import letter
from bench.report import report
from bench.site import accounts
from mailstore.models import Entry
from mailstore.services.deliver import Incoming, Placement, Prepared, prepare, store
from mta.authentication.judge import Origin, judge
from mta.authentication.letter import Letter
from mta.authentication.resolver import NOTHING, Answer, Key, Resolver, Status
from mta.authentication.results import Judgement
from mta.authentication.signing import SigningKey, new_key, public_record, sign
from mta.inbound.facts import Facts, facts_of
from mta.spam.contents import contents_of
from mta.spam.known import Question, known_about
from mta.spam.lessons import learn, want
from mta.spam.score import Subject, judge_common, judge_files_of, judge_personal, judged
from mta.spam.senders import Author
from mta.spam.words import tokens_of

DOMAIN = "bench.example"
ORIGIN = Origin("192.0.2.9", f"mx.{DOMAIN}", f"x@{DOMAIN}")
KEYS = [SigningKey(DOMAIN, kind, new_key(kind)) for kind in ("rsa", "ed25519")]
TEXTS: dict[Key, str] = {
    (DOMAIN, "TXT"): "v=spf1 ip4:198.51.100.0/24 include:spf.bench.example -all",
    (f"spf.{DOMAIN}", "TXT"): "v=spf1 ip4:203.0.113.0/24 ip4:192.0.2.0/24 ~all",
    (f"_dmarc.{DOMAIN}", "TXT"): "v=DMARC1; p=reject",
    **{(f"{key.selector}._domainkey.{DOMAIN}", "TXT"): public_record(key.private) for key in KEYS},
}


class Known(Resolver):
    """Knows all answers."""

    def known(self, key: Key) -> Answer | None:
        """At once."""
        text = TEXTS.get(key)
        return Answer(Status.FOUND, (text.encode(),)) if text else NOTHING


def main(*, full: bool) -> None:
    """Rounds of a few hundred mails, medians."""
    rounds, count = (9, 500) if full else (5, 300)
    mails = [_authored(letter(number)) for number in range(count)]
    signed = {names: [sign(Letter.of(mail), _keys(names), time.time()) + mail for mail in mails] for names in SIGNERS}
    rows: list[dict[str, Any]] = [_row("judge, not signed", mails, rounds, _judge)]
    rows += [_row(f"judge, signed by {names}", signed[names], rounds, _judge) for names in SIGNERS]
    rows += [_row(f"sign by {names}", mails, rounds, lambda each, of=names: _sign(each, of)) for names in SIGNERS]
    rows += spam_rows(mails, rounds)
    report("judging", "Judging, weighing and signing", rows, rounds=rounds)


def spam_rows(mails: list[bytes], rounds: int) -> list[dict[str, Any]]:
    """Rules alone, then with the query on a database of its own."""
    prepared = [(mail, prepare(mail), Letter.of(mail)) for mail in mails]
    judgement = asyncio.run(judge(Known(), ORIGIN, prepared[0][2], now_s=time.time()))
    rows = [_row("spam: contents and rules", mails, rounds, lambda some: _rules(prepared[: len(some)], judgement))]
    [account] = accounts(1)
    reader = account_row(account)
    for what, taught in (("spam: with the query", 0), ("spam: with the query and words", 60)):
        teach(account, [mail for mail, _, _ in prepared[:taught]])
        facts = facts_of([reader])[reader.id]
        rows.append(
            _row(what, mails, rounds, lambda some, of=facts: _weighed(prepared[: len(some)], judgement, reader, of))
        )
    return rows


def _subject(mail: bytes, kept: Prepared, letter: Letter, judgement: Judgement, taught: bool) -> Subject:
    contents = contents_of(mail, kept.scanned)
    author = Author(kept.scanned.sender_name, kept.scanned.sender_address)
    tokens = tokens_of(contents, author.address) if taught else ()
    return Subject(judgement, letter, kept.scanned, contents, author, time.time_ns() // 1000, tokens)


def _rules(some: list[tuple[bytes, Prepared, Letter]], judgement: Judgement) -> None:
    for mail, kept, split in some:
        subject = _subject(mail, kept, split, judgement, taught=False)
        judged(judge_files_of(subject), judge_common(subject, ours=frozenset({DOMAIN}))).encode()


def _weighed(
    some: list[tuple[bytes, Prepared, Letter]], judgement: Judgement, reader: AccountRow, facts: Facts
) -> None:
    for mail, kept, split in some:
        subject = _subject(mail, kept, split, judgement, taught=facts.company.is_enough)
        known = known_about([Question(subject.author, subject.tokens, {reader: facts}, proven=True)])[0][reader.id]
        personal = judge_personal(subject, known.about, known.experience)
        judged(judge_files_of(subject), judge_common(subject, ours=known.about.ours), personal).encode()


def teach(account: Account, mails: list[bytes]) -> None:
    """Learn half of them as spam, half as wanted."""
    for number, mail in enumerate(mails):
        with transaction.atomic():
            [stored] = store([Incoming(prepare(mail), [Placement(account.pk)])])
            message_id = Entry.objects.values_list("message_id", flat=True).get(pk=stored.entry_ids[account.pk])
            want(account.pk, [message_id], "spam" if number % 2 else "ham")
    learn()


SIGNERS = ("rsa", "rsa and ed25519")


def _keys(names: str) -> list[SigningKey]:
    return [key for key in KEYS if key.selector in names.split(" and ")]


def _authored(raw: bytes) -> bytes:
    header, _, body = raw.partition(b"\r\n\r\n")
    kept = [line for line in header.split(b"\r\n") if not line.lower().startswith(b"from:")]
    return b"\r\n".join([f"From: x@{DOMAIN}".encode(), *kept, b"", body])


def _judge(mails: list[bytes]) -> None:
    async def all_of_them() -> None:
        resolver = Known()
        for mail in mails:
            found = await judge(resolver, ORIGIN, Letter.of(mail), now_s=time.time())
            found.field("mx.bench.example")
            assert found.dmarc.spf_aligned

    asyncio.run(all_of_them())


def _sign(mails: list[bytes], names: str) -> None:
    for mail in mails:
        sign(Letter.of(mail), _keys(names), time.time())


def _row(what: str, mails: list[bytes], rounds: int, work: Callable[[list[bytes]], None]) -> dict[str, Any]:
    work(mails[:20])
    found = []
    for _ in range(rounds):
        before = time.process_time()
        work(mails)
        found.append((time.process_time() - before) / len(mails) * 1e6)
    return {"what": what, "CPU µs a mail": statistics.median(found), "best": min(found)}
