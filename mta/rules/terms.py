"""Conditions and actions of a filter as values: read from what a form or a row holds, checked, bounded.

A refusal is INVALID with the `field` (`conditions` or `actions`), the `number` of the line and what is `wrong` with it.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from core.errors import ErrorKind, MailError
from mailstore.search.words import fold

CONDITIONS_MAX = 20
ACTIONS_MAX = 10
VALUE_MAX_CHARS = 100
SIZE_MAX_KB = 4 << 20
"""4 GB, the largest mail there is."""

_HEADER_NAME = re.compile(r"[!-9;-~]{1,70}")


class What(enum.StrEnum):
    """What a condition looks at."""

    SUBJECT = "subject"
    SENDER = "sender"
    RECIPIENT = "recipient"
    TEXT = "text"
    """Subject and text together."""
    SIZE = "size"
    ATTACHMENT = "attachment"
    """Whether there is one."""
    FILENAME = "filename"
    """Names of attachments."""
    HEADER = "header"


class How(enum.StrEnum):
    """How it compares."""

    CONTAINS = "contains"
    IS = "is"
    MATCHES = "matches"
    """By a pattern with `*` (anything) and `?` (one character)."""
    OVER = "over"
    UNDER = "under"
    PRESENT = "present"


TEXTUAL = frozenset({How.CONTAINS, How.IS, How.MATCHES})
ALLOWED: Mapping[What, frozenset[How]] = {
    What.SUBJECT: TEXTUAL,
    What.SENDER: TEXTUAL,
    What.RECIPIENT: TEXTUAL,
    What.FILENAME: TEXTUAL,
    What.HEADER: TEXTUAL | {How.PRESENT},
    What.TEXT: frozenset({How.CONTAINS}),
    What.SIZE: frozenset({How.OVER, How.UNDER}),
    What.ATTACHMENT: frozenset({How.PRESENT}),
}


class Do(enum.StrEnum):
    """What a filter does."""

    MOVE = "move"
    LABEL = "label"
    STAR = "star"
    READ = "read"
    FORWARD = "forward"
    REJECT = "reject"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Condition:
    """One line. `value` is folded (case, width, traditional and simplified) or, of a size, a number of KB."""

    what: What
    how: How
    value: str = ""
    header: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One line. `target` is a folder's or a label's id, or an address."""

    do: Do
    target: int | str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter ready to be asked."""

    id: int
    name: str
    is_any: bool
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    stops: bool

    @property
    def rejects(self) -> bool:
        """Whether it refuses what it applies to."""
        return any(action.do is Do.REJECT for action in self.actions)


def conditions_of(lines: object) -> tuple[Condition, ...]:
    """Read `[{"what": "subject", "how": "contains", "value": "发票", "not": false}, …]`; one line or more."""
    return tuple(_condition(number, line) for number, line in enumerate(_lines("conditions", lines, CONDITIONS_MAX)))


def actions_of(lines: object) -> tuple[Action, ...]:
    """Read `[{"do": "move", "target": 5}, {"do": "star"}, …]`; one line or more."""
    return tuple(_action(number, line) for number, line in enumerate(_lines("actions", lines, ACTIONS_MAX)))


def _lines(field: str, lines: object, limit: int) -> Sequence[Mapping[str, Any]]:
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        refuse(field, 0, "form")
    if not lines:
        refuse(field, 0, "empty")
    if len(lines) > limit:
        raise MailError(ErrorKind.LIMIT, field=field, limit=limit)
    return lines


def _condition(number: int, line: Mapping[str, Any]) -> Condition:
    try:
        what, how = What(line.get("what", "")), How(line.get("how", ""))
    except ValueError:
        refuse("conditions", number, "what")
    if how not in ALLOWED[what]:
        refuse("conditions", number, "how")
    header = str(line.get("header", "")).strip() if what is What.HEADER else ""
    if what is What.HEADER and not _HEADER_NAME.fullmatch(header):
        refuse("conditions", number, "header")
    value = "" if how is How.PRESENT else str(line.get("value", "")).strip()
    if len(value) > VALUE_MAX_CHARS or "\0" in value:
        refuse("conditions", number, "value")
    if what is What.SIZE and not (value.isascii() and value.isdigit() and int(value) <= SIZE_MAX_KB):
        refuse("conditions", number, "value")
    if how is not How.PRESENT and not value:
        refuse("conditions", number, "value")
    return Condition(what, how, fold(value), header.lower(), line.get("not") is True)


def _action(number: int, line: Mapping[str, Any]) -> Action:
    try:
        do = Do(line.get("do", ""))
    except ValueError:
        refuse("actions", number, "do")
    target = str(line.get("target", "")).strip()
    if do in (Do.MOVE, Do.LABEL):
        if not (target.isascii() and target.isdigit() and len(target) <= 18):
            refuse("actions", number, "target")
        return Action(do, int(target))
    if do is Do.FORWARD:
        if not target or len(target) > 320:
            refuse("actions", number, "target")
        return Action(do, target.lower())
    return Action(do)


def refuse(field: str, number: int, wrong: str) -> NoReturn:
    """Raise INVALID about line `number` (from 0)."""
    raise MailError(ErrorKind.INVALID, field=field, number=number, wrong=wrong)
