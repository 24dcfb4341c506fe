"""A search runs in slices: some milliseconds on a database thread, then others have it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.search import CHARSETS, Key, Keys, TooManyKeysError, UnknownCharsetError, codec
from mailaccess.imap.search.reading import Steps
from mailaccess.imap.session import Session

SLICE_S = 0.03
BUSY_S = 0.01
"""Until a thread is asked again for what another is reading."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    value: T


async def finished(session: Session, steps: Steps[T]) -> T:
    """The generator's value. ConnectionError when the client hangs up meanwhile."""
    while True:
        found = await session.run(_advance, steps)
        if isinstance(found, _End):
            return found.value
        if found:
            await asyncio.sleep(BUSY_S)
        await session.wire.drain()
        if session.wire.has_hung_up:  # nothing was written that would have told
            raise ConnectionError("the client is gone")


def _advance(steps: Steps[T]) -> _End[T] | bool:
    """The value, or whether somebody else has to come first."""
    until = time.monotonic() + SLICE_S
    try:
        while True:
            is_busy = next(steps)
            if is_busy or time.monotonic() >= until:
                return is_busy
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
