"""What is known here about a mail's author and its words: one query for all whom mails reach, and one for words that were
not met lately."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any

from accounts.domain_names import local_domains
from accounts.models import Account
from accounts.rows import AccountRow
from mailstore import sql
from mta.authentication.dmarc import organisational_domain
from mta.inbound.facts import Facts
from mta.spam.counts import Counts, Owner, among_texts, counts_of, texts
from mta.spam.names import keys_of
from mta.spam.score import Experience
from mta.spam.senders import NEW, Acquaintance, Author, Standing, name_key
from mta.spam.words import Learnt

OWN_WORDS_MAX = 10
"""Readers of one mail whose own words are looked up; the others' companies speak for them."""
NAMES_S = 60.0
NAMES_DOMAINS_MAX = 200
UNPROVEN = "?"
"""In front of the names of senders who could not be proven: their record is not that of the true owner."""


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """For one reader."""

    about: Acquaintance
    experience: Experience


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """About the author of one mail with these words, for these readers."""

    author: Author
    tokens: Sequence[str]
    readers: Mapping[AccountRow, Facts]
    proven: bool


def known_about(questions: Sequence[Question]) -> list[dict[int, Known]]:
    """By account, for each question; one query for all of them beside those about words."""
    found = _Found()
    found.read(questions)
    return [_answer(question, found) for question in questions]


def _answer(question: Question, found: _Found) -> dict[int, Known]:
    words: Mapping[Owner, Counts] = {}
    if question.tokens and (owners := owners_of(question.readers)):
        words = counts_of(owners, question.tokens)
    about = functools.partial(found.of, question.author, sender_names(question.author, proven=question.proven))
    return {
        account.id: Known(about(account), experience(account, facts, words))
        for account, facts in question.readers.items()
    }


def experience(account: AccountRow, facts: Facts, words: Mapping[Owner, Counts]) -> Experience:
    """What a reader, or his company, has learnt about the words of the mail."""
    own = words.get((account.domain_id, account.id))
    if own is not None:
        return Experience(facts.own, own)
    return Experience(facts.company, words.get((account.domain_id, 0), {}))


def owners_of(readers: Mapping[AccountRow, Facts]) -> dict[Owner, Learnt]:
    """Whose words count: a reader's own where he has taught enough, else his company's."""
    owners: dict[Owner, Learnt] = {}
    own = 0
    for account, facts in readers.items():
        if facts.own.is_enough and own < OWN_WORDS_MAX:
            owners[account.domain_id, account.id] = facts.own
            own += 1
        elif facts.company.is_enough:
            owners[account.domain_id, 0] = facts.company
    return owners


def sender_names(author: Author, *, proven: bool) -> tuple[str, str]:
    """Under which names the record of an author is kept: his address, his domain."""
    mark = "" if proven else UNPROVEN
    return mark + author.address.lower()[:250], mark + organisational_domain(author.domain)[:250]


class _Found:
    """The rows, sorted by whom they are about."""

    def __init__(self) -> None:
        self.known: set[tuple[int, str]] = set()
        self.standings: dict[tuple[int, str], Standing] = {}
        self.partners: dict[tuple[int, str], set[str]] = {}

    def read(self, questions: Sequence[Question]) -> None:
        accounts: set[int] = set()
        domains: set[int] = set()
        addresses: set[str] = set()
        names: set[str] = set()
        keys: set[str] = set()
        for each in questions:
            accounts.update(account.id for account in each.readers)
            domains.update(account.domain_id for account in each.readers)
            addresses.add(each.author.address.lower())
            own = sender_names(each.author, proven=each.proven)
            names.update((*own, own[1].removeprefix(UNPROVEN)))
            keys.update(keys_of(each.author.domain))
        among = sql.numbers(list(domains))
        parameters: list[Any] = [sql.numbers(list(accounts)), texts(addresses)]
        parameters += [among, texts(names), among, texts(keys)]
        for what, owner, key, name, *counts in sql.rows(_statement(), parameters):
            if what == "known":
                self.known.add((owner, name))
            elif what == "sender":
                self.standings[owner, name] = Standing(*counts)
            else:
                self.partners.setdefault((owner, key), set()).add(name)

    def of(self, author: Author, names: tuple[str, str], account: AccountRow) -> Acquaintance:
        domain = account.domain_id
        written = self.standings.get((domain, names[1].removeprefix(UNPROVEN)), NEW).written
        partners = [self.partners.get((domain, key), set()) for key in keys_of(author.domain)]
        return Acquaintance(
            is_known=(account.id, author.address.lower()) in self.known,
            by_address=self.standings.get((domain, names[0]), NEW),
            by_domain=dataclasses.replace(self.standings.get((domain, names[1]), NEW), written=written),
            ours=own_domains(domain),
            partners=frozenset[str]().union(*partners),
            colleagues=_colleagues(domain) if name_key(author.name) else {},
        )


_KNOWN = (
    "SELECT 'known', mailbox_id, '', address, sent_count, 0, 0, 0, 0 FROM mailstore_correspondent "
    "WHERE {mailbox_id} AND {address} AND sent_count > 0 "
    "UNION ALL SELECT 'sender', domain_id, '', name, passed, flagged, reported, cleared, written FROM mta_knownsender "
    "WHERE {domain_id} AND {name} "
    "UNION ALL SELECT 'alike', domain_id, key, name, 0, 0, 0, 0, 0 FROM mta_lookalikekey WHERE {domain_id} AND {key}"
)


@functools.cache
def _statement() -> str:
    numbers = {name: sql.among(name) for name in ("mailbox_id", "domain_id")}
    return _KNOWN.format(**numbers, **{name: among_texts(name) for name in ("address", "name", "key")})


def own_domains(domain_id: int) -> frozenset[str]:
    """The registered names of a company, aliases too."""
    row = next((each for each in local_domains().values() if each.id == domain_id), None)
    return frozenset(map(organisational_domain, (row.name, *row.aliases))) if row is not None else frozenset()


_names: dict[int, tuple[float, dict[str, str]]] = {}


def _colleagues(domain_id: int) -> Mapping[str, str]:
    """Names of people (as `name_key` compares them) to their addresses; read once a minute."""
    kept = _names.get(domain_id)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    if len(_names) >= NAMES_DOMAINS_MAX:
        _names.clear()
    people = Account.objects.filter(domain=domain_id, kind=Account.Kind.PERSON, status=Account.Status.ACTIVE)
    found = {key: address for name, address in people.values_list("name", "address") if (key := name_key(name))}
    _names[domain_id] = (time.monotonic() + NAMES_S, found)
    return found


def forget_names() -> None:
    """For tests: read again."""
    _names.clear()
