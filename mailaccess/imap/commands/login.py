"""LOGIN (RFC 9051 6.2.3), and what every way of signing in shares."""

from __future__ import annotations

from accounts.sign_in import Reason, SignedIn, SignInError, sign_in
from mailaccess.imap.commands.capability import capabilities
from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session, State

REFUSALS: dict[Reason, tuple[str, str]] = {
    Reason.REFUSED: ("AUTHENTICATIONFAILED", "Wrong address or password"),
    Reason.THROTTLED: ("UNAVAILABLE", "Too many failures, try again later"),
    Reason.SUSPENDED: ("AUTHORIZATIONFAILED", "This account is suspended"),
    Reason.FULL_ADDRESS: ("AUTHENTICATIONFAILED", "Sign in with your full address"),
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
    if not session.wire.is_encrypted:
        raise NoError("PRIVACYREQUIRED", "Use STARTTLS first")


async def enter(session: Session, name: str, secret: str) -> Answer:
    """Check a name and a secret and sign in, or NO."""
    try:
        found: SignedIn = await session.run(
            sign_in,
            name,
            secret,
            host=session.wire.local_name or None,
            protocol="imap",
            remote_address=session.wire.remote_address,
            program=session.via.program,
        )
    except SignInError as error:
        session.failures += 1
        raise NoError(*REFUSALS[error.reason]) from None
    return admit(session, found)


def admit(session: Session, found: SignedIn) -> Answer:
    """The session is this account's."""
    if not session.wire.enter_account(found.account.pk):
        raise NoError("LIMIT", "Too many connections of this account")
    session.account = found.account
    session.state = State.AUTHENTICATED
    return Answer("Signed in", code=f"CAPABILITY {capabilities(session)}")
