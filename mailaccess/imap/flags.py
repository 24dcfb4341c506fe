"""Flags and keywords between their names on the wire and the bits of the store (RFC 9051 2.3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.access import Access
from mailstore.models import FLAG_NAMES, Flag
from mailstore.selectors.keywords import KeywordRow, keywords

FLAG_BITS = 16
"""The low bits of a state are flags, those above keywords."""
BITS = {name.upper(): int(bit) for bit, name in FLAG_NAMES.items()}
RECENT = "\\Recent"
IGNORED = frozenset({RECENT.upper()})
"""Only the server sets it (RFC 3501 2.3.2)."""
TOKENS_MAX = 5_000


def state_of(flags: int, keywords: int) -> int:
    """Everything that FLAGS tells of a message, as one number."""
    return keywords << FLAG_BITS | flags


@dataclass(slots=True)
class FlagNames:
    """The names of a mailbox's states; texts are remembered, because most messages share a few."""

    access: Access
    rows: list[KeywordRow]
    _texts: dict[int, str] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    """Keywords that the client has heard of."""

    @classmethod
    def of(cls, access: Access) -> FlagNames:
        """Read the keywords of a mailbox."""
        rows = keywords(access)
        return cls(access, rows, _told={row.atom for row in rows})

    def announcement(self) -> bytes:
        """The FLAGS line that must come before keywords the client has not heard of (RFC 9051 7.3.5), or nothing."""
        if all(row.atom in self._told for row in self.rows):
            return b""
        self._told = {row.atom for row in self.rows}
        return f"* FLAGS ({' '.join(self.all_names())})\r\n".encode()

    def refresh(self) -> None:
        """Read the keywords again."""
        rows = keywords(self.access)
        if rows != self.rows:
            self.rows = rows
            self._texts.clear()

    def text(self, state: int) -> str:
        """A state as the inside of `FLAGS (…)`."""
        found = self._texts.get(state)
        if found is None:
            if len(self._texts) > TOKENS_MAX:
                self._texts.clear()
            if not self.knows(state):
                self.refresh()
            found = self._texts[state] = " ".join(self._names(state))
        return found

    def knows(self, state: int) -> bool:
        """Whether every keyword bit has a name; another session may have made one since."""
        known = sum(1 << row.bit for row in self.rows)
        return not state >> FLAG_BITS & ~known

    def all_names(self) -> list[str]:
        """Everything a message here can carry."""
        return [*FLAG_NAMES.values(), *(row.atom for row in self.rows)]

    def _names(self, state: int) -> Iterable[str]:
        yield from (name for bit, name in FLAG_NAMES.items() if state & bit)
        yield from (row.atom for row in self.rows if state >> FLAG_BITS & 1 << row.bit)


class LineEnds(dict[tuple[int, int], str]):
    """How a line of flags ends, by flags and keywords: most messages share a few."""

    def __init__(self, names: FlagNames) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, key: tuple[int, int]) -> str:
        found = self[key] = f"FLAGS ({self._names.text(state_of(*key))}))\r\n"
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Flags that a command names: bits of `Flag`, and atoms that are keywords."""

    flags: Flag
    atoms: list[str]


def wanted(names: Iterable[bytes]) -> Wanted | None:
    """What the names mean; None for a system flag that does not exist."""
    bits, atoms = 0, []
    for raw in names:
        name = raw.decode("ascii")
        upper = name.upper()
        if upper in BITS:
            bits |= BITS[upper]
        elif upper in IGNORED:
            continue
        elif name.startswith("\\"):
            return None
        else:
            atoms.append(name)
    return Wanted(Flag(bits), list(dict.fromkeys(atoms)))
