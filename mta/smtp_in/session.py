"""What is known about one connection and one transaction: aiosmtpd's types with our facts added."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping

from aiosmtpd import smtp

from accounts.models import Account


@dataclasses.dataclass(frozen=True, slots=True)
class Tls:
    """What was negotiated: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`."""

    version: str
    cipher: str
    bindings: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    """What a sign-in can be bound to (`core.connection.bindings_of`)."""
    asked_name: str = ""
    """The host that the client named (SNI)."""


class Session(smtp.Session):
    """One connection. `account` is set by AUTH."""

    def __init__(self, loop: asyncio.AbstractEventLoop, remote_address: str) -> None:
        super().__init__(loop)
        self.remote_address = remote_address
        self.tls: Tls | None = None
        self.account: Account | None = None

    def forget(self) -> None:
        """Back to the state before EHLO, as STARTTLS demands (RFC 3207 4.2)."""
        self.host_name = None
        self.extended_smtp = False
        self.account = None
        self.authenticated = None

    @property
    def protocol(self) -> str:
        """The `with` of Received lines (RFC 3848): SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA."""
        if not self.extended_smtp:
            return "SMTP"
        return "ESMTP" + ("S" if self.tls else "") + ("A" if self.account else "")
