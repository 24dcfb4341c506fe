"""What the database said of an author within the last second: his next mails to the same readers ask nothing.

Senders' records are written once a second anyway (`mta.inbound.afterwards`), and RCPT's answers are as old. Everything here is
memory: no I/O, so the event loop may ask.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from mta.spam.counts import Counts, Owner, kept_counts
from mta.spam.known import Known, Question, experience, owners_of
from mta.spam.senders import Acquaintance, name_key

KEEP_S = 1.0
KEEP_MAX = 10_000

Key = tuple[int, int, str, bool, bool]


class Recent:
    """One per process."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[float, Acquaintance]] = {}

    def answer(self, question: Question) -> Mapping[int, Known] | None:
        """As `known_about` has answered lately; None when the database must be asked for anything of it."""
        now = time.monotonic()
        found: dict[int, Acquaintance] = {}
        for key in _keys(question):
            until, about = self._kept.get(key, (0.0, None))
            if about is None or until < now:
                return None
            found[key[0]] = about
        words: Mapping[Owner, Counts] | None = {}
        if question.tokens and (owners := owners_of(question.readers)):
            words = kept_counts(owners, question.tokens)
        if words is None:
            return None
        return {
            account.id: Known(found[account.id], experience(account, facts, words))
            for account, facts in question.readers.items()
        }

    def keep(self, question: Question, answer: Mapping[int, Known]) -> None:
        """Remember what the database has just said."""
        if len(self._kept) >= KEEP_MAX:
            self._kept.clear()
        until = time.monotonic() + KEEP_S
        self._kept.update((key, (until, answer[key[0]].about)) for key in _keys(question))


def _keys(question: Question) -> list[Key]:
    """By reader; of the author's name only whether there is one matters (whose it is, is looked up afterwards)."""
    author = question.author
    rest = (author.address.lower(), bool(name_key(author.name)), question.proven)
    return [(account.id, account.domain_id, *rest) for account in question.readers]
