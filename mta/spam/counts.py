"""In how many learnt mails a word stood: asked of the database once for each word and owner, until something new is learnt.

Most words of a mail are those of the mails before it, so under load a mail asks for a few. What is kept is bounded, and
goes when its owner has learnt another mail (which every process sees by the numbers in `mta.inbound.facts`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from django.db import connection

from mailstore import sql
from mta.spam.words import Learnt

Owner = tuple[int, int]
"""Domain and account; account 0 for the company."""
Counts = Mapping[str, tuple[int, int]]

WORDS_MAX = 200_000
"""Kept in a process; then all are forgotten."""
NEVER = (0, 0)

_kept: dict[Owner, tuple[Learnt, dict[str, tuple[int, int]]]] = {}


def counts_of(owners: Mapping[Owner, Learnt], tokens: Sequence[str]) -> dict[Owner, Counts]:
    """(spam, ham) of each token that is known, by owner; at most one query."""
    kept = {owner: _words_of(owner, learnt) for owner, learnt in owners.items()}
    found: dict[Owner, dict[str, tuple[int, int]]] = {owner: {} for owner in owners}
    missing = {token for owner, words in kept.items() for token in _looked_up(words, tokens, found[owner])}
    if missing:
        fresh = {owner: dict.fromkeys(missing, NEVER) for owner in owners}
        for domain_id, account_id, token, spam, ham in _rows(owners, missing):
            if (domain_id, account_id) in fresh:
                fresh[domain_id, account_id][token] = found[domain_id, account_id][token] = (spam, ham)
        for owner, words in kept.items():
            words.update(fresh[owner])  # at once: other threads look into it
    return dict(found)


def kept_counts(owners: Mapping[Owner, Learnt], tokens: Sequence[str]) -> dict[Owner, Counts] | None:
    """As `counts_of`, without I/O; None when a token would have to be asked for."""
    found: dict[Owner, dict[str, tuple[int, int]]] = {owner: {} for owner in owners}
    for owner, learnt in owners.items():
        kept = _kept.get(owner)
        if kept is None or kept[0] != learnt or _looked_up(kept[1], tokens, found[owner]):
            return None
    return dict(found)


def _looked_up(
    words: Mapping[str, tuple[int, int]], tokens: Sequence[str], found: dict[str, tuple[int, int]]
) -> list[str]:
    """Fill `found`; those that have to be asked for."""
    missing = []
    for token in tokens:
        pair = words.get(token)
        if pair is None:
            missing.append(token)
        elif pair is not NEVER:
            found[token] = pair
    return missing


def _words_of(owner: Owner, learnt: Learnt) -> dict[str, tuple[int, int]]:
    kept = _kept.get(owner)
    if kept is not None and kept[0] == learnt:
        return kept[1]
    if sum(len(words) for _, words in _kept.values()) > WORDS_MAX:
        _kept.clear()
    words: dict[str, tuple[int, int]] = {}
    _kept[owner] = (learnt, words)
    return words


def _rows(owners: Collection[Owner], tokens: Collection[str]) -> list[tuple[int, int, str, int, int]]:
    domains, accounts = (sql.numbers(sorted(set(ids))) for ids in zip(*owners, strict=True))
    query = (
        "SELECT domain_id, account_id, token, spam, ham FROM mta_spamtoken "
        f"WHERE {sql.among('domain_id')} AND {sql.among('account_id')} AND {among_texts('token')}"
    )
    return sql.rows(query, [domains, accounts, texts(tokens)])


def among_texts(column: str) -> str:
    """As `sql.among`, for texts; the parameter is `texts(…)`."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::text[])"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def texts(values: Collection[str]) -> object:
    """The parameter of `among_texts`."""
    return list(values) if connection.vendor == "postgresql" else json.dumps(list(values))


def forget_counts() -> None:
    """For tests and for measuring: ask again."""
    _kept.clear()
