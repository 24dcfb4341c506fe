"""The remote server of a run: takes mail, and sometimes says 4xx or hangs up, also after it has taken something."""

from __future__ import annotations

import random
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from webmail.soak.ledger import Ledger

TROUBLE = 0.15


class Sink:
    """aiosmtpd's handler; calm at the end of a run."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self._ledger = ledger
        self._chance = random.Random(f"{seed}-sink")
        self.calm = threading.Event()
        self.taken: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Sometimes greylisted."""
        if self._trouble():
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Sometimes too busy, sometimes gone before or after taking it."""
        if self._trouble():
            return "452 4.3.1 too busy"
        if self._trouble():
            self._hang_up(server)
            return "421 4.3.0 gone"
        subject = bytes(envelope.original_content or b"").partition(b"\r\nSubject: ")[2].partition(b"\r\n")[0]
        self.taken.add(subject.decode("ascii", "replace"))
        self._ledger.count("mails at the sink")
        if self._trouble():
            self._hang_up(server)  # taken, and nobody hears of it
        return "250 2.6.0 taken"

    def _hang_up(self, server: SMTP) -> None:
        if server.transport is not None:
            server.transport.close()

    def _trouble(self) -> bool:
        return not self.calm.is_set() and self._chance.random() < TROUBLE


def sink_server(sink: Sink, port: int) -> Controller:
    """On loopback; the caller starts and stops it."""
    return Controller(sink, hostname="127.0.0.1", port=port)
