"""The dialogue of one connection: a command line in, a reply out. It knows neither sockets nor time.

`obey` never raises for anything a client can send. What needs the wire is asked for by a flag that the connection
reads after each reply: `wants_data`, `wants_chunk`, `wants_tls`, `closing`. The MX and the submission service each subclass this and
say who may send what to whom (`check_sender`, `check_recipient`, `accept`).
"""

from __future__ import annotations

import abc
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError

from core import dbthread
from core.errors import MailError
from core.full import refusal
from mailstore.message.binary import without_binary
from mta.inbound.afterwards import Afterwards
from mta.smtp_in import later, refused, replies
from mta.smtp_in.chunk import ChunkReader, Chunks, parse_bdat
from mta.smtp_in.commands import BINARY, Problem, parse_mail, parse_rcpt, parse_wish
from mta.smtp_in.data import DataReader, has_bare_line_end
from mta.smtp_in.guard import Visitor
from mta.smtp_in.patience import Patience
from mta.smtp_in.session import Envelope, Session

RECIPIENTS_MAX = 1000
"""RFC 5321 4.5.3.1.8 demands 100; more than this in one transaction is asked to come in several."""
NAME_MAX = 255
BAD_BYTES = (replies.TOO_LARGE, replies.INVALID_CHARACTERS)
"""Answers to a message that count as mistakes of the client; others are about what is in it."""

log = logging.getLogger(__name__)

Handler = Callable[[Any, str], Awaitable[bytes]]
Continuation = Callable[[bytes], Awaitable[bytes]]


class Dialogue(abc.ABC):
    """Commands that both services share."""

    offers_tls: ClassVar[bool] = True
    offers_dsn: ClassVar[bool] = False
    """Reports of success on request (RFC 3461) are for people who have signed in: anybody else may have forged his
    address, and would make us write to strangers."""
    max_hold_days: ClassVar[int] = 0
    """How far ahead mail may be scheduled (RFC 4865); 0: not here."""
    protocol: ClassVar[str] = "ESMTP"
    service: ClassVar[str] = "mx"
    envelope_class: ClassVar[type[Envelope]] = Envelope
    commands: ClassVar[dict[str, Handler]]

    def __init__(self, session: Session, afterwards: Afterwards) -> None:
        self.session = session
        self.afterwards = afterwards
        self.visitor: Visitor | None = None
        """What a stranger meets; None for who is trusted."""
        self.unconfirmed = b""
        """Digest of the message whose 250 the client has perhaps not read (mta.inbound.accepted)."""
        self.envelope: Envelope | None = None
        self.wants_data = False
        self.wants_chunk: ChunkReader | None = None
        self.wants_tls = False
        self.closing = False
        self.continuation: Continuation | None = None
        self.largest_bytes: int = settings.MESSAGE_MAX_BYTES
        self._chunks = Chunks()
        self._patience = Patience()

    @property
    def pause_s(self) -> float:
        """How long the client must hold its tongue before it is greeted."""
        return self.visitor.pause_s if self.visitor is not None else 0.0

    async def open(self) -> bytes:
        """The first line (RFC 5321 4.3.1), or a refusal."""
        if self.visitor is not None:
            self.visitor.begin()
            refusal = await self.visitor.greet()
            if refusal is not None:
                self.closing = True
                return refusal
        return f"220 {settings.EHLO_NAME} {self.protocol}\r\n".encode()

    def delay_s(self, answer: bytes) -> float:
        """How long the client waits for `answer`: who makes mistakes over and over is slowed down."""
        return self.visitor.delay_s(answer) if self.visitor is not None else 0.0

    def end(self) -> None:
        """The connection is over."""
        if self.visitor is not None:
            self.visitor.end()

    async def obey(self, line: bytes) -> bytes:
        """Do what one line (without CRLF) asks for."""
        answer = await self._expected(self.continuation(line) if self.continuation else self._command(line))
        self._note(self.envelope, line, answer)
        return self._judge(answer)

    def _note(self, envelope: Envelope | None, line: bytes, answer: bytes) -> None:
        if answer.startswith((b"4", b"5")):
            refused.note(self.session, envelope, line, answer, service=self.service, known=self.commands)

    async def finish_chunk(self, reader: ChunkReader) -> bytes:
        """Answer a BDAT whose bytes were read; the last one ends the message (RFC 3030 2)."""
        if self.envelope is not None and self.envelope.rcpt_tos and reader.is_last:
            self._chunks = Chunks()
            return await self.finish(reader)
        answer = self._chunk_answer(reader)
        self._note(self.envelope, b"BDAT", answer)
        return self._judge(answer)

    def _chunk_answer(self, reader: ChunkReader) -> bytes:
        if self.envelope is None:
            return replies.NEEDS_MAIL
        if not self.envelope.rcpt_tos:
            return replies.NO_RECIPIENTS
        if reader.too_large:
            return replies.TOO_LARGE
        return replies.NO_MEMORY if reader.out_of_memory else replies.CHUNK_OK

    async def finish(self, reader: DataReader | ChunkReader) -> bytes:
        """Answer a DATA that was read to its end; the envelope is over whatever comes out."""
        envelope, self.envelope = self.envelope, None
        self._patience.note_message()
        assert envelope is not None
        answer = await self._outcome(envelope, reader)
        self._note(envelope, b"DATA", answer)
        return self._judge(answer) if answer in BAD_BYTES else answer

    async def _outcome(self, envelope: Envelope, reader: DataReader | ChunkReader) -> bytes:
        if reader.out_of_memory:
            return replies.NO_MEMORY
        if reader.too_large:
            return replies.TOO_LARGE
        message = reader.message()
        if envelope.is_binary:
            envelope.as_sent, message = message, await dbthread.run(without_binary, message)
            if len(message) > self.largest_bytes:
                return replies.TOO_LARGE
        if has_bare_line_end(message):
            return replies.INVALID_CHARACTERS
        return await self._expected(self.accept(envelope, message))

    async def _expected(self, work: Awaitable[bytes]) -> bytes:
        try:
            return await work
        except MailError as error:
            return replies.reply_for(error)
        except DatabaseError as error:
            log.warning("database refused work", extra={"error": str(error)})
            return replies.reply_for(refusal(error))  # the client keeps its mail and comes again (RFC 5321 4.2.5)

    def note_tls(self) -> None:
        """The connection is encrypted now; everything said before is void (RFC 3207 4.2)."""
        self.session.forget()
        self.envelope = None
        self.continuation = None

    def note_answer_read(self) -> None:
        """Something new arrived after the last answer had left, so the client has read it."""
        if self.unconfirmed:
            self.afterwards.answered(self.unconfirmed)
            self.unconfirmed = b""

    # What the services decide ---------------------------------------------------------------------

    @abc.abstractmethod
    async def check_sender(self, sender: str) -> bytes | None:
        """A refusal of MAIL FROM, or None."""

    @abc.abstractmethod
    async def check_recipient(self, envelope: Envelope, address: str) -> bytes | None:
        """A refusal of RCPT TO, or None."""

    @abc.abstractmethod
    async def accept(self, envelope: Envelope, message: bytes) -> bytes:
        """Take responsibility for a message (durably, before 250) or refuse it."""

    def extensions(self) -> list[str]:
        """What EHLO offers."""
        offered = ["PIPELINING", f"SIZE {self.largest_bytes}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        offered += ["CHUNKING", BINARY, f"LIMITS RCPTMAX={RECIPIENTS_MAX}"]  # RFC 3030, RFC 9422
        offered += ["DSN"] if self.offers_dsn else []
        if self.session.tls is not None:
            return [*offered, "REQUIRETLS"]  # RFC 8689 2: only where it is there
        return [*offered, "STARTTLS"] if self.offers_tls else offered

    # Commands -------------------------------------------------------------------------------------

    async def _command(self, line: bytes) -> bytes:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return replies.NOT_TEXT
        verb, _, argument = text.partition(" ")
        handler = self.commands.get(verb.upper())
        return await handler(self, argument.strip()) if handler is not None else replies.NOT_A_COMMAND

    def _judge(self, answer: bytes) -> bytes:
        answer = self._patience.judge(answer)
        self.closing = self.closing or self._patience.is_over
        return answer

    async def ehlo(self, argument: str) -> bytes:
        """EHLO (RFC 5321 4.1.1.1): a new start, and what is offered."""
        if not self._greet(argument):
            return replies.NEEDS_NAME
        self.session.extended_smtp = True
        lines = [settings.EHLO_NAME, *self.extensions()]
        return "".join(f"250{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines).encode()

    async def helo(self, argument: str) -> bytes:
        """HELO: as EHLO, nothing offered."""
        if not self._greet(argument):
            return replies.NEEDS_NAME
        self.session.extended_smtp = False
        return f"250 {settings.EHLO_NAME}\r\n".encode()

    def _greet(self, name: str) -> bool:
        self._patience.note_idle()
        if not name or len(name) > NAME_MAX or " " in name or not name.isprintable():
            return False
        self.session.host_name = name
        self.envelope = None
        return True

    async def mail(self, argument: str) -> bytes:
        """MAIL FROM: begin a transaction."""
        if self.session.host_name is None:
            return replies.NEEDS_EHLO
        if self.envelope is not None:
            return replies.OUT_OF_ORDER  # RFC 5321 4.1.4: no MAIL inside a transaction
        parsed = parse_mail(argument, dsn=self.offers_dsn, holds=self.max_hold_days > 0)
        if isinstance(parsed, Problem):
            return _problem(parsed)
        now_us = time.time_ns() // 1000
        release_us = later.release_us(parsed.hold_for, parsed.hold_until, now_us, self.max_hold_days)
        if release_us is None:
            return replies.BAD_RELEASE_TIME
        if parsed.size > self.largest_bytes:
            return replies.TOO_LARGE  # RFC 1870 6.1: before a byte of it is sent
        if parsed.require_tls and self.session.tls is None:
            return replies.REQUIRETLS_NEEDS_TLS
        refusal = await self.check_sender(parsed.sender)
        if refusal is not None:
            return refusal
        self.envelope = self.envelope_class()
        self.envelope.mail_from = parsed.sender
        self.envelope.require_tls = parsed.require_tls
        self.envelope.is_binary = parsed.is_binary
        self.envelope.release_us = release_us
        self.envelope.returned, self.envelope.envelope_id = parsed.returned, parsed.envelope_id
        self.envelope.smtp_utf8 = self.session.smtp_utf8 = parsed.utf8
        return replies.SENDER_OK

    async def rcpt(self, argument: str) -> bytes:
        """RCPT TO: one more recipient."""
        envelope = self.envelope
        if envelope is None:
            return replies.NEEDS_MAIL
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return replies.TOO_MANY_RECIPIENTS
        address = parse_rcpt(argument, utf8=envelope.smtp_utf8, dsn=self.offers_dsn)
        if isinstance(address, Problem):
            return _problem(address)
        wish = parse_wish(argument) if self.offers_dsn and argument[-1] != ">" else None
        if isinstance(wish, Problem):
            return _problem(wish)
        refusal = await self.check_recipient(envelope, address)
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        if wish is not None:
            envelope.recipient_wishes[address.lower()] = wish
        return replies.RECIPIENT_OK

    async def data(self, argument: str) -> bytes:
        """DATA: the message follows."""
        if argument:
            return replies.BAD_ARGUMENT
        if self.envelope is None:
            return replies.NEEDS_MAIL
        if not self.envelope.rcpt_tos:
            return replies.NO_RECIPIENTS
        if self.envelope.is_binary or self._chunks.are_of(self.envelope):
            return replies.OUT_OF_ORDER  # RFC 3030 2, 3: not after BDAT, nor for what has no lines
        self.wants_data = True
        return replies.GO_AHEAD

    async def bdat(self, argument: str) -> bytes:
        """BDAT: so many bytes follow. They are read whatever comes of them, and answered then."""
        parsed = parse_bdat(argument)
        if parsed is None:
            self.closing = True  # where the next command begins is anybody's guess
            return replies.BAD_ARGUMENT
        if self.envelope is None or not self.envelope.rcpt_tos:
            self.wants_chunk = ChunkReader(0)  # for bytes that nobody keeps
        else:
            self.wants_chunk = self._chunks.reader(self.envelope, self.largest_bytes)
        self.wants_chunk.begin(parsed[0], is_last=parsed[1])
        return b""

    async def starttls(self, argument: str) -> bytes:
        """STARTTLS (RFC 3207)."""
        if not self.offers_tls or self.session.tls is not None:
            return replies.OUT_OF_ORDER
        if argument:
            return replies.BAD_ARGUMENT
        self.wants_tls = True
        return replies.READY_FOR_TLS

    async def rset(self, argument: str) -> bytes:
        """RSET: drop the transaction."""
        self._patience.note_idle()
        self.envelope = None
        return replies.OK

    async def noop(self, argument: str) -> bytes:
        """NOOP."""
        self._patience.note_idle()
        return replies.OK

    async def vrfy(self, argument: str) -> bytes:
        """VRFY tells nobody who has a mailbox (RFC 5321 7.3)."""
        self._patience.note_idle()
        return replies.CANNOT_VERIFY if argument else replies.BAD_ARGUMENT

    async def not_implemented(self, argument: str) -> bytes:
        """Known, not offered."""
        self._patience.note_idle()
        return replies.NOT_IMPLEMENTED

    async def quit(self, argument: str) -> bytes:
        """QUIT."""
        self.closing = True
        return replies.BYE


Dialogue.commands = {
    "EHLO": Dialogue.ehlo,
    "HELO": Dialogue.helo,
    "MAIL": Dialogue.mail,
    "RCPT": Dialogue.rcpt,
    "DATA": Dialogue.data,
    "BDAT": Dialogue.bdat,
    "STARTTLS": Dialogue.starttls,
    "RSET": Dialogue.rset,
    "NOOP": Dialogue.noop,
    "VRFY": Dialogue.vrfy,
    "EXPN": Dialogue.not_implemented,
    "HELP": Dialogue.not_implemented,
    "TURN": Dialogue.not_implemented,
    "QUIT": Dialogue.quit,
}


def _problem(problem: Problem) -> bytes:
    return replies.reply(problem.code, problem.enhanced, problem.text)
