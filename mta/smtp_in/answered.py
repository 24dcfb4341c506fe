"""Which 250s their clients have read: forgotten in `accepted` in batches, off the receiving path."""

from __future__ import annotations

import asyncio
import logging

from django.db import DatabaseError

from core import dbthread
from mta.inbound.accepted import forget

EVERY_S = 2.0
BATCH = 500

log = logging.getLogger(__name__)


class Answered:
    """Collects digests; `run` forgets them every two seconds. What a crash loses only stays in the table for a day."""

    def __init__(self) -> None:
        self._digests: list[bytes] = []

    def add(self, digest: bytes) -> None:
        """The client of this transaction has its answer."""
        self._digests.append(digest)

    async def run(self) -> None:
        """Forget in batches until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Forget everything collected."""
        while self._digests:
            batch, self._digests = self._digests[:BATCH], self._digests[BATCH:]
            try:
                await dbthread.run(forget, batch)
            except DatabaseError as error:
                log.info("answers not forgotten", extra={"error": str(error)})
