"""SMTP transactions with one server: MAIL, RCPT, the message; one result per recipient.

A server that offers PIPELINING gets MAIL, RCPT and DATA in one write; with CHUNKING a message of moderate size goes
along (RFC 2920, RFC 3030).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from accounts.addressing import domain_key
from core.errors import MailError
from mailstore.message import needs_smtputf8
from mta.outbound import wire
from mta.outbound.result import Result, Verdict, for_all, from_reply
from mta.outbound.routing import Hop
from mta.outbound.session import Session, UnreachableError, open_session
from mta.outbound.wire import Reply, WireError
from mta.wishes import NO_WISHES, RecipientWish, Wishes

__all__ = ["UnreachableError", "send", "stuffed", "transact"]

ALONG_MAX_BYTES = 65_536
"""A message up to this goes along with its envelope; a larger one waits until somebody wants it."""
CHUNK_BYTES = 1_048_576
NO_8BIT = ("5.6.3", "The server takes no 8-bit mail, and this one can't be converted")
GO_AHEAD = 354


async def send(
    hop: Hop, sender: str, recipients: Sequence[str], message: bytes, wishes: Wishes = NO_WISHES
) -> list[Result]:
    """Offer `message` to one server on a connection of its own; one result per recipient. Raises UnreachableError before
    anything was handed over."""
    session = await open_session(hop, require_tls=wishes.require_tls)
    try:
        return await transact(session, sender, recipients, message, wishes)
    finally:
        await session.leave()


async def transact(
    session: Session,
    sender: str,
    recipients: Sequence[str],
    message: bytes,
    wishes: Wishes = NO_WISHES,
    *,
    known: list[Result] | None = None,
) -> list[Result]:
    """One transaction; one result per recipient. A connection that is lost on the way makes them try later. `known` gets
    the results as they come, for a caller that may not wait for the end."""
    host = session.hop.name
    if wishes.require_tls and not session.offers("requiretls"):
        return for_all(recipients, Verdict.REFUSED, "5.7.30", "The server does not offer REQUIRETLS", host=host)
    refusal = _not_possible(session, [sender, *recipients], message)
    if refusal is not None:
        return for_all(recipients, Verdict.REFUSED, *refusal, host=host)
    session.carried += 1
    session.heard = False
    results: list[Result] = known if known is not None else []
    parts = [recipients[at : at + session.recipients_max] for at in range(0, len(recipients), session.recipients_max)]
    for part in parts:
        try:
            if not session.is_usable:
                raise WireError("The server hung up")
            done = await _Transaction(session, sender, part, message, wishes).run()
            results += [dataclasses.replace(each, is_confirming=session.offers("dsn")) for each in done]
        except WireError as error:
            results += for_all(part, Verdict.LATER, "4.4.2", f"Connection lost: {error}", host=host)
    return results


class _Transaction:
    """MAIL, RCPT, the message."""

    def __init__(
        self, session: Session, sender: str, recipients: Sequence[str], message: bytes, wishes: Wishes
    ) -> None:
        self._session = session
        self._wire = session.wire
        self._recipients = recipients
        self._message = message
        self._host = session.hop.name
        utf8 = session.offers("smtputf8") and _is_international([sender, *recipients], message)
        self._commands = [_mail(session, sender, message, wishes, utf8=utf8)]
        self._commands += [_rcpt(session, each, wishes.of(each), utf8=utf8) for each in recipients]
        self._is_chunked = session.offers("chunking")
        self._goes_along = session.offers("pipelining") and self._is_chunked and len(message) <= ALONG_MAX_BYTES

    async def run(self) -> list[Result]:
        """One result per recipient."""
        replies = await self._envelope()
        if not replies[0].is_good:
            await self._end(wanted=False)
            return self._all(replies[0])
        results = [
            from_reply(recipient, reply.code, reply.text, self._host)
            for recipient, reply in zip(self._recipients, replies[1:], strict=True)
        ]
        taken = [result.recipient for result in results if result.verdict is Verdict.ACCEPTED]
        answer = await self._end(wanted=bool(taken))
        if not taken:
            return results
        done = [from_reply(recipient, answer.code, answer.text, self._host) for recipient in taken]
        return [result for result in results if result.verdict is not Verdict.ACCEPTED] + done

    async def _envelope(self) -> list[Reply]:
        """The replies to MAIL and each RCPT; with PIPELINING what follows is on its way already."""
        if not self._session.offers("pipelining"):
            replies = [await self._wire.ask(self._commands[0])]
            self._session.heard = True
            for command in self._commands[1:]:
                replies.append(await self._wire.ask(command) if replies[0].is_good else replies[0])
            return replies
        batch = b"".join(command + b"\r\n" for command in self._commands)
        if self._goes_along:
            await self._wire.send(batch + _bdat(self._message, last=True))
        else:
            await self._wire.send(batch if self._is_chunked else batch + b"DATA\r\n")
        first = await self._wire.reply()
        self._session.heard = True
        return [first, *[await self._wire.reply() for _ in self._commands[1:]]]

    async def _end(self, *, wanted: bool) -> Reply:
        """Send the message when somebody wants it, and leave the session ready for the next transaction."""
        if self._goes_along:
            answer = await self._wire.reply(wire.FINAL_S)
            if not wanted:
                await self._reset()
            return answer
        if self._is_chunked:
            return await self._chunks() if wanted else await self._reset()
        return await self._data(wanted=wanted)

    async def _data(self, *, wanted: bool) -> Reply:
        pipelined = self._session.offers("pipelining")
        if not pipelined and not wanted:
            return await self._reset()
        if not pipelined:
            self._wire.write(b"DATA\r\n")
        answer = await self._wire.reply(wire.DATA_S)
        if answer.code != GO_AHEAD:
            await self._reset()
            return answer
        await self._wire.send(stuffed(self._message) if wanted else b".\r\n")  # RFC 2920 3.1
        return await self._wire.reply(wire.FINAL_S)

    async def _chunks(self) -> Reply:
        answer = Reply(0, "")
        for at in range(0, max(len(self._message), 1), CHUNK_BYTES):
            last = at + CHUNK_BYTES >= len(self._message)
            await self._wire.send(_bdat(self._message[at : at + CHUNK_BYTES], last=last))
            answer = await self._wire.reply(wire.FINAL_S)
            if not answer.is_good:
                if not last:
                    await self._reset()
                return answer
        return answer

    async def _reset(self) -> Reply:
        return await self._wire.ask(b"RSET")

    def _all(self, reply: Reply) -> list[Result]:
        return [from_reply(recipient, reply.code, reply.text, self._host) for recipient in self._recipients]


def stuffed(message: bytes) -> bytes:
    """As DATA wants it: dots doubled, the end marked (RFC 5321 4.5.2)."""
    content = message.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content + (b".\r\n" if content.endswith(b"\r\n") or not content else b"\r\n.\r\n")


def _not_possible(session: Session, addresses: Sequence[str], message: bytes) -> tuple[str, str] | None:
    """What the server has said beforehand it can't take."""
    if not session.offers("smtputf8") and any(needs_smtputf8([_ascii_domain(each)]) for each in addresses):
        return "5.6.7", "The server does not take internationalised addresses"  # RFC 6531 3.5
    if not session.takes_8bit and not message.isascii():
        return NO_8BIT  # RFC 6152 3
    limit = session.offered.get("size", "")
    if limit.isascii() and limit.isdigit() and 0 < int(limit) < len(message):
        return "5.3.4", f"The server takes at most {limit} bytes"  # RFC 1870 6
    return None


def _is_international(addresses: Sequence[str], message: bytes) -> bool:
    """Whether addresses or header fields need SMTPUTF8 (RFC 6531 3.6)."""
    if needs_smtputf8(addresses):
        return True
    return not message.isascii() and not message[: max(message.find(b"\r\n\r\n"), 0)].isascii()


def _ascii_domain(address: str) -> str:
    """The domain as A-labels (RFC 5890), which every server knows."""
    local, at, domain = address.rpartition("@")
    if not at or domain.isascii():
        return address
    try:
        return f"{local}@{domain_key(domain)}"
    except (MailError, ValueError):
        return address


def _mail(session: Session, sender: str, message: bytes, wishes: Wishes, *, utf8: bool) -> bytes:
    address = sender if utf8 else _ascii_domain(sender)
    options = [f"SIZE={len(message)}"] if session.offers("size") else []
    if session.offers("8bitmime") and not message.isascii():
        options.append("BODY=8BITMIME")
    if session.offers("dsn"):
        options += [f"RET={wishes.returned}"] if wishes.returned else []
        options += [f"ENVID={wishes.envelope_id}"] if wishes.envelope_id else []
    options += ["REQUIRETLS"] if wishes.require_tls else []
    options += ["SMTPUTF8"] if utf8 else []
    return " ".join([f"MAIL FROM:<{address}>", *options]).encode()


def _rcpt(session: Session, recipient: str, wish: RecipientWish, *, utf8: bool) -> bytes:
    options = []
    if session.offers("dsn"):  # RFC 3461 5.2.1: handed on to a server that knows them
        options += [f"NOTIFY={wish.notify}"] if wish.notify else []
        options += [f"ORCPT={wish.original}"] if wish.original else []
    address = recipient if utf8 else _ascii_domain(recipient)
    return " ".join([f"RCPT TO:<{address}>", *options]).encode()


def _bdat(chunk: bytes, *, last: bool) -> bytes:
    return f"BDAT {len(chunk)}{' LAST' if last else ''}\r\n".encode() + chunk
