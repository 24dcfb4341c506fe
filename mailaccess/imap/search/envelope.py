"""The parts of a stored ENVELOPE (mailstore.message.envelope writes it) that SEARCH and SORT compare."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailstore.message.header import decode_words

# Possessive where there is no choice to make: going back would find nothing and costs a fifth. (No alternative inside a
# possessive group: Python before 3.11.5 fails there.)
_STRING = r'(?:NIL|"[^"\\]*+(?:\\.[^"\\]*+)*")'
_ADDRESS = rf"\({_STRING} {_STRING} {_STRING} {_STRING}\)"
_LIST = rf"(NIL|\((?:{_ADDRESS})+\))"
_SKIPPED = _LIST.replace("(NIL|", "(?:NIL|", 1)
_ENVELOPE = re.compile(
    rf"\({_STRING} {_STRING} {_LIST} {_SKIPPED} {_SKIPPED} {_LIST} {_LIST} {_LIST} ({_STRING}) ({_STRING})\)"
)
# Sender and Reply-To are mostly what From is.
_LISTS = re.compile(rf"\({_STRING} {_STRING} {_LIST} (?:\1|{_SKIPPED}) (?:\1|{_SKIPPED}) {_LIST} {_LIST} {_LIST} ")
_FROM = re.compile(rf"\({_STRING} {_STRING} {_LIST} ")
_ONE = re.compile(rf"\(({_STRING}) {_STRING} ({_STRING}) ({_STRING})\)")
_ESCAPED = re.compile(r"\\(.)")
LISTS = ("from", "to", "cc", "bcc")
PLACES = {name: place for place, name in enumerate((*LISTS, "in-reply-to", "message-id"))}
_NOTHING = ("NIL",) * len(LISTS)


@dataclass(frozen=True, slots=True)
class Person:
    """One address, decoded. A group's name is a `local` without `host`."""

    name: str
    local: str
    host: str | None

    @property
    def text(self) -> str:
        """What SEARCH looks into: `name <local@host>`."""
        if self.host is None:
            return self.local
        return f"{self.name} <{self.local}@{self.host}>" if self.name else f"<{self.local}@{self.host}>"


def lists(envelope: str) -> Sequence[str]:
    """The lists in the order of LISTS, as they stand; NIL when the envelope is odd."""
    found = _LISTS.match(envelope)
    return found.groups() if found else _NOTHING


def parts(envelope: str) -> tuple[str, ...]:
    """What is compared of an envelope, in the order of PLACES; empty when it is odd."""
    found = _ENVELOPE.match(envelope)
    return found.groups() if found else ()


def part(envelope: str, name: str) -> str:
    """The text of one part as it stands; NIL when the envelope is odd."""
    found = parts(envelope)
    return found[PLACES[name]] if found else "NIL"


def plain(text: str) -> str:
    """A string without its quotes, encoded words decoded; empty for NIL."""
    return decode_words(_unquoted(text))


def _unquoted(text: str) -> str:
    if text == "NIL":
        return ""
    text = text[1:-1]
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def first_list(envelope: str) -> str:
    """From alone: the rest of the envelope is not looked at."""
    found = _FROM.match(envelope)
    return found[1] if found else "NIL"


@functools.lru_cache(maxsize=8_192)
def people(text: str) -> tuple[Person, ...]:
    """The addresses of a list; the ends of groups are left out."""
    return tuple(_people(text))


def _people(text: str) -> Iterator[Person]:
    for name, local, host in _ONE.findall(text):
        if local != "NIL":
            yield Person(plain(name), plain(local), None if host == "NIL" else plain(host))


@functools.lru_cache(maxsize=16_384)
def searched(text: str) -> str:
    """A list as SEARCH looks into it."""
    return ", ".join(person.text for person in people(text))


def mailbox_key(text: str) -> str:
    """addr-mailbox of the first address (RFC 5256 3, FROM)."""
    first = people(text)[:1]
    return first[0].local if first else ""


def display_key(text: str) -> str:
    """The first address's name, or the address (RFC 5957 3)."""
    first = people(text)[:1]
    if not first:
        return ""
    person = first[0]
    return person.name or (person.local if person.host is None else f"{person.local}@{person.host}")
