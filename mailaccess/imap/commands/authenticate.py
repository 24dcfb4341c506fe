"""AUTHENTICATE (RFC 9051 6.2.2), with an initial response (RFC 4959). The mechanisms are `accounts.sasl`'s."""

from __future__ import annotations

import base64
import binascii

from accounts.sasl import begin
from accounts.sign_in import SignedIn, SignInError
from mailaccess.imap.commands.login import admit, door_of, refused, require_encryption
from mailaccess.imap.errors import BadError, NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session
from mailaccess.signing_in import step

ANSWER_MAX = 12_288
"""Longest line of a sign-in, as in SMTP (RFC 4954 4)."""


async def run(session: Session, cursor: Cursor) -> Answer:
    """`AUTHENTICATE mechanism [initial response]`."""
    cursor.space()
    mechanism = cursor.atom().decode("ascii", "replace")
    initial: bytes | None = None
    if cursor.skip(b" "):
        initial = _decoded(cursor.astring())
    cursor.end()
    require_encryption(session)
    door = door_of(session)
    exchange = begin(mechanism, door)
    if exchange is None:
        raise NoError("CANNOT", "Unknown mechanism")
    answer = initial if initial is not None else await _asked(session, exchange.prompt)
    try:
        while not isinstance(found := await step(exchange, door, answer), SignedIn):
            answer = await _asked(session, found)
    except SignInError as error:
        raise refused(session, error) from None
    return admit(session, found)


async def _asked(session: Session, prompt: bytes) -> bytes:
    line = await session.wire.ask(b"+ " + base64.b64encode(prompt) + b"\r\n", ANSWER_MAX)
    if line == b"*":
        raise BadError("Cancelled")
    return _decoded(line)


def _decoded(line: bytes) -> bytes:
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise BadError("Not base64") from None
