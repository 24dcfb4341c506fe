"""The SMTP processes: MX, submission with STARTTLS, submission under TLS (RFC 8314), LMTP; one event loop each.

Several processes share the ports by SO_REUSEPORT; they have their limits together, and each its own group-committing
writer.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable

from django.conf import settings

from core.connection import Budget, ConnectionLimits
from core.serving import LARGE_AT_ONCE, Gate, Listeners, run_until_stopped
from core.siblings import Finished, Tally
from mailstore import writer
from mta.authentication.resolver import Resolver
from mta.inbound.afterwards import Afterwards
from mta.inbound.judging import Judging
from mta.inbound.recipients import RecentTargets
from mta.smtp_in.connection import Connection
from mta.smtp_in.dialogue import Dialogue
from mta.smtp_in.guard import Guard
from mta.smtp_in.lmtp import LmtpDialogue
from mta.smtp_in.mx import MxDialogue, Strangers
from mta.smtp_in.session import Session
from mta.smtp_in.submission import SubmissionDialogue

CONNECTIONS_MAX = 1000
CONNECTIONS_PER_ADDRESS = 100
"""A company behind one address has more programs than people; a flood has more than this."""
BACKLOG = 512
MEMORY_BYTES = 256 * 1024 * 1024
"""Unfinished messages of all connections; beyond it DATA is answered 452."""


class SmtpServer:
    """Listens and serves until `close`; `limits` and `memory_bytes` are its part of what all siblings may hold."""

    def __init__(
        self,
        *,
        limits: ConnectionLimits | None = None,
        memory_bytes: int = MEMORY_BYTES,
        large_at_once: int = LARGE_AT_ONCE,
        afterwards: Afterwards | None = None,
    ) -> None:
        memory = Budget(max(memory_bytes, 2 * settings.MESSAGE_MAX_BYTES))
        limits = limits or ConnectionLimits(total=CONNECTIONS_MAX, per_address=CONNECTIONS_PER_ADDRESS)
        self.gate = Gate(limits=limits, memory=memory, large_at_once=large_at_once)
        self.afterwards = afterwards or Afterwards()
        self._recent = RecentTargets()
        self._strangers = Strangers(Guard(Resolver()), Judging())
        self._listeners = Listeners(backlog=BACKLOG)
        self._writing: asyncio.Task[None] | None = None

    async def listen(
        self, *, mx: int | None, submission: int | None, submissions: int | None, lmtp: int | None = None
    ) -> None:
        """Bind the given ports (None: not that service; 0: any free one, see `ports`)."""
        if self._writing is None:
            self._writing = asyncio.create_task(self.afterwards.run())
        if mx is not None:
            await self._bind(mx, self._mx)
        if submission is not None:
            await self._bind(submission, self._submission)
        if submissions is not None:
            await self._bind(submissions, self._submission, tls_at_once=True)
        if lmtp is not None:
            await self._bind(lmtp, self._lmtp)

    @property
    def ports(self) -> list[int]:
        """The bound ports in the order of `listen`."""
        return self._listeners.ports

    async def close(self) -> None:
        """Stop listening, let transactions finish, commit what is under way."""
        self._listeners.close()
        await self.gate.drain()
        await self._strangers.judging.close()
        await self._strangers.guard.close()
        if self._writing is not None:
            self._writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writing
        await self.afterwards.flush(at_end=True)
        await asyncio.get_running_loop().run_in_executor(None, writer.drain)

    def _mx(self, session: Session) -> Dialogue:
        return MxDialogue(session, self._recent, self.afterwards, self._strangers)

    def _lmtp(self, session: Session) -> Dialogue:
        return LmtpDialogue(session, self._recent, self.afterwards, self._strangers)

    def _submission(self, session: Session) -> Dialogue:
        return SubmissionDialogue(session, self.afterwards, self._strangers.guard.rates)

    async def _bind(
        self, port: int, make_dialogue: Callable[[Session], Dialogue], *, tls_at_once: bool = False
    ) -> None:
        await self._listeners.bind(port, lambda: Connection(self.gate, make_dialogue, tls_at_once=tls_at_once))


def run_alone() -> None:
    """Serve the configured ports until SIGTERM or SIGINT, then drain."""
    asyncio.run(_serve(SmtpServer))


def run_as_sibling(number: int, count: int, tally: Tally, finished: Finished) -> None:
    """`run_alone`, as one of `count` processes."""
    limits = tally.limits(number, total=CONNECTIONS_MAX, per_address=CONNECTIONS_PER_ADDRESS)
    large, memory = max(1, LARGE_AT_ONCE // count), MEMORY_BYTES // count
    afterwards = Afterwards(finished, number)
    made = functools.partial(SmtpServer, limits=limits, memory_bytes=memory, large_at_once=large, afterwards=afterwards)
    asyncio.run(_serve(made))


async def _serve(make: Callable[[], SmtpServer]) -> None:
    server = make()
    await server.listen(
        mx=settings.MX_PORT,
        submission=settings.SUBMISSION_PORT,
        submissions=settings.SUBMISSIONS_PORT,
        lmtp=settings.LMTP_PORT or None,
    )
    await run_until_stopped("smtp", server)
