"""What must be known of each account that a mail reaches, in one query for all of them, kept for a second.

Anything else that deliveries must know of their recipients beforehand belongs into this query as one more part.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from decimal import Decimal

from accounts.rows import AccountRow
from mailstore import sql
from mta.inbound.standing import OF_ACCOUNTS
from mta.models import MailPolicy
from mta.rules.kinds import MONITOR
from mta.senders import NO_LISTS, SenderLists
from mta.spam.words import NOTHING_LEARNT, Learnt


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """A domain's `MailPolicy`; scores in tenths of a point."""

    junk_tenths: int = 50
    quarantine_tenths: int = 100
    dangerous_files: str = MailPolicy.Wish.QUARANTINE
    macros: str = MailPolicy.Wish.JUNK
    unscanned: str = MailPolicy.Unscanned.DEFER
    dmarc: str = MailPolicy.Dmarc.OBEY
    digest: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """`digest`: whether the account gets the daily report of its quarantine. `company` and `own`: how many mails were
    learnt for its domain and for itself."""

    used_bytes: int = 0
    lists: SenderLists = NO_LISTS
    policy: Policy = Policy()
    digest: bool = False
    company: Learnt = NOTHING_LEARNT
    own: Learnt = NOTHING_LEARNT
    inside_only: bool = False
    """Takes no mail from outside (A21.3)."""
    ruled: frozenset[str] = frozenset()
    """Kinds of rules (`mta.inbound.standing`) that the account has."""
    journal: str = ""
    """Where its company keeps copies of what comes in."""


NO_FACTS = Facts()


def facts_of(accounts: Sequence[AccountRow]) -> dict[int, Facts]:
    """By account. One query, whatever their number."""
    ids = sql.numbers([account.id for account in accounts])
    domains = sql.numbers(list({account.domain_id for account in accounts}))
    found: dict[tuple[str, int], list[tuple[str, str]]] = {}
    parameters = [domains if scope == "domain" else ids for scope, _ in _PARTS]
    for what, owner, one, two in sql.rows(_statement(), parameters) if accounts else []:
        found.setdefault((what, owner), []).append((one, two))
    return {account.id: _facts(account, found) for account in accounts}


_PARTS = (
    ("account", "SELECT 'used', id, CAST(used_bytes AS TEXT), '' FROM mailstore_mailbox WHERE {id}"),
    ("account", "SELECT 'own', account_id, pattern, wish FROM mta_listedsender WHERE {account_id}"),
    (
        "domain",
        "SELECT 'company', domain_id, pattern, wish FROM mta_listedsender WHERE account_id IS NULL AND {domain_id}",
    ),
    (
        "account",
        "SELECT 'digest', account_id, CASE WHEN digest THEN '1' ELSE '' END, '' FROM mta_spamsettings WHERE {account_id}",
    ),
    (
        "domain",
        "SELECT 'policy', domain_id, CAST(junk_score AS TEXT) || ' ' || CAST(quarantine_score AS TEXT), "
        "dangerous_files || ' ' || macros || ' ' || unscanned || ' ' || dmarc || ' ' || CASE WHEN digest THEN '1' ELSE '0' END "
        "FROM mta_mailpolicy WHERE {domain_id}",
    ),
    (
        "domain",
        "SELECT 'learnt', domain_id, CAST(spam AS TEXT), CAST(ham AS TEXT) FROM mta_spamcorpus "
        "WHERE account_id = 0 AND {domain_id}",
    ),
    (
        "account",
        "SELECT 'learnt_own', account_id, CAST(spam AS TEXT), CAST(ham AS TEXT) FROM mta_spamcorpus WHERE {account_id}",
    ),
    (
        "account",
        "SELECT 'inside', account_id, '', '' FROM accounts_accountrights WHERE NOT receives_outside AND {account_id}",
    ),
    (
        "domain",
        "SELECT 'journal', domain_id, journal_address, '' FROM mta_sendpolicy "
        "WHERE journals_incoming AND journal_address <> '' AND {domain_id}",
    ),
    ("domain", "SELECT 'monitored', domain_id, '', '' FROM mta_monitorrule WHERE is_active AND {domain_id}"),
    *(
        ("account", f"SELECT 'ruled', account_id, '{kind}', '' FROM {condition} AND {{account_id}}")
        for kind, condition in OF_ACCOUNTS.items()
    ),
)


@functools.cache
def _statement() -> str:
    columns = {name: sql.among(name) for name in ("id", "account_id", "domain_id")}
    return " UNION ALL ".join(part.format(**columns) for _, part in _PARTS)


def _facts(account: AccountRow, found: dict[tuple[str, int], list[tuple[str, str]]]) -> Facts:
    def rows(what: str, owner: int) -> list[tuple[str, str]]:
        return found.get((what, owner), [])

    policy = _policy(rows("policy", account.domain_id))
    digest = rows("digest", account.id)
    monitored = [MONITOR] if rows("monitored", account.domain_id) else []
    lists = SenderLists(dict(rows("own", account.id)), dict(rows("company", account.domain_id)))
    return Facts(
        used_bytes=int(next(iter(rows("used", account.id)), ("0", ""))[0]),
        lists=lists if lists else NO_LISTS,
        policy=policy,
        digest=bool(digest[0][0]) if digest else policy.digest,
        company=_learnt(rows("learnt", account.domain_id)),
        own=_learnt(rows("learnt_own", account.id)),
        inside_only=bool(rows("inside", account.id)),
        journal=next(iter(rows("journal", account.domain_id)), ("", ""))[0],
        ruled=frozenset([*(kind for kind, _ in rows("ruled", account.id)), *monitored]),
    )


def _policy(rows: list[tuple[str, str]]) -> Policy:
    if not rows:
        return Policy()
    junk, quarantine = (int(Decimal(text) * 10) for text in rows[0][0].split())
    files, macros, unscanned, dmarc, digest = rows[0][1].split()
    return Policy(junk, quarantine, files, macros, unscanned, dmarc, digest == "1")


def _learnt(rows: list[tuple[str, str]]) -> Learnt:
    return Learnt(int(rows[0][0]), int(rows[0][1])) if rows else NOTHING_LEARNT
