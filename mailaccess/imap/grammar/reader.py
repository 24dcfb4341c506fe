"""Commands out of a stream of bytes (RFC 9051 2.2.1, 4.3): lines, and the literals inside them.

Sans I/O: `feed` takes what arrived, `next` gives what can be done now. Everything is bounded before it is held: a line,
the literals of a command, and, until somebody signed in, both much smaller.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

LINE_MAX = 65_536
"""All lines of one command; a client that names 8,000 single UIDs stays below (RFC 7162 4 wants 8,192)."""
LITERAL_MAX = 65_536
"""Literals of a command that is no APPEND: names, search texts."""
GUEST_LINE_MAX = 8_192
GUEST_LITERAL_MAX = 4_096
LITERALS_MAX = 1_000
"""Literals in one command."""

_LITERAL = re.compile(rb"(~?)\{(\d{1,20})(\+?)\}\Z")
_HEAD = re.compile(rb"([^\x00-\x20\x7f-\xff(){%*\"\\+]{1,64}) (?:UID )?([A-Za-z0-9.\-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal's bytes; `binary` for `~{n}` (RFC 3516)."""

    content: bytes
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A complete command: pieces of lines, without line ends, and the literals between them."""

    pieces: list[bytes | Literal]


@dataclass(frozen=True, slots=True)
class Continue:
    """The client waits with a literal until it is told to go on."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that is too large. `tag` is `*` when there is none; `is_append` asks for TOOBIG (RFC 4469); after a
    `fatal` one nobody knows where the next command begins."""

    tag: bytes
    is_append: bool
    fatal: bool


@dataclass(slots=True)
class Reader:
    """Feed bytes, take events. `append_max` is APPENDLIMIT (RFC 7889)."""

    append_max: int
    is_guest: bool = True
    take: Callable[[int], bool] = field(default=lambda _: True)
    """Asked before a literal of some bytes is held; refusing it refuses the command."""
    _input: bytearray = field(default_factory=bytearray)
    _pieces: list[bytes | Literal] = field(default_factory=list)
    _literal: tuple[int, bool] | None = None
    _line_bytes: int = 0
    _literal_bytes: int = 0
    _searched: int = 0

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take what arrived."""
        self._input += data

    @property
    def held_bytes(self) -> int:
        """Input held: a connection stops reading when it is too much."""
        return len(self._input)

    @property
    def literal_left(self) -> int:
        """Bytes of the running literal that have not arrived."""
        return max(0, self._literal[0] - len(self._input)) if self._literal else 0

    @property
    def is_idle(self) -> bool:
        """Whether no command has begun."""
        return not self._input and not self._pieces and self._literal is None

    def forget_input(self) -> None:
        """Drop what arrived and was not yet read: nothing said before a TLS handshake counts (RFC 9051 6.2.1)."""
        self._input.clear()
        self._reset()

    def take_raw(self) -> bytes:
        """Everything that arrived behind the last command: what COMPRESS takes over."""
        raw = bytes(self._input)
        self._input.clear()
        self._searched = 0
        return raw

    def next_line(self, limit: int) -> bytes | None:
        """A bare line, for the answers of AUTHENTICATE and IDLE; None while there is none. Too long: a line of NULs."""
        end = self._input.find(b"\n")
        if end < 0:
            return b"\0" if len(self._input) > limit else None
        line = bytes(self._input[: end + 1])
        del self._input[: end + 1]
        return line.removesuffix(b"\n").removesuffix(b"\r") if end <= limit else b"\0"

    def next(self) -> Command | Continue | Refused | None:
        """The next event, None when more bytes are needed."""
        while True:
            if self._literal is not None:
                size, binary = self._literal
                if len(self._input) < size:
                    return None
                self._pieces.append(Literal(bytes(self._input[:size]), binary))
                del self._input[:size]
                self._literal = None
            event = self._line()
            if event is not None or self._literal is None:
                return event

    def _line(self) -> Command | Continue | Refused | None:
        end = self._input.find(b"\n", self._searched)
        limit = GUEST_LINE_MAX if self.is_guest else LINE_MAX
        if end < 0:
            self._searched = len(self._input)
            return self._refuse(fatal=True) if self._line_bytes + len(self._input) > limit else None
        line = bytes(self._input[:end]).removesuffix(b"\r")
        del self._input[: end + 1]
        self._searched = 0
        self._line_bytes += len(line)
        if self._line_bytes > limit:
            return self._refuse(fatal=True)
        found = _LITERAL.search(line)
        if found is None:
            pieces = [*self._pieces, line]
            self._reset()
            return Command(pieces)
        self._pieces.append(line[: found.start()])
        return self._begin_literal(int(found[2]), binary=bool(found[1]), waits=not found[3])

    def _begin_literal(self, size: int, *, binary: bool, waits: bool) -> Continue | Refused | None:
        self._literal_bytes += size
        is_append = self._name() in {b"APPEND", b"REPLACE"} and not self.is_guest
        limit = self.append_max if is_append else GUEST_LITERAL_MAX if self.is_guest else LITERAL_MAX
        too_many = len(self._pieces) > 2 * LITERALS_MAX
        if self._literal_bytes > limit + LITERAL_MAX * is_append or size > limit or too_many or not self.take(size):
            return self._refuse(fatal=not waits)
        self._literal = (size, binary)
        return Continue() if waits else None

    def _refuse(self, *, fatal: bool) -> Refused:
        tag = self._tag()
        is_append = self._name() in {b"APPEND", b"REPLACE"}
        self._reset()
        if fatal:
            self._input.clear()
        return Refused(tag, is_append, fatal)

    def _tag(self) -> bytes:
        found = _HEAD.match(self._first())
        return found[1] if found else b"*"

    def _name(self) -> bytes:
        found = _HEAD.match(self._first())
        return found[2].upper() if found else b""

    def _first(self) -> bytes:
        first = self._pieces[0] if self._pieces else bytes(self._input[:100])
        return first if isinstance(first, bytes) else b""

    def _reset(self) -> None:
        self._pieces = []
        self._literal = None
        self._line_bytes = self._literal_bytes = self._searched = 0
