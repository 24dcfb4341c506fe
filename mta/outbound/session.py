"""Opening a connection to a mail server: greeting, EHLO, TLS as sure as it must be, sign-in.

What TLS must be like is `security.py`'s. Opportunistic TLS that does not work falls back to the clear (RFC 7435),
everything stricter does not.
"""

from __future__ import annotations

import base64
import dataclasses
import ssl

from django.conf import settings

from mta.outbound import wire
from mta.outbound.routing import Hop
from mta.outbound.security import Level, Security, context_for, matches
from mta.outbound.wire import Wire, WireError

RECIPIENTS_MAX = 100
"""Of one transaction: what every server must take (RFC 5321 4.5.3.1.8)."""
CHALLENGE = 334


class UnreachableError(Exception):
    """No transaction took place with this server; the next one may be tried. `failure`: what a TLS report calls it."""

    def __init__(self, words: str, *, failure: str = "", is_policy: bool = False) -> None:
        super().__init__(words)
        self.failure = failure
        self.is_policy = is_policy
        """Mail could have gone, but not as safely as it must."""


@dataclasses.dataclass(slots=True)
class Session:
    """A greeted connection. `carried` transactions; `failure`: what TLS that was not demanded came to grief on."""

    hop: Hop
    wire: Wire
    offered: dict[str, str]
    carried: int = 0
    idle_since: float = 0.0
    failure: str = ""
    """What a TLS report calls it; of a policy that is tested, what it would have refused."""
    heard: bool = False
    """Whether the transaction under way had an answer: if not, another connection may carry it."""

    def offers(self, extension: str) -> bool:
        """Whether EHLO named it."""
        return extension in self.offered

    @property
    def takes_8bit(self) -> bool:
        """Whether bytes above 127 may be sent (RFC 6152; what knows SMTPUTF8 must know it too, RFC 6531 3.1)."""
        return self.offers("8bitmime") or self.offers("smtputf8")

    @property
    def recipients_max(self) -> int:
        """RFC 9422 RCPTMAX, when it says less than we would."""
        for word in self.offered.get("limits", "").upper().split():
            name, _, number = word.partition("=")
            if name == "RCPTMAX" and number.isascii() and number.isdigit() and int(number) > 0:
                return min(int(number), RECIPIENTS_MAX)
        return RECIPIENTS_MAX

    @property
    def is_usable(self) -> bool:
        """Whether another transaction may follow."""
        return not self.wire.is_closed

    async def leave(self) -> None:
        """QUIT."""
        await self.wire.quit()


async def open_session(hop: Hop, *, require_tls: bool = False) -> Session:
    """Connect, greet, encrypt, sign in; raises UnreachableError."""
    security = hop.security
    if require_tls and not security.demands_tls:
        security = dataclasses.replace(security, level=Level.VERIFIED)
    try:
        if security.is_testing and not security.demands_tls:
            return await _tested(hop, security)
        return await _sure(hop, security)
    except WireError as error:
        raise UnreachableError(_at(hop, str(error))) from None


async def _tested(hop: Hop, security: Security) -> Session:
    """Sent whatever a policy in testing says; what it would have refused is noted (RFC 8461 5). A server whose certificate
    is not the right one is connected to once more, for OpenSSL ends a handshake that it does not like."""
    failure = "" if security.is_named else "validation-failure"
    if not failure:
        try:
            return await _opened(hop, dataclasses.replace(security, level=Level.VERIFIED))
        except _TlsError as error:
            failure = error.kind
    session = await _sure(hop, security)
    session.failure = failure
    return session


async def _sure(hop: Hop, security: Security) -> Session:
    """As sure as it must be; in the clear only where that is allowed and nothing else works."""
    try:
        return await _opened(hop, security)
    except _TlsError as error:
        if security.demands_tls:
            raise UnreachableError(_at(hop, f"no valid TLS: {error}"), failure=error.kind, is_policy=True) from None
        session = await _opened(hop, dataclasses.replace(security, level=Level.PLAIN))
        session.failure = error.kind
        return session


class _TlsError(Exception):
    """TLS did not come about; `kind` is what a report calls it (RFC 8460 4.3)."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


async def _opened(hop: Hop, security: Security) -> Session:
    """One attempt; raises WireError or _TlsError."""
    if hop.is_tls_at_once:
        try:
            line = await Wire.connect(hop.address, hop.port, tls=_context(security), name=hop.name)
        except WireError as error:
            raise (_tls_error(error) if "certificate" in str(error).lower() else error) from None
    else:
        line = await Wire.connect(hop.address, hop.port)
    try:
        return await _greeted(hop, line, security)
    except BaseException:
        line.close()
        raise


async def _greeted(hop: Hop, line: Wire, security: Security) -> Session:
    greeting = await line.reply(wire.GREETING_S)
    if not greeting.is_good:
        raise WireError(f"{greeting.code} {greeting.text}"[:300])
    offered = await _hello(line)
    if not hop.is_tls_at_once and security.level is not Level.PLAIN:
        if "starttls" in offered:
            await _encrypt(hop, line, security)
            offered = await _hello(line)
        elif security.demands_tls:
            raise _TlsError("starttls-not-supported", "STARTTLS is not offered")
    if hop.login is not None:
        await _sign_in(line, offered, *hop.login)
    return Session(hop, line, offered)


async def _encrypt(hop: Hop, line: Wire, security: Security) -> None:
    answer = await line.ask(b"STARTTLS", wire.CONNECT_S)
    if not answer.is_good:
        raise _TlsError("starttls-not-supported", f"{answer.code} {answer.text}"[:200])
    name = security.base or hop.name
    try:
        await line.start_tls(_context(security), name)
    except WireError as error:
        raise _tls_error(error) from None
    if security.level is Level.DANE:
        assert line.tls is not None
        if not matches(security.records, line.tls, (name, *security.names)):
            raise _TlsError("validation-failure", "the certificate is not the one that TLSA names")


def _context(security: Security) -> ssl.SSLContext:
    return context_for(checked=security.level is Level.VERIFIED)


def _tls_error(error: WireError) -> _TlsError:
    words = str(error)
    known = {
        "hostname mismatch": "certificate-host-mismatch",
        "certificate has expired": "certificate-expired",
        "certificate verify failed": "certificate-not-trusted",
    }
    lowered = words.lower()
    kind = next((kind for said, kind in known.items() if said in lowered), "validation-failure")
    return _TlsError(kind, words[:200])


async def _hello(line: Wire) -> dict[str, str]:
    """What is offered, in lower case, with its parameters; a server that only knows HELO offers nothing."""
    name = settings.EHLO_NAME.encode()
    answer = await line.ask(b"EHLO " + name, wire.CONNECT_S)
    if answer.is_good:
        words = (each.partition(" ") for each in answer.text.split("\n")[1:])
        return {keyword.lower(): rest for keyword, _, rest in words}
    answer = await line.ask(b"HELO " + name, wire.CONNECT_S)
    if not answer.is_good:
        raise WireError(f"{answer.code} {answer.text}"[:300])
    return {}


async def _sign_in(line: Wire, offered: dict[str, str], name: str, secret: str) -> None:
    """AUTH PLAIN or LOGIN (RFC 4954, RFC 4616), under TLS alone."""
    if line.tls is None:
        raise WireError("No sign-in without TLS")
    mechanisms = offered.get("auth", "").upper().split()
    if "PLAIN" in mechanisms or "LOGIN" not in mechanisms:
        answer = await line.ask(b"AUTH PLAIN " + base64.b64encode(f"\0{name}\0{secret}".encode()))
    else:
        answer = await line.ask(b"AUTH LOGIN")
        for word in (name, secret):
            if answer.code == CHALLENGE:  # RFC 4954 4
                answer = await line.ask(base64.b64encode(word.encode()))
    if not answer.is_good:
        raise WireError(f"Sign-in refused: {answer.code} {answer.text}"[:300])


def _at(hop: Hop, words: str) -> str:
    return f"{hop.name} [{hop.address}]: {words}"
