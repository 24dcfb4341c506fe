"""Names for the addresses that logs and forms hold: colleagues as the directory has them, others as one writes with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from accounts.models import Account
from accounts.selectors import named
from core.access import Access
from mailstore.selectors import correspondents
from webmail.people import Face


class Names:
    """What is known of some addresses."""

    def __init__(self, known: Mapping[str, Face]) -> None:
        self._known = known

    def face(self, address: str) -> Face:
        """Who it is; the bare address where nobody knows."""
        found = self._known.get(address.lower())
        return Face(found.name, address, department=found.department) if found else Face("", address)

    def faces(self, addresses: Iterable[str]) -> list[Face]:
        """One after the other."""
        return [self.face(address) for address in addresses]

    @classmethod
    def of(cls, faces: Iterable[Face]) -> Names:
        """As a mail's header says it."""
        return cls({face.address.lower(): face for face in faces if face.name})


def names_of(actor: Account, access: Access, addresses: Iterable[str]) -> Names:
    """Of people of the reader's company, and of whom the mailbox of `access` writes with. Two queries, none for nobody."""
    wanted = {address.lower() for address in addresses if address}
    if not wanted:
        return Names({})
    known = {address: Face(name, address) for address, name in correspondents.names_of(access, wanted).items()}
    for address, found in named(wanted, {actor.domain_id}).items():
        known[address] = Face(found.name, address, department=found.department)
    return Names(known)
