"""LOGIN (RFC 9051 6.2.3), and what every way of signing in shares."""

from __future__ import annotations

import asyncio

from accounts.sasl import Door
from accounts.sign_in import Circumstances, Reason, SignedIn, SignInError
from accounts.sign_in_again import Asked
from mailaccess.imap.commands.capability import capabilities
from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session, State
from mailaccess.signing_in import sign_in

REFUSALS: dict[Reason, tuple[str, str]] = {
    Reason.REFUSED: ("AUTHENTICATIONFAILED", "Wrong address or password"),
    Reason.THROTTLED: ("UNAVAILABLE", "Too many failures, try again later"),
    Reason.SUSPENDED: ("AUTHORIZATIONFAILED", "This account is suspended"),
    Reason.FULL_ADDRESS: ("AUTHENTICATIONFAILED", "Sign in with your full address"),
    Reason.NEEDS_CODE: (
        "AUTHENTICATIONFAILED",
        "Use a client code instead of the password; the webmail makes one",
    ),
    Reason.PROTOCOL: ("AUTHORIZATIONFAILED", "The administrator does not let this account use IMAP"),
    Reason.NETWORK: ("AUTHORIZATIONFAILED", "The administrator does not let this account in from your address"),
}
"""RFC 5530 3."""


async def run(session: Session, cursor: Cursor) -> Answer:
    """`LOGIN name password`."""
    cursor.space()
    name = cursor.astring()
    cursor.space()
    secret = cursor.astring()
    cursor.end()
    require_encryption(session)
    return await enter(session, name.decode("utf-8", "replace"), secret.decode("utf-8", "replace"))


def require_encryption(session: Session) -> None:
    """No secret in the clear (RFC 9051 6.2.3, LOGINDISABLED)."""
    if not session.wire.takes_secrets:
        raise NoError("PRIVACYREQUIRED", "Use STARTTLS first")


def door_of(session: Session) -> Door:
    """Where this session signs in."""
    wire = session.wire
    around = Circumstances("imap", wire.remote_address, session.via.program, wire.local_name or None)
    return Door(around, wire.bindings)


async def enter(session: Session, name: str, secret: str) -> Answer:
    """Check a name and a secret and sign in, or NO."""
    try:
        found = await sign_in(Asked(name, secret, door_of(session).around))
    except SignInError as error:
        raise refused(session, error) from None
    return admit(session, found)


def refused(session: Session, error: SignInError) -> NoError:
    """Counted, and worded."""
    session.failures += 1
    return NoError(*REFUSALS[error.reason])


def admit(session: Session, found: SignedIn) -> Answer:
    """The session is this account's."""
    if not session.wire.enter_account(found.account.pk):
        raise NoError("LIMIT", "Too many connections of this account")
    session.account, session.signed_in = found.account, found
    session.looked_at_s = asyncio.get_running_loop().time()
    session.state = State.AUTHENTICATED
    return Answer("Signed in", code=f"CAPABILITY {capabilities(session)}")
