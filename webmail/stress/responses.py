"""Server responses as values: strict, because what a real client would stumble over shall be seen here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Value = bytes | list["Value"]

STATUSES = frozenset({b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"})
_STATUS = re.compile(rb"(\S+)(?: \[([^\]]*)\])? ?(.*)", re.DOTALL)
_ATOM = re.compile(rb"(?:[^\x00-\x20\x7f(){\"\[\]]|\[[^\]]*\](?:<\d+>)?)+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"')
_ESCAPED = re.compile(rb'\\(["\\])')


class MalformedResponseError(Exception):
    """The server said something that is not in the grammar."""


@dataclass(frozen=True, slots=True)
class Response:
    """`tag` is `*`, `+` or a command's. A status has `status`, `code` and `text`; the others have `values`."""

    tag: bytes
    status: bytes = b""
    code: bytes = b""
    text: bytes = b""
    values: list[Value] = field(default_factory=list)

    @property
    def number(self) -> int:
        """The number of `* n EXISTS` and the like, -1 for none."""
        first = self.values[0] if self.values else b""
        return int(first) if isinstance(first, bytes) and first.isdigit() else -1

    @property
    def name(self) -> bytes:
        """The word that says what it is: FETCH, EXISTS, VANISHED."""
        if self.status:
            return self.status
        at = 1 if self.number >= 0 else 0
        word = self.values[at] if len(self.values) > at else b""
        return word.upper() if isinstance(word, bytes) else b""


def response(pieces: list[bytes]) -> Response:
    """Lines and literals in turn (the first and the last are lines). Raises MalformedResponseError."""
    tag, space, rest = pieces[0].partition(b" ")
    if tag == b"+":
        return Response(tag, text=rest)
    if not space or not tag:
        raise MalformedResponseError(repr(pieces))
    found = _STATUS.fullmatch(rest)
    if found and found[1].upper() in STATUSES and len(pieces) == 1:
        return Response(tag, found[1].upper(), found[2] or b"", found[3])
    if tag != b"*":
        raise MalformedResponseError(repr(pieces))
    return Response(tag, values=_Reader([rest, *pieces[1:]]).everything())


def pairs(value: Value) -> dict[bytes, Value]:
    """`(NAME value NAME value)` by name in upper case."""
    if not isinstance(value, list) or len(value) % 2:
        raise MalformedResponseError(repr(value))
    found: dict[bytes, Value] = {}
    for name, content in zip(value[::2], value[1::2], strict=True):
        if not isinstance(name, bytes) or name.upper() in found:
            raise MalformedResponseError(repr(value))
        found[name.upper()] = content
    return found


def atom(value: Value) -> bytes:
    """A value that is no list."""
    if isinstance(value, list):
        raise MalformedResponseError(repr(value))
    return value


def values(value: Value) -> list[bytes]:
    """A list of single values."""
    if not isinstance(value, list):
        raise MalformedResponseError(repr(value))
    return [atom(each) for each in value]


def numbers(text: bytes) -> list[int]:
    """A sequence set written out; `*` may not be in it."""
    found: list[int] = []
    for part in text.split(b","):
        first, colon, last = part.partition(b":")
        if not first.isdigit() or (colon and not last.isdigit()):
            raise MalformedResponseError(repr(text))
        low, high = sorted((int(first), int(last or first)))
        found += range(low, high + 1)
    return found


class _Reader:
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._piece = 0
        self._at = 0

    def everything(self) -> list[Value]:
        values = self._sequence()
        if self._at < len(self._line) or self._piece + 1 < len(self._pieces):
            raise MalformedResponseError(repr(self._pieces))
        return values

    @property
    def _line(self) -> bytes:
        return self._pieces[self._piece]

    def _sequence(self) -> list[Value]:
        values: list[Value] = []
        if self._line[self._at : self._at + 1] in {b")", b""} and not self._at_literal():
            return values
        values.append(self._value())
        while self._line[self._at : self._at + 1] in {b" ", b"("}:
            if self._line[self._at : self._at + 1] == b" ":
                self._at += 1
            values.append(self._value())
        return values

    def _at_literal(self) -> bool:
        return self._at == len(self._line) and self._piece + 1 < len(self._pieces)

    def _value(self) -> Value:
        if self._at_literal():
            self._piece += 2
            self._at = 0
            return self._pieces[self._piece - 1]
        if self._line[self._at : self._at + 1] == b"(":
            return self._list()
        found = _QUOTED.match(self._line, self._at)
        if found:
            self._at = found.end()
            return _ESCAPED.sub(rb"\1", found[1])
        found = _ATOM.match(self._line, self._at)
        if not found:
            raise MalformedResponseError(repr(self._pieces))
        self._at = found.end()
        return found[0]

    def _list(self) -> list[Value]:
        self._at += 1
        values = self._sequence()
        if self._line[self._at : self._at + 1] != b")":
            raise MalformedResponseError(repr(self._pieces))
        self._at += 1
        return values
