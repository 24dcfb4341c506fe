"""One IMAP connection: commands are obeyed one by one, their answers leave in one write when nothing more waits."""

from __future__ import annotations

from django.conf import settings

from core.errors import MailError
from core.serving import Gate
from mailaccess.imap.commands import notify
from mailaccess.imap.commands.capability import capabilities
from mailaccess.imap.errors import BadError, NoError, no_of
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.reader import Command, Continue, Reader, Refused
from mailaccess.imap.registry import COMMANDS
from mailaccess.imap.session import Answer, Session, State
from mailaccess.stream import Stream

GUEST_TIMEOUT_S = 60.0
"""From connecting to having signed in, for each silence."""
IDLE_TIMEOUT_S = 31 * 60.0
"""RFC 9051 5.4 wants at least 30 minutes."""
LITERAL_TIMEOUT_S = 300.0
FAULTS_MAX = 20
FAILURES_MAX = 5
"""Wrong secrets on one connection."""


class Connection(Stream):
    """One client."""

    BUSY = b"* BYE [UNAVAILABLE] Too many connections, try again later\r\n"
    STOPPING = b"* BYE [UNAVAILABLE] Server is stopping\r\n"
    TIMED_OUT = b"* BYE Timed out waiting for you\r\n"
    FAILED = b"* BYE [SERVERBUG] Internal error\r\n"

    def __init__(self, gate: Gate, *, tls: bool = False) -> None:
        super().__init__(gate, tls=tls)
        self._reader = Reader(settings.MESSAGE_MAX_BYTES, take=self.reserve)
        self._session = Session(self)
        self._faults = 0

    def take(self, data: bytes) -> None:
        """Into the reader."""
        self._reader.feed(data)

    def held_bytes(self) -> int:
        """Nothing while a literal arrives: its room is reserved."""
        return 0 if self._reader.literal_left else self._reader.held_bytes

    # What the session asks for --------------------------------------------------------------------

    async def ask(self, prompt: bytes, limit: int) -> bytes:
        """A prompt and the line that answers it."""
        self.write(prompt)
        while (line := self._reader.next_line(limit)) is None:
            await self.arrival(GUEST_TIMEOUT_S)
            if self.is_lost:
                raise ConnectionError("the client is gone")
        return line

    async def line(self, timeout_s: float) -> bytes:
        """The next line, within a time."""
        while (line := self._reader.next_line(1_000)) is None:
            self.is_idle = True
            await self.arrival(timeout_s)
            self.is_idle = False
            if self.is_lost or self.gate.closing:
                raise ConnectionError("the client is gone")
        return line

    # The conversation -----------------------------------------------------------------------------

    async def converse(self) -> None:
        """Greet, then obey until the end."""
        await self.secured()
        self.write(f"* OK [CAPABILITY {capabilities(self._session)}] Globalmail ready\r\n".encode())
        try:
            await self._serve()
        finally:
            self._session.end_watch()

    async def _serve(self) -> None:
        while not self.is_lost:
            event = self._reader.next()
            if event is None:
                await self._rest_or_tell()
            elif isinstance(event, Command):
                await self._obey(event)
            elif isinstance(event, Continue):
                self.write(b"+ go on\r\n")
            else:
                self._refuse(event)

    async def _rest_or_tell(self) -> None:
        """Between two commands a client that used NOTIFY hears of what happened; the others wait for their next one."""
        watch = self._session.watch
        if watch is None or not watch.is_woken or not self._reader.is_idle:
            await self._rest()
            return
        await self._session.stay()
        await notify.tell(self._session, expunge=False)
        await self.drain()

    async def _rest(self) -> None:
        if self.gate.closing:
            self.end(self.STOPPING)
            return
        self.is_idle = self._reader.is_idle
        guest = self._session.state is State.GUEST
        timeout_s = GUEST_TIMEOUT_S if guest else IDLE_TIMEOUT_S if self.is_idle else LITERAL_TIMEOUT_S
        await self.arrival(timeout_s)
        self.is_idle = False

    async def _obey(self, command: Command) -> None:
        cursor = Cursor(command.pieces)
        tag = b"*"
        try:
            self._session.tag = tag = cursor.tag()
            cursor.space()
            reply = await self._command(cursor)
        except ImapSyntaxError as fault:
            reply = self._bad(f"Syntax: {fault}")
        except BadError as bad:
            reply = self._bad(str(bad))
        except NoError as no:
            reply = _no(no)
        except MailError as error:
            reply = _no(no_of(error))
        finally:
            self.release()
        self.write(tag + b" " + reply)
        await self._after()

    async def _command(self, cursor: Cursor) -> bytes:
        name = cursor.atom().upper()
        by_uid = name == b"UID"
        if by_uid:
            cursor.space()
            name = cursor.atom().upper()
        entry = COMMANDS.get(name)
        run = (entry.by_uid if by_uid else entry.run) if entry else None
        if entry is None or run is None:
            raise BadError("Unknown command")
        session = self._session
        if not session.state & entry.states:
            raise BadError("Not now: sign in first" if session.state is State.GUEST else "Not in this state")
        await session.stay()
        answer: Answer = await run(session, cursor)
        self._faults = 0
        self._reader.is_guest = session.state is State.GUEST
        await notify.tell_after(session, name.decode(), answer)
        code = f"[{answer.code}] " if answer.code else ""
        return f"OK {code}{answer.text}\r\n".encode()

    def _bad(self, text: str) -> bytes:
        self._faults += 1
        return f"BAD {text}\r\n".encode()

    def _refuse(self, event: Refused) -> None:
        self.release()
        if event.is_append:
            self.write(event.tag + b" NO [TOOBIG] The message is too large\r\n")
        else:
            self.write(event.tag + b" BAD [LIMIT] The command is too long\r\n")
        if event.fatal:
            self.end(b"* BYE Too long\r\n")

    async def _after(self) -> None:
        session = self._session
        if session.after == "tls":
            session.after = ""
            self._reader.forget_input()
            self.start_tls()
        elif session.after == "deflate":
            session.after = ""
            self.start_deflate(self._reader.take_raw())
        elif session.state is State.LOGOUT:
            self.end()
        elif self._faults >= FAULTS_MAX or session.failures >= FAILURES_MAX:
            self.end(b"* BYE Too many failures\r\n")
        else:
            await self.drain()


def _no(no: NoError) -> bytes:
    code = f"[{no.code}] " if no.code else ""
    return f"NO {code}{no.text}\r\n".encode()
