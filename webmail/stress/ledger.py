"""What all clients of a run know together, and the rules that no answer may break.

A message is named by its folder and UID. Its content never changes; its flags at a modseq are the same for everybody;
what was acknowledged is there, what was acknowledged as gone stays away; UIDNEXT and HIGHESTMODSEQ never go back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

Place = tuple[str, int]
Flags = frozenset[bytes]


class ViolationError(Exception):
    """A rule was broken."""


def claim(holds: bool, rule: str) -> None:
    """Raise ViolationError unless it holds."""
    if not holds:
        raise ViolationError(rule)


@dataclass(slots=True)
class Ledger:
    """Shared by the clients of one run; everything happens on one event loop."""

    markers: dict[Place, bytes] = field(default_factory=dict)
    states: dict[tuple[Place, int], Flags] = field(default_factory=dict)
    tried: set[bytes] = field(default_factory=set)
    """Markers that somebody tried to append."""
    promised: set[Place] = field(default_factory=set)
    """Acknowledged by APPENDUID or COPYUID."""
    doomed: set[Place] = field(default_factory=set)
    """Somebody tried to delete or to move it."""
    gone: set[Place] = field(default_factory=set)
    """Told as expunged to somebody."""
    server: int = 1
    """The number of the server that runs, or is about to."""
    recent: dict[tuple[int, Place], int] = field(default_factory=dict)
    """Whose `\\Recent` a message is, by server and number of a mirror; a killed server may have forgotten it."""
    uidvalidity: dict[str, int] = field(default_factory=dict)
    uidnext: dict[str, int] = field(default_factory=dict)
    modseq: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def content(self, place: Place, marker: bytes) -> None:
        """A message was seen with its marker."""
        claim(marker in self.tried, f"{place} holds {marker!r}, which nobody wrote")
        known = self.markers.setdefault(place, marker)
        claim(known == marker, f"{place} was {known!r} and is {marker!r}")

    def killed(self) -> None:
        """The server is dead and the next one not yet there; what it sent may still be read later."""
        self.server += 1

    def is_recent(self, server: int, place: Place, mirror: int) -> None:
        """A client of this server was told that a message is `\\Recent`: no other of it is (RFC 3501 2.3.2)."""
        claim(self.recent.setdefault((server, place), mirror) == mirror, f"{place} is recent to two clients")

    def state(self, place: Place, modseq: int, flags: Flags) -> None:
        """A message was seen with flags at a modseq."""
        known = self.states.setdefault((place, modseq), flags)
        claim(known == flags, f"{place} at modseq {modseq}: {sorted(known)} and {sorted(flags)}")

    def promise(self, place: Place, marker: bytes | None) -> None:
        """The server acknowledged that a message lies here."""
        claim(place not in self.promised, f"UID of {place} was given twice")
        self.promised.add(place)
        if marker is not None:
            self.content(place, marker)

    def selected(self, box: str, *, uidvalidity: int, uidnext: int, modseq: int, at_least: tuple[int, int]) -> None:
        """A SELECT said these; `at_least` is (uidnext, modseq) as they were known before it was sent."""
        known = self.uidvalidity.setdefault(box, uidvalidity)
        claim(known == uidvalidity, f"UIDVALIDITY of {box} was {known} and is {uidvalidity}")
        claim(uidnext >= at_least[0], f"UIDNEXT of {box} went from {at_least[0]} to {uidnext}")
        claim(modseq >= at_least[1], f"HIGHESTMODSEQ of {box} went from {at_least[1]} to {modseq}")
        self.note(box, uidnext=uidnext, modseq=modseq)

    def note(self, box: str, *, uidnext: int = 0, modseq: int = 0) -> None:
        """Somebody was told these."""
        self.uidnext[box] = max(self.uidnext.get(box, 0), uidnext)
        self.modseq[box] = max(self.modseq.get(box, 0), modseq)

    def at_rest(self, box: str, uids: set[int]) -> None:
        """Nobody is doing anything, and these are all messages of the folder."""
        for name, uid in self.promised - self.doomed:
            claim(name != box or uid in uids, f"{(name, uid)} was acknowledged and is not there")
        back = [uid for name, uid in self.gone if name == box and uid in uids]
        claim(not back, f"{box}: {back} were expunged and are there")
