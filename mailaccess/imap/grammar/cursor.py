"""A place in a command's arguments, and the small words of the grammar (RFC 9051 9, RFC 3501 9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.reader import Literal

T = TypeVar("T")

MAX_NESTING = 64
"""Brackets inside brackets; deeper is an attack."""
MAX_NUMBER = 0xFFFFFFFF
MAX_NUMBER64 = (1 << 63) - 1

_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_LIST_ATOM = re.compile(rb"[^\x00-\x20\x7f(){\"\\]+")
_TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]+")
_NUMBER = re.compile(rb"\d+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPED = re.compile(rb'\\(["\\])')
_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")


class Cursor:
    """Reads forward; every method raises ImapSyntaxError at what it does not want."""

    def __init__(self, pieces: Sequence[bytes | Literal]) -> None:
        self._pieces = list(pieces)
        self._piece = 0
        self._at = 0
        self._depth = 0

    # Where it stands ------------------------------------------------------------------------------

    def _here(self) -> bytes:
        piece = self._pieces[self._piece] if self._piece < len(self._pieces) else b""
        return piece if isinstance(piece, bytes) else b""

    def peek(self, size: int = 1) -> bytes:
        """The next bytes of the line; nothing at a literal and at the end."""
        return self._here()[self._at : self._at + size]

    def at_literal(self) -> bool:
        """Whether a literal comes next."""
        if self._at < len(self._here()):
            return False
        following = self._piece + 1
        return following < len(self._pieces) and isinstance(self._pieces[following], Literal)

    def at_end(self) -> bool:
        """Whether everything is read."""
        return self._at >= len(self._here()) and self._piece + 1 >= len(self._pieces)

    def end(self) -> None:
        """Nothing may follow."""
        if not self.at_end():
            raise ImapSyntaxError("unexpected argument")

    # Fixed words ----------------------------------------------------------------------------------

    def skip(self, word: bytes) -> bool:
        """Read `word` (case does not count) if it is next."""
        if self._here()[self._at : self._at + len(word)].upper() != word:
            return False
        self._at += len(word)
        return True

    def expect(self, word: bytes) -> None:
        """Read `word`, which must be next."""
        if not self.skip(word):
            raise ImapSyntaxError(f"expected {word.decode('ascii', 'replace')!r}")

    def space(self) -> None:
        """One space."""
        self.expect(b" ")

    def word_ahead(self) -> bytes:
        """The atom that comes next in upper case, not read."""
        found = _ASTRING.match(self._here(), self._at)
        return found[0].upper() if found else b""

    # Values ---------------------------------------------------------------------------------------

    def tag(self) -> bytes:
        """A tag."""
        return self._match(_TAG, "a tag")[0]

    def atom(self) -> bytes:
        """An atom."""
        return self._match(_ATOM, "an atom")[0]

    def flag(self) -> bytes:
        """A flag or keyword."""
        return self._match(_FLAG, "a flag")[0]

    def number(self, limit: int = MAX_NUMBER) -> int:
        """A number of at most `limit`."""
        text = self._match(_NUMBER, "a number")[0]
        if len(text) > 20 or int(text) > limit:
            raise ImapSyntaxError("number is too large")
        return int(text)

    def nonzero(self) -> int:
        """A number that is not 0."""
        found = self.number()
        if not found:
            raise ImapSyntaxError("number is zero")
        return found

    def astring(self) -> bytes:
        """An atom or a string."""
        if self.peek() == b'"' or self.at_literal():
            return self.string()
        return self._match(_ASTRING, "a string")[0]

    def string(self) -> bytes:
        """A quoted string or a literal."""
        if self.at_literal():
            return self.literal().content
        return _ESCAPED.sub(rb"\1", self._match(_QUOTED, "a string")[1])

    def nstring(self) -> bytes | None:
        """A string or NIL."""
        if self.peek() == b'"' or self.at_literal():
            return self.string()
        self.expect(b"NIL")
        return None

    def list_mailbox(self) -> bytes:
        """A name with wildcards."""
        if self.peek() == b'"' or self.at_literal():
            return self.string()
        return self._match(_LIST_ATOM, "a pattern")[0]

    def literal(self) -> Literal:
        """A literal."""
        if not self.at_literal():
            raise ImapSyntaxError("expected a literal")
        found = self._pieces[self._piece + 1]
        assert isinstance(found, Literal)
        self._piece += 2
        self._at = 0
        return found

    def match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        """What `pattern` matches here."""
        return self._match(pattern, what)

    # Lists ----------------------------------------------------------------------------------------

    def listed(self, item: Callable[[], T], *, may_be_empty: bool = False) -> list[T]:
        """`(item item …)`."""
        self.expect(b"(")
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ImapSyntaxError("nested too deeply")
        found: list[T] = []
        if not (may_be_empty and self.peek() == b")"):
            found.append(item())
            while self.skip(b" "):
                found.append(item())
        self.expect(b")")
        self._depth -= 1
        return found

    def one_or_listed(self, item: Callable[[], T]) -> list[T]:
        """A list in brackets, or one item without them."""
        return self.listed(item) if self.peek() == b"(" else [item()]

    def flags(self) -> list[bytes]:
        """`(flag flag …)`, perhaps empty; or flags without brackets (STORE allows it)."""
        if self.peek() == b"(":
            return self.listed(self.flag, may_be_empty=True)
        found = [self.flag()]
        while self.skip(b" "):
            found.append(self.flag())
        return found

    def _match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        found = pattern.match(self._here(), self._at)
        if found is None:
            raise ImapSyntaxError(f"expected {what}")
        self._at = found.end()
        return found
