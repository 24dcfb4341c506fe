"""What was found about a mail: rules that matched, with points and the facts that explain them to a reader."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterable

FACT_MAX_CHARS = 120
FINDINGS_MAX = 40
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Rule(enum.StrEnum):
    """Everything that can be found. The values are stored."""

    # what was proven
    FORGED = "forged"
    SPF_FAIL = "spf_fail"
    SPF_SOFTFAIL = "spf_softfail"
    DKIM_BROKEN = "dkim_broken"
    UNPROVEN = "unproven"
    PROVEN = "proven"
    # who writes
    LOOKALIKE_OWN = "lookalike_own"
    LOOKALIKE_PARTNER = "lookalike_partner"
    COLLEAGUE_NAME = "colleague_name"
    ADDRESS_AS_NAME = "address_as_name"
    REPLY_ELSEWHERE = "reply_elsewhere"
    KNOWN = "known"
    PARTNER = "partner"
    BAD_SENDER = "bad_sender"
    GOOD_SENDER = "good_sender"
    # what it links to
    LINK_DIFFERS = "link_differs"
    LINK_NUMERIC = "link_numeric"
    LINK_PUNYCODE = "link_punycode"
    LINK_DISGUISED = "link_disguised"
    LINK_SHORTENED = "link_shortened"
    LINK_LOOKALIKE = "link_lookalike"
    # how it is made
    NO_DATE = "no_date"
    WRONG_DATE = "wrong_date"
    NO_MESSAGE_ID = "no_message_id"
    NO_AUTHOR = "no_author"
    NO_RECIPIENT = "no_recipient"
    FALSE_REPLY = "false_reply"
    ONLY_PICTURE = "only_picture"
    EMPTY = "empty"
    SHOUTING = "shouting"
    # what is attached
    PROGRAM = "program"
    DOUBLE_EXTENSION = "double_extension"
    MACROS = "macros"
    LOCKED_ARCHIVE = "locked_archive"
    VIRUS = "virus"
    # what others and experience say
    WORDS_SPAM = "words_spam"
    WORDS_HAM = "words_ham"
    RSPAMD = "rspamd"
    SPAMASSASSIN = "spamassassin"
    # whom its reader lists
    BLOCKED = "blocked"
    SAFE = "safe"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One rule that matched: `tenths` of a point (below zero: speaks for the mail), and the facts to tell."""

    rule: Rule
    tenths: int
    facts: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """Everything found about one mail for one reader."""

    findings: tuple[Finding, ...] = ()

    @property
    def tenths(self) -> int:
        """The score, in tenths of a point."""
        return sum(finding.tenths for finding in self.findings)

    def has(self, *rules: Rule) -> bool:
        """Whether one of them matched."""
        return bool(self.findings) and any(finding.rule in rules for finding in self.findings)

    def encode(self) -> str:
        """As it is stored; empty for nothing."""
        if not self.findings:
            return ""
        rows = [[each.rule, each.tenths, *map(_cut, each.facts)] for each in self.findings[:FINDINGS_MAX]]
        return _JSON.encode(rows)


NOTHING = Judged()


def decode(text: str) -> Judged:
    """What `encode` wrote; rules that this version does not know, and nonsense, are left out."""
    try:
        rows = json.loads(text) if text else []
    except ValueError:
        return NOTHING
    return Judged(tuple(_findings(rows if isinstance(rows, list) else [])))


def _findings(rows: Iterable[object]) -> Iterable[Finding]:
    known = set(Rule)
    for row in rows:
        if isinstance(row, list) and len(row) >= 2 and row[0] in known and isinstance(row[1], int):
            yield Finding(Rule(row[0]), row[1], tuple(str(fact) for fact in row[2:]))


def _cut(fact: str) -> str:
    fact = fact[:FACT_MAX_CHARS]
    return fact if fact.isprintable() else "".join(character for character in fact if character.isprintable())
