"""One POP3 connection: lines in, answers out (RFC 1939). Commands are methods named after them."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import ClassVar

from accounts.models import Account
from accounts.sasl import Door, begin, mechanisms
from accounts.selectors import access_for
from accounts.sign_in import Circumstances, SignedIn, SignInError, may_stay
from accounts.sign_in_again import Asked
from core import dbthread
from core.access import Via
from core.errors import MailError
from core.serving import Gate
from mailaccess.pop3 import lock, replies
from mailaccess.pop3.lines import stuffed, top
from mailaccess.pop3.maildrop import Maildrop
from mailaccess.signing_in import sign_in, step
from mailaccess.stream import Stream

GUEST_TIMEOUT_S = 60.0
IDLE_TIMEOUT_S = 600.0
"""RFC 1939 3: ten minutes at least."""
LINE_MAX = 1_024
"""RFC 2449 4 says 255 bytes; secrets may be longer."""
SASL_LINE_MAX = 12_288
PENDING_MAX = 65_536
FAULTS_MAX = 20
FAILURES_MAX = 5

Handler = Callable[["Connection", str], Awaitable[bytes]]


class Connection(Stream):
    """One client."""

    BUSY, STOPPING = replies.BUSY, replies.STOPPING
    TIMED_OUT, FAILED = replies.TIMED_OUT, replies.FAILED
    commands: ClassVar[dict[str, tuple[Handler, str]]] = {}
    """Name to handler and the states in which it may be said: A(uthorization), T(ransaction)."""

    def __init__(self, gate: Gate, *, tls: bool = False) -> None:
        super().__init__(gate, tls=tls)
        self._input = bytearray()
        self._account_row: Account | None = None
        self._name = ""
        self._drop: Maildrop | None = None
        self._token = ""
        self._renewing: asyncio.Task[None] | None = None
        self._faults = self._failures = 0
        self._quitting = False

    def take(self, data: bytes) -> None:
        """Into the buffer."""
        self._input += data

    def held_bytes(self) -> int:
        """Everything not yet read."""
        return len(self._input)

    # The conversation -----------------------------------------------------------------------------

    async def converse(self) -> None:
        """Greet, then obey until the end; the maildrop is given back whatever happens."""
        try:
            await self.secured()
            self.write(replies.GREETING)
            while not self.is_lost:
                line = await self._line(LINE_MAX)
                await self._obey(line.decode("utf-8", "replace"))
                if self._quitting:
                    self.end()
                elif self._faults >= FAULTS_MAX or self._failures >= FAILURES_MAX:
                    self.end(b"-ERR Too many failures\r\n")
        finally:
            await self._leave()

    async def _line(self, limit: int) -> bytes:
        """The next line without its end; raises ConnectionError."""
        while (end := self._input.find(b"\n")) < 0 and len(self._input) <= limit:
            self.is_idle = True
            await self.arrival(IDLE_TIMEOUT_S if self._drop else GUEST_TIMEOUT_S)
            self.is_idle = False
            if self.is_lost or self.gate.closing:
                self.end(self.STOPPING)
                raise ConnectionError("the client is gone")
        if not 0 <= end <= limit:
            self.end(replies.TOO_LONG)
            raise ConnectionError("too long a line")
        line = bytes(self._input[:end]).removesuffix(b"\r")
        del self._input[: end + 1]
        return line

    async def _obey(self, line: str) -> None:
        word, _, argument = line.partition(" ")
        handler, states = self.commands.get(word.upper(), (None, ""))
        state = "T" if self._drop else "A"
        if handler is None or state not in states:
            self._faults += 1
            self.write(replies.NOT_NOW if handler else replies.UNKNOWN)
            return
        try:
            answer = await handler(self, argument.strip())
        except MailError as error:
            answer = replies.ERRORS[error.kind]
        self.write(answer)
        if len(answer) > PENDING_MAX:
            await self.drain()
        if self._starts_tls:
            self._starts_tls = False
            self._input.clear()  # nothing said before the handshake counts (RFC 2595 4)
            self.start_tls()

    _starts_tls = False

    async def _leave(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        if self._token and self._account_row is not None:
            token, self._token = self._token, ""
            await dbthread.run(lock.give_back, self._account_row.pk, token)

    # Signing in -----------------------------------------------------------------------------------

    async def capa(self, argument: str) -> bytes:
        """RFC 2449 5."""
        names = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UTF8 USER", "EXPIRE NEVER"]
        if self._drop is None:
            sasl = " ".join(["SASL", *mechanisms(self.bindings)])
            names += ["USER", sasl] if self.takes_secrets else []
            names += [] if self.is_encrypted else ["STLS"]
        names.append("IMPLEMENTATION Globalmail")
        return replies.ok("Capabilities") + "".join(f"{name}\r\n" for name in names).encode() + b".\r\n"

    async def stls(self, argument: str) -> bytes:
        """RFC 2595 4."""
        if self.is_encrypted:
            return replies.NOT_NOW
        self._starts_tls = True
        return replies.ok("Begin TLS now")

    async def user(self, argument: str) -> bytes:
        """RFC 1939 7: a name is never refused by itself."""
        if not self.takes_secrets:
            return replies.ENCRYPT_FIRST
        if not argument:
            return replies.BAD_ARGUMENT
        self._name = argument
        return replies.ok()

    async def password(self, argument: str) -> bytes:
        """PASS: the rest of the line, spaces too."""
        if not self._name:
            return replies.NOT_NOW
        name, self._name = self._name, ""
        return await self._enter(name, argument)

    async def auth(self, argument: str) -> bytes:
        """RFC 5034: `AUTH mechanism [initial response]`; alone it lists the mechanisms."""
        mechanism, _, initial = argument.partition(" ")
        if not argument:
            return replies.ok() + "".join(f"{name}\r\n" for name in mechanisms(self.bindings)).encode() + b".\r\n"
        if not self.takes_secrets:
            return replies.ENCRYPT_FIRST
        door = Door(self._around, self.bindings)
        exchange = begin(mechanism, door)
        if exchange is None:
            return b"-ERR Unknown mechanism\r\n"
        answer = await self._answer(exchange.prompt, initial)
        try:
            while answer is not None:
                found = await step(exchange, door, answer)
                if not isinstance(found, bytes):
                    return await self._open(found)
                answer = await self._answer(found, "")
        except SignInError as error:
            return self._refused(error)
        return replies.CANCELLED

    async def _answer(self, prompt: bytes, initial: str) -> bytes | None:
        line = initial.encode()
        if not initial:
            self.write(b"+ " + base64.b64encode(prompt) + b"\r\n")
            line = await self._line(SASL_LINE_MAX)
        if line == b"*":
            return None
        try:
            return b"" if line == b"=" else base64.b64decode(line, validate=True)
        except (binascii.Error, ValueError):
            return None

    @property
    def _around(self) -> Circumstances:
        return Circumstances("pop3", self.remote_address, "", self.local_name or None)

    async def _enter(self, name: str, secret: str) -> bytes:
        try:
            found = await sign_in(Asked(name, secret, self._around))
        except SignInError as error:
            return self._refused(error)
        return await self._open(found)

    def _refused(self, error: SignInError) -> bytes:
        self._failures += 1
        return replies.SIGN_IN_ERRORS[error.reason]

    async def _open(self, signed_in: SignedIn) -> bytes:
        account = signed_in.account
        if not self.enter_account(account.pk):
            return replies.TOO_MANY
        if not await dbthread.run(self._taken, account):
            return replies.IN_USE
        self._renewing = asyncio.create_task(self._renew(signed_in))
        return replies.ok("Signed in")

    def _taken(self, account: Account) -> bool:
        """On a database thread: the maildrop is this session's, and open; False while it is another's."""
        token = lock.take(account.pk)
        if token is None:
            return False
        self._account_row, self._token = account, token  # given back whatever happens next
        self._drop = Maildrop.open(access_for(account, account.pk, via=Via("pop3", "", self.remote_address)))
        return True

    async def _renew(self, signed_in: SignedIn) -> None:
        while True:
            await asyncio.sleep(lock.RENEW_S)
            if not await dbthread.run(lock.renew, signed_in.account.pk, self._token):
                self.end(replies.IN_USE)
                return
            if not await dbthread.run(may_stay, signed_in):
                self.end(replies.SIGNED_OUT)
                return

    # The maildrop ---------------------------------------------------------------------------------

    @property
    def drop(self) -> Maildrop:
        """The open maildrop."""
        assert self._drop is not None
        return self._drop

    async def stat(self, argument: str) -> bytes:
        """RFC 1939 5."""
        count, size = await dbthread.run(self.drop.stat)
        return replies.ok(f"{count} {size}")

    async def list(self, argument: str) -> bytes:
        """`LIST [message]`."""
        return await self._table(argument, lambda row: str(row.size))

    async def uidl(self, argument: str) -> bytes:
        """`UIDL [message]`."""
        return await self._table(argument, lambda row: row.uidl)

    async def retr(self, argument: str) -> bytes:
        """`RETR message`."""
        number = _number(argument)
        if number is None:
            return replies.BAD_ARGUMENT
        found = self.drop.at_hand(number)
        content, _ = found if found is not None else await dbthread.run(self.drop.letter, number)
        return replies.ok(f"{len(content)} octets") + stuffed(content)

    async def top(self, argument: str) -> bytes:
        """`TOP message lines`."""
        first, _, second = argument.partition(" ")
        number, count = _number(first), _number(second)
        if number is None or count is None:
            return replies.BAD_ARGUMENT
        content, header_length = await dbthread.run(self.drop.letter, number, shows_body=count > 0)
        return replies.ok() + stuffed(top(content, header_length, count))

    async def dele(self, argument: str) -> bytes:
        """`DELE message`: gone at QUIT."""
        number = _number(argument)
        if number is None:
            return replies.BAD_ARGUMENT
        await dbthread.run(self.drop.row, number)
        self.drop.marked.add(number)
        return replies.ok("Marked")

    async def rset(self, argument: str) -> bytes:
        """Marks are taken off."""
        self.drop.marked.clear()
        return replies.ok()

    async def noop(self, argument: str) -> bytes:
        """Nothing."""
        return replies.ok()

    async def utf8(self, argument: str) -> bytes:
        """RFC 6856 2: answers may be UTF-8; they always were what the sender wrote."""
        return replies.ok()

    async def quit(self, argument: str) -> bytes:
        """The update: what is marked goes, then goodbye (RFC 1939 6)."""
        self._quitting = True
        if self._drop is not None and self._drop.marked:
            await dbthread.run(self._drop.update)
        await self._leave()  # before the answer: who hears it may sign in again at once
        return replies.ok("Until next time")

    async def _table(self, argument: str, shown: Callable[..., str]) -> bytes:
        if argument:
            number = _number(argument)
            if number is None:
                return replies.BAD_ARGUMENT
            return replies.ok(f"{number} {shown(await dbthread.run(self.drop.row, number))}")
        rows = await dbthread.run(self.drop.listed)
        return (
            replies.ok(f"{len(rows)} messages")
            + "".join(f"{n} {shown(row)}\r\n" for n, row in rows).encode()
            + b".\r\n"
        )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


Connection.commands = {
    "CAPA": (Connection.capa, "AT"),
    "STLS": (Connection.stls, "A"),
    "USER": (Connection.user, "A"),
    "PASS": (Connection.password, "A"),
    "AUTH": (Connection.auth, "A"),
    "STAT": (Connection.stat, "T"),
    "LIST": (Connection.list, "T"),
    "UIDL": (Connection.uidl, "T"),
    "RETR": (Connection.retr, "T"),
    "TOP": (Connection.top, "T"),
    "DELE": (Connection.dele, "T"),
    "RSET": (Connection.rset, "T"),
    "NOOP": (Connection.noop, "T"),
    "UTF8": (Connection.utf8, "A"),
    "QUIT": (Connection.quit, "AT"),
}
