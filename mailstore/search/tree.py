"""The question as a typed tree: made by `query.parse` from what people type, or by a protocol from its own grammar."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Iterator


class Field(enum.Enum):
    """Where a text is looked for; the value is the operator's name."""

    ANY = ""
    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"
    SUBJECT = "subject"
    FILENAME = "filename"
    LIST = "list"


class State(enum.Enum):
    """What an entry may be."""

    UNREAD = "unread"
    READ = "read"
    STARRED = "starred"
    UNSTARRED = "unstarred"
    ANSWERED = "answered"
    FORWARDED = "forwarded"
    ATTACHMENT = "attachment"


class Unit(enum.Enum):
    """A span of time, in seconds; months and years as Gmail counts them."""

    HOUR = "h"
    DAY = "d"
    WEEK = "w"
    MONTH = "m"
    YEAR = "y"

    @property
    def seconds(self) -> int:
        """Its length."""
        return {"h": 3600, "d": 86_400, "w": 604_800, "m": 30 * 86_400, "y": 365 * 86_400}[self.value]


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """The words of `value` side by side. With `is_prefix` the last one may go on."""

    value: str
    field: Field = Field.ANY
    is_prefix: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Is:
    """A flag or a fact of the entry."""

    state: State


@dataclasses.dataclass(frozen=True, slots=True)
class In:
    """A folder: a role ("inbox", "sent" …), "anywhere" (trash and junk too) or a name."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """A label by its name."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Day:
    """Before a day begins in the reader's zone, or (`is_after`) from its beginning on."""

    day: datetime.date
    is_after: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Age:
    """Older, or (`is_newer`) newer, than `number` units."""

    number: int
    unit: Unit
    is_newer: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """Larger, or (`is_smaller`) smaller, than so many bytes."""

    size_bytes: int
    is_smaller: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Node


@dataclasses.dataclass(frozen=True, slots=True)
class And:
    """All of at least two."""

    parts: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Or:
    """Any of at least two."""

    parts: tuple[Node, ...]


Leaf = Text | Is | In | Label | Day | Age | Size
Node = Leaf | Not | And | Or


def all_of(parts: list[Node]) -> Node | None:
    """The parts joined, flat; None for none."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, And) else (part,))]
    return And(tuple(flat)) if len(flat) > 1 else (flat[0] if flat else None)


def any_of(parts: list[Node]) -> Node | None:
    """One of the parts, flat; None for none."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, Or) else (part,))]
    return Or(tuple(flat)) if len(flat) > 1 else (flat[0] if flat else None)


def opposite(part: Node) -> Node:
    """Not, and not twice."""
    return part.part if isinstance(part, Not) else Not(part)


def leaves(node: Node, *, is_positive: bool = True) -> Iterator[tuple[Leaf, bool]]:
    """Every leaf, and whether it is wished for."""
    if isinstance(node, Not):
        yield from leaves(node.part, is_positive=not is_positive)
    elif isinstance(node, And | Or):
        for part in node.parts:
            yield from leaves(part, is_positive=is_positive)
    else:
        yield node, is_positive
