"""What a reader of a foreign form yields and a writer takes: one message, never a whole mailbox."""

from __future__ import annotations

import dataclasses
import re

from mailstore.models import FLAG_NAMES

ATOM = re.compile(r"[!#$&'+\-./0-9:;<=>?@A-Z\[^_`a-z|~]{1,100}\Z")
"""A keyword that IMAP can carry (RFC 9051 9: atom)."""
SYSTEM_FLAGS = {name.lower(): flag for flag, name in FLAG_NAMES.items()}
_BARE_LF = re.compile(rb"(?<!\r)\n")


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """A message. `folder` is its path, outermost first; `place` says in a report where it was found; `internal_us` is
    None when the form doesn't tell."""

    place: str
    folder: tuple[str, ...]
    raw: bytes
    flags: int = 0
    keywords: tuple[str, ...] = ()
    internal_us: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that should have been a message."""

    place: str
    reason: str


Found = Item | Unreadable


def with_crlf(raw: bytes) -> bytes:
    """Mail has CRLF (RFC 5322 2.1); files on Unix have LF."""
    return _BARE_LF.sub(b"\r\n", raw)


def flags_of(names: list[str]) -> tuple[int, tuple[str, ...]]:
    """System flags and keywords of a list of names; what IMAP couldn't carry is dropped."""
    flags, keywords = 0, []
    for name in names:
        known = SYSTEM_FLAGS.get(name.lower())
        if known is not None:
            flags |= known
        elif ATOM.match(name):
            keywords.append(name)
    return int(flags), tuple(dict.fromkeys(keywords))


def names_of(flags: int, keywords: tuple[str, ...]) -> list[str]:
    """The way back."""
    return [name for flag, name in FLAG_NAMES.items() if flags & flag] + list(keywords)
