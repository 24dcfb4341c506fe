"""A signed-in connection with its mirror: commands in, everything untagged compared on its way."""

from __future__ import annotations

from dataclasses import dataclass, field

from webmail.stress.ledger import Ledger, claim
from webmail.stress.mirror import NO_EXPUNGE, Mirror
from webmail.stress.responses import Response
from webmail.stress.wire import Wire

MODES = ("", "CONDSTORE", "QRESYNC")


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom."""

    port: int
    tls: bool
    name: str
    password: str


@dataclass(slots=True)
class Session:
    """`mirror` is None while no folder is selected."""

    wire: Wire
    ledger: Ledger
    mode: str = ""
    server: int = 1
    """Which one of the run it speaks with."""
    mirror: Mirror | None = None
    capabilities: frozenset[bytes] = frozenset()
    heard: list[Response] = field(default_factory=list)
    """Untagged responses of the last command."""
    _tag: int = 0

    @classmethod
    async def open(cls, login: Login, ledger: Ledger, mode: str) -> Session:
        """Connect, sign in, enable. Raises OSError."""
        server = ledger.server
        session = cls(await Wire.open(login.port, tls=login.tls), ledger, mode, server)
        try:
            if ledger.server != server:  # with which of the two is anybody's guess
                raise ConnectionError("the server was killed")
            greeting = await session.wire.response()
            if greeting.status == b"BYE":
                raise ConnectionError("not now")
            claim(greeting.status == b"OK", f"greeting {greeting}")
            await session.ok(f'LOGIN {login.name} "{login.password}"'.encode())
            await session.ok(b"CAPABILITY")
            words = next(each.values[1:] for each in session.heard if each.name == b"CAPABILITY")
            session.capabilities = frozenset(word.upper() for word in words if isinstance(word, bytes))
            if mode:
                await session.ok(b"ENABLE " + mode.encode())
        except BaseException:
            session.wire.close()
            raise
        return session

    async def ok(self, command: bytes) -> Response:
        """A command that must succeed."""
        answer = (await self.say([command]))[0]
        claim(answer.status == b"OK", f"{command[:200]!r}: {answer.status!r} {answer.code!r} {answer.text!r}")
        return answer

    async def say(self, commands: list[bytes]) -> list[Response]:
        """Send commands at once, hear all answers. A literal stands inside a command as `{n+}`."""
        tags = []
        for _ in commands:
            self._tag += 1
            tags.append(b"c%d" % self._tag)
        await self.wire.send(b"".join(b"%b %b\r\n" % pair for pair in zip(tags, commands, strict=True)))
        answers: list[Response] = []
        self.heard = []
        for tag, command in zip(tags, commands, strict=True):
            answers.append(await self._until(tag, command))
        return answers

    async def idle(self, hear_s: float) -> None:
        """IDLE for a while."""
        self._tag += 1
        tag = b"c%d" % self._tag
        await self.wire.send(tag + b" IDLE\r\n")
        self.heard = []
        while (response := await self.wire.response()).tag != b"+":
            self._hear(response, b"IDLE")
        await self.wire.listen(hear_s, lambda response: self._hear(response, b"IDLE"))
        await self.wire.send(b"DONE\r\n")
        await self._until(tag, b"IDLE")

    async def _until(self, tag: bytes, command: bytes) -> Response:
        words = command.split(b" ", 2)
        by_uid = words[0].upper() == b"UID"
        running = b"UID " + words[1].upper() if by_uid else words[0].upper()
        while True:
            response = await self.wire.response()
            if response.tag == tag:
                claim(response.status != b"BAD", f"{command[:200]!r}: BAD {response.text!r}")
                self.ledger.counts[running.decode("ascii", "replace")] += 1
                if self.mirror is not None and running not in NO_EXPUNGE:
                    self.mirror.settled = self.mirror.modseq
                return response
            claim(response.tag == b"*", f"unexpected tag {response.tag!r}")
            self._hear(response, running)

    def _hear(self, response: Response, running: bytes) -> None:
        if response.status == b"BYE" and running != b"LOGOUT":
            raise ConnectionError("BYE")
        self.heard.append(response)
        if self.mirror is not None:
            self.mirror.hear(response, running)
