"""A remote server: aiosmtpd's own, saying what a test tells it to."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclasses.dataclass
class Taken:
    """One message the sink accepted."""

    sender: str
    recipients: list[str]
    content: bytes
    options: list[str]
    tls: bool


class Sink:
    """Accepts everything but what it was told to refuse (address or 'MAIL' or 'DATA' to reply)."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.taken: list[Taken] = []
        self.connections = 0
        self.tls: ssl.SSLContext | None = None

    async def handle_MAIL(  # noqa: N802, PLR0913 - aiosmtpd's hook
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.replies:
            return self.replies["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 ok"

    async def handle_RCPT(  # noqa: N802, PLR0913 - aiosmtpd's hook
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.replies:
            return self.replies["DATA"]
        content = bytes(envelope.original_content or b"")
        tls = session.ssl is not None
        taken = Taken(envelope.mail_from or "", list(envelope.rcpt_tos), content, list(envelope.mail_options), tls)
        self.taken.append(taken)
        return "250 2.6.0 taken"


@contextmanager
def remote(sink: Sink, *, tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[int]:
    """Run the sink on a free port of 127.0.0.1."""
    controller = _Controller(sink, hostname="127.0.0.1", port=0, tls_context=tls, **options)
    controller.start()
    try:
        assert controller.server is not None
        yield controller.server.sockets[0].getsockname()[1]
    finally:
        controller.stop()


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """Port 0 can't be connected to by its number: use the one that was bound."""
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
