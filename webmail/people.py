"""People as chips and avatars: what a page shows of a name and an address."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _

from mailstore.message import Address, format_address

COLOURS = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Face:
    """A person on a page. `colour` names one of the avatar classes."""

    name: str
    address: str
    is_me: bool = False
    department: str = ""
    """Of a colleague, where a page looks it up."""

    @property
    def shown(self) -> str:
        """The name, or the address when there is none."""
        return self.name or self.address

    @property
    def short(self) -> str:
        """As in "To: me, Anna"."""
        return _("me") if self.is_me else self.shown

    @property
    def initials(self) -> str:
        """One or two characters: the given names of Latin scripts, the first character of the others."""
        return initials(self.shown)

    @property
    def colour(self) -> str:
        """The same for an address on every page."""
        return f"avatar-c{zlib.crc32(self.address.lower().encode()) % COLOURS}"

    @property
    def full(self) -> str:
        """As it goes into a recipient field."""
        return format_address(Address(self.name, self.address))


def faces(addresses: Iterable[Address], mine: Collection[str] = ()) -> list[Face]:
    """Addresses of a header as faces; `mine` are lower-cased addresses of the reader."""
    return [Face(each.name, each.address, each.address.lower() in mine) for each in addresses]


def initials(name: str) -> str:
    """What an avatar shows of `name`."""
    words = [word for word in name.replace(".", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    first = words[0][0]
    if not first.isascii() and not first.isalpha():
        return first
    if ord(first) >= 0x2E80 or len(words) == 1 or "@" in name:  # CJK and what follows it
        return first.upper()
    return (first + words[-1][0]).upper()
