"""A search runs in slices: some milliseconds on a database thread, then others have it."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.search import CHARSETS, Key, Keys, TooManyKeysError, UnknownCharsetError, codec
from mailaccess.imap.session import Session

SLICE_S = 0.03

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    value: T


async def finished(session: Session, steps: Generator[None, None, T]) -> T:
    """The generator's value. ConnectionError when the client hangs up meanwhile."""
    while True:
        found = await session.run(_advance, steps)
        if found is not None:
            return found.value
        await session.wire.drain()
        if session.wire.has_hung_up:  # nothing was written that would have told
            raise ConnectionError("the client is gone")


def _advance(steps: Generator[None, None, T]) -> _End[T] | None:
    until = time.monotonic() + SLICE_S
    try:
        while True:
            next(steps)
            if time.monotonic() >= until:
                return None
    except StopIteration as end:
        return _End(end.value)


def keys(cursor: Cursor, charset: str) -> Key:
    """The rest of a command as a search key; NO [LIMIT] for more than one command may ask."""
    try:
        return Keys(cursor, charset).all()
    except TooManyKeysError:
        raise NoError("LIMIT", "Too many or too deep search keys") from None


def charset_of(label: bytes) -> str:
    """The codec of a charset; NO [BADCHARSET] for one that nobody knows."""
    try:
        return codec(label)
    except UnknownCharsetError:
        raise NoError(f"BADCHARSET ({' '.join(CHARSETS)})", "Unknown charset") from None
