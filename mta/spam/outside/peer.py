"""A daemon at `host:port` or at the path of a socket, and whether it is worth asking now."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

QUIET_S = 30.0
"""After FAILURES in a row nobody asks for so long: a dead daemon must not cost every mail its time-out."""
FAILURES = 3


class OutsideError(Exception):
    """It gave no answer that can be used."""


class Peer:
    """One per process and daemon; `timeout_s` is for the whole exchange."""

    def __init__(self, address: str, timeout_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self._failures = 0
        self._quiet_until = 0.0

    @property
    def is_quiet(self) -> bool:
        """Whether it failed so often that it is left alone now."""
        return time.monotonic() < self._quiet_until

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Around one exchange. Everything that goes wrong inside becomes OutsideError, and is counted."""
        if self.is_quiet:
            raise OutsideError(f"{self.address}: left alone")
        try:
            async with asyncio.timeout(self.timeout_s):
                yield
        except (OSError, TimeoutError, EOFError, ValueError, OutsideError, asyncio.LimitOverrunError) as error:
            self._failures += 1
            if self._failures >= FAILURES:
                self._failures, self._quiet_until = 0, time.monotonic() + QUIET_S
            raise OutsideError(f"{self.address}: {error or type(error).__name__}") from error
        self._failures = 0

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Streams to it, inside `asking`."""
        if self.address.startswith("/"):
            reader, writer = await asyncio.open_unix_connection(self.address)
        else:
            host, _, port = self.address.rpartition(":")
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        try:
            yield reader, writer
        finally:
            writer.close()
