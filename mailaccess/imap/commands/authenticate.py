"""AUTHENTICATE (RFC 9051 6.2.2): PLAIN (RFC 4616) and LOGIN, with an initial response (RFC 4959)."""

from __future__ import annotations

import base64
import binascii

from mailaccess.imap.commands.login import enter, require_encryption
from mailaccess.imap.errors import BadError, NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session
from mta.smtp_in.sasl import read_plain, text_of

ANSWER_MAX = 12_288
"""Longest line of a sign-in, as in SMTP (RFC 4954 4)."""


async def run(session: Session, cursor: Cursor) -> Answer:
    """`AUTHENTICATE mechanism [initial response]`."""
    cursor.space()
    mechanism = cursor.atom().upper()
    initial: bytes | None = None
    if cursor.skip(b" "):
        initial = _decoded(cursor.astring())
    cursor.end()
    require_encryption(session)
    if mechanism == b"PLAIN":
        login = read_plain(initial if initial is not None else await _asked(session, b""))
        if login is None:
            raise NoError("AUTHENTICATIONFAILED", "Wrong address or password")
        return await enter(session, login.name, login.secret)
    if mechanism == b"LOGIN":
        name = initial if initial is not None else await _asked(session, b"Username:")
        secret = await _asked(session, b"Password:")
        return await enter(session, text_of(name) or "-", text_of(secret) or "")
    raise NoError("CANNOT", "Unknown mechanism")


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
