"""What a client believes of its selected folder, from nothing but what the server said."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from webmail.stress.ledger import Flags, Ledger, claim
from webmail.stress.responses import Response, Value, atom, numbers, pairs, values

MARKER_ITEM = b"BODY[HEADER.FIELDS (X-MARKER)]"
NO_EXPUNGE = frozenset({b"FETCH", b"STORE", b"SEARCH", b"SORT", b"THREAD"})
"""While these run, message numbers must not move (RFC 9051 7.5.1); their UID forms may."""


@dataclass(slots=True)
class Known:
    """A message; UID 0 while it was not told."""

    uid: int = 0
    flags: Flags | None = None
    modseq: int = 0
    recent: bool | None = None
    """`\\Recent`; None while the flags were not told."""


_numbers = itertools.count(1)


@dataclass(slots=True)
class Mirror:
    """`qresync`: the server speaks of UIDs that vanish."""

    box: str
    ledger: Ledger
    qresync: bool = False
    server: int = 1
    """Whose answers these are."""
    messages: list[Known] = field(default_factory=list)
    modseq: int = 0
    """The highest seen."""
    settled: int = 0
    """The highest from which everything that left was told too: what a client may keep."""
    earlier: set[int] | None = None
    """UIDs kept from an earlier session, without those that vanished since."""
    named: set[bytes] = field(default_factory=set)
    """Flags of the last FLAGS response."""
    recent: int | None = None
    """How many messages are `\\Recent`; None while that can't be known."""
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def uids(self) -> list[int]:
        """All of them; 0 for those not told."""
        return [each.uid for each in self.messages]

    def hear(self, response: Response, running: bytes) -> None:
        """Take an untagged response in; `running` is the command that runs, empty for none, without `UID`."""
        name = response.name
        if name == b"EXISTS":
            count = response.number
            claim(count >= len(self.messages), f"EXISTS went from {len(self.messages)} to {count}")
            self.messages += [Known() for _ in range(count - len(self.messages))]
        elif name == b"RECENT":
            claim(response.number <= len(self.messages), f"RECENT {response.number} of {len(self.messages)}")
            self.recent = response.number
        elif name == b"EXPUNGE":
            claim(not self.qresync, "EXPUNGE although QRESYNC is enabled")
            self._may_expunge(running)
            self._expunge(response.number)
        elif name == b"VANISHED":
            self._vanished(response, running)
        elif name == b"FETCH":
            self._fetched(response.number, pairs(response.values[2]))
        elif name == b"FLAGS":
            self.named = set(values(response.values[1]))

    def _may_expunge(self, running: bytes) -> None:
        claim(bool(running), "a message was expunged while no command ran")
        claim(running not in NO_EXPUNGE, f"a message was expunged while {running!r} ran")

    def _expunge(self, number: int) -> None:
        claim(1 <= number <= len(self.messages), f"EXPUNGE {number} of {len(self.messages)}")
        message = self.messages.pop(number - 1)
        self._forget_recent(message)
        uid = message.uid
        if uid:
            self.ledger.gone.add((self.box, uid))

    def _forget_recent(self, message: Known) -> None:
        """Nobody tells how many are left: a client counts them."""
        if self.recent is not None:
            self.recent = None if message.recent is None else self.recent - message.recent

    def _vanished(self, response: Response, running: bytes) -> None:
        claim(self.qresync, "VANISHED although QRESYNC is not enabled")
        earlier = response.values[1] == [b"EARLIER"]
        uids = numbers(atom(response.values[-1]))
        if not earlier:
            self._may_expunge(running)
        if self.earlier is not None:
            self.earlier.difference_update(uids)
        for uid in uids:
            at = next((at for at, each in enumerate(self.messages) if each.uid == uid), None)
            claim(not earlier or at is None, f"VANISHED (EARLIER) {uid}, which is still counted")
            if at is not None:
                self._expunge(at + 1)
            elif not earlier:
                self._forget_recent(self.messages.pop(self._unknown_at(uid)))
                self.ledger.gone.add((self.box, uid))

    def _unknown_at(self, uid: int) -> int:
        """Where a message stands whose UID was never told: between its neighbours."""
        place = next((n for n in range(len(self.messages), 0, -1) if 0 < self.messages[n - 1].uid < uid), 0)
        is_unknown = place < len(self.messages) and not self.messages[place].uid
        claim(is_unknown, f"VANISHED {uid}, which is not in {self.uids}")
        return place

    def _fetched(self, number: int, items: dict[bytes, Value]) -> None:
        claim(1 <= number <= len(self.messages), f"FETCH {number} of {len(self.messages)}")
        message = self.messages[number - 1]
        if b"UID" in items:
            self._has_uid(number, int(atom(items[b"UID"])))
        modseq = int(values(items[b"MODSEQ"])[0]) if b"MODSEQ" in items else 0
        if modseq:
            claim(modseq >= message.modseq, f"modseq of {message} went back to {modseq}")
            message.modseq = modseq
            self.modseq = max(self.modseq, modseq)
        if b"FLAGS" in items:
            words = values(items[b"FLAGS"])
            message.flags = frozenset(words) - {b"\\Recent"}
            claim(len(set(words)) == len(words), f"flags twice: {words}")
            recent = b"\\Recent" in words
            claim(message.recent in {None, recent}, f"{message} was recent to this client or not, and is the other now")
            message.recent = recent
            if recent and message.uid:
                self.ledger.is_recent(self.server, (self.box, message.uid), self.number)
            unnamed = {each for each in message.flags if not each.startswith(b"\\")} - self.named
            claim(not unnamed, f"keywords {unnamed} were not announced by FLAGS")
            if modseq and message.uid:
                self.ledger.state((self.box, message.uid), modseq, message.flags)
        if MARKER_ITEM in items and message.uid:
            head = atom(items[MARKER_ITEM])
            self.ledger.content((self.box, message.uid), head.partition(b":")[2].strip())

    def _has_uid(self, number: int, uid: int) -> None:
        message = self.messages[number - 1]
        claim(message.uid in {0, uid}, f"message {number} had UID {message.uid} and has {uid}")
        before = max((each.uid for each in self.messages[: number - 1]), default=0)
        after = min((each.uid for each in self.messages[number:] if each.uid), default=uid + 1)
        claim(before < uid < after, f"UID {uid} of message {number} is not in order: {self.uids}")
        message.uid = uid
        self.ledger.note(self.box, uidnext=uid + 1)
