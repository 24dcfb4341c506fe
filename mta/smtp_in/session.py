"""What is known about one connection and one transaction: aiosmtpd's types with our facts added."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping

from aiosmtpd import smtp

from accounts.models import Account
from mta.inbound.trace import new_queue_id
from mta.wishes import RecipientWish, Wishes


@dataclasses.dataclass(frozen=True, slots=True)
class Tls:
    """What was negotiated: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`."""

    version: str
    cipher: str
    bindings: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    """What a sign-in can be bound to (`core.connection.bindings_of`)."""
    asked_name: str = ""
    """The host that the client named (SNI)."""


class Envelope(smtp.Envelope):
    """One transaction, with what the sender wishes."""

    def __init__(self) -> None:
        super().__init__()
        self.queue_id = new_queue_id(time.time())
        """What the log, the Received line and the answer call this transaction."""
        self.returned = ""
        self.envelope_id = ""
        self.require_tls = False
        self.is_binary = False
        """Its parts may hold any bytes (RFC 3030 3)."""
        self.as_sent: bytes | None = None
        """A binary message before its parts became lines: what its signatures are over."""
        self.release_us = 0
        """When its sender wants it sent; 0: at once."""
        self.recipient_wishes: dict[str, RecipientWish] = {}

    @property
    def wishes(self) -> Wishes:
        """All of them."""
        return Wishes(self.returned, self.envelope_id, self.require_tls, self.recipient_wishes)


class Session(smtp.Session):
    """One connection. `account` is set by AUTH."""

    def __init__(self, loop: asyncio.AbstractEventLoop, remote_address: str) -> None:
        super().__init__(loop)
        self.remote_address = remote_address
        self.tls: Tls | None = None
        self.account: Account | None = None
        self.smtp_utf8 = False
        """Whether the transaction under way needs it."""

    def forget(self) -> None:
        """Back to the state before EHLO, as STARTTLS demands (RFC 3207 4.2)."""
        self.host_name = None
        self.extended_smtp = False
        self.account = None
        self.authenticated = None

    @property
    def protocol(self) -> str:
        """The `with` of Received lines: SMTP, or ESMTP (RFC 3848) or UTF8SMTP (RFC 6531 4.3) with S and A."""
        if not self.extended_smtp:
            return "SMTP"
        return ("UTF8SMTP" if self.smtp_utf8 else "ESMTP") + ("S" if self.tls else "") + ("A" if self.account else "")
