"""One client of a run: it opens folders, does random things in them, goes away without a word and comes back."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from webmail.stress import actions
from webmail.stress.ledger import Flags, Ledger, claim
from webmail.stress.mirror import Mirror
from webmail.stress.responses import Response
from webmail.stress.session import MODES, Login, Session

BOXES = ("INBOX", "Work", "&XzxoYw-")
RETRY_S = 0.1


@dataclass(slots=True)
class Kept:
    """What a client keeps of a folder while it is away (RFC 7162 3.2.5)."""

    uidvalidity: int
    uidnext: int
    modseq: int
    flags: dict[int, Flags]


@dataclass(slots=True)
class Player:
    """`stopping` ends it between two actions."""

    login: Login
    ledger: Ledger
    chance: random.Random
    name: str
    resting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while everybody may play."""
    rested: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this one does nothing."""
    stopping: bool = False
    session: Session | None = None
    kept: dict[str, Kept] = field(default_factory=dict)

    async def play(self) -> None:
        """Until `stopping`; raises ViolationError."""
        while not self.stopping:
            if not self.resting.is_set():
                await self.rest()
            try:
                await self._turn()
            except (ConnectionError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.ledger.counts[f"lost: {type(error).__name__}"] += 1
                self.leave()
                await asyncio.sleep(RETRY_S)

    async def rest(self) -> None:
        """Say so, and wait until play goes on."""
        self.rested.set()
        await self.resting.wait()
        self.rested.clear()

    def leave(self) -> None:
        """Hang up."""
        if self.session is not None:
            self.session.wire.close()
            self.session = None

    async def _turn(self) -> None:
        if self.session is None or self.session.mirror is None:
            await self.enter(self.chance.choice(BOXES))
            return
        dice = self.chance.random()
        if dice < 0.02:
            await self._vanish()
        elif dice < 0.05:
            await self.enter(self.chance.choice(BOXES))
        else:
            await actions.one(self)
            self.keep()

    async def _vanish(self) -> None:
        """Hang up, in the middle of a command perhaps."""
        assert self.session is not None
        if self.chance.random() < 0.5:
            await self.session.wire.send(b"x UID FETCH 1:* (FLAGS BODY.PEEK[])\r\n")
        self.leave()

    async def enter(self, box: str) -> None:
        """Select a folder on this connection or on a new one; with QRESYNC from what is kept."""
        if self.session is None:
            mode = self.chance.choice(MODES)
            self.session = await Session.open(self.login, self.ledger, mode)
            for each in BOXES[1:]:
                await self.session.say([f"CREATE {each}".encode()])
        session = self.session
        session.mirror = None
        at_least = (self.ledger.uidnext.get(box, 0), self.ledger.modseq.get(box, 0))
        kept = self.kept.get(box) if session.mode == "QRESYNC" else None
        mirror = Mirror(box, self.ledger, qresync=session.mode == "QRESYNC", server=session.server)
        session.mirror = mirror
        resync = ""
        if kept is not None:
            known = f" 1:{kept.uidnext - 1}" if kept.uidnext > 1 and self.chance.random() < 0.5 else ""
            resync = f" (QRESYNC ({kept.uidvalidity} {kept.modseq}{known}))"
            mirror.earlier = set(kept.flags)
        await session.ok(f"SELECT {box}{resync}".encode())
        selected = codes(session.heard)
        self.ledger.selected(
            box,
            uidvalidity=selected[b"UIDVALIDITY"],
            uidnext=selected[b"UIDNEXT"],
            modseq=selected[b"HIGHESTMODSEQ"],
            at_least=at_least,
        )
        changed = {each.uid: each.flags for each in mirror.messages if each.uid}
        await actions.learn(session, everything=True)
        if kept is not None and kept.uidvalidity == selected[b"UIDVALIDITY"]:
            compare(kept, mirror, changed, reached=selected[b"HIGHESTMODSEQ"])
            self.ledger.counts["resynchronised"] += 1
        mirror.settled = selected[b"HIGHESTMODSEQ"]
        self.keep()

    def keep(self) -> None:
        """Remember the folder for the next QRESYNC."""
        session = self.session
        if session is None or session.mirror is None or session.mode != "QRESYNC":
            return
        mirror = session.mirror
        if any(not each.uid or each.flags is None for each in mirror.messages):
            return
        flags = {each.uid: each.flags for each in mirror.messages if each.flags is not None}
        uidnext = max([*flags, self.kept[mirror.box].uidnext - 1 if mirror.box in self.kept else 0], default=0) + 1
        self.kept[mirror.box] = Kept(self.ledger.uidvalidity[mirror.box], uidnext, mirror.settled, flags)


def codes(heard: list[Response]) -> dict[bytes, int]:
    """The numbers of `OK [NAME n]`."""
    found = {}
    for each in heard:
        name, _, value = each.code.partition(b" ")
        if value.isdigit():
            found[name.upper()] = int(value)
    return found


def compare(kept: Kept, mirror: Mirror, changed: dict[int, Flags | None], *, reached: int) -> None:
    """What QRESYNC told, put on what was kept, must be what the folder holds now."""
    assert mirror.earlier is not None
    now = {each.uid: each for each in mirror.messages if each.uid}
    for uid in mirror.earlier:
        claim(uid in now or len(now) < len(mirror.messages), f"{mirror.box}: QRESYNC did not tell that {uid} is gone")
    for uid, message in now.items():
        if uid >= kept.uidnext:
            continue
        claim(uid in mirror.earlier, f"{mirror.box}: QRESYNC told that {uid} is gone, and it is there")
        flags = changed.get(uid)
        flags = kept.flags[uid] if flags is None else flags
        if 0 < message.modseq <= reached:
            claim(
                flags == message.flags,
                f"{mirror.box}: after QRESYNC {uid} has {flags}, really {message.flags} (modseq {message.modseq})",
            )
