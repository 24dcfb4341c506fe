"""A browser's live stream: what it says is never ahead of the store, and in the end it has said everything."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Sequence

import httpx
from django.db import connection

from core.changes import RESYNC_S
from mailstore.selectors.folders import modseq_of
from webmail.soak.client import LOST, PAUSE_S
from webmail.soak.ledger import Ledger
from webmail.soak.pages import signed_in

SILENCE_S = 40.0
"""The stream says something every 15 seconds; a silent one is dead."""
CATCH_UP_S = 2 * RESYNC_S + 30
"""The compare finds everything in RESYNC_S; the rest is for a loaded machine and a reconnection."""


class Listener(threading.Thread):
    """One stream for one person, opened again whenever it is lost."""

    def __init__(self, ledger: Ledger, mailbox: int, *, address: str, password: str) -> None:
        super().__init__(name=f"listener-{mailbox}", daemon=True)
        self._ledger = ledger
        self._mailbox = mailbox
        self._login = (address, password)
        self.told = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        """Listen."""
        while not self.stopping.is_set():
            with contextlib.suppress(*LOST), contextlib.closing(signed_in(*self._login)) as pages:
                self._listen(pages)
            time.sleep(PAUSE_S)
        connection.close()

    def caught_up(self) -> bool:
        """Wait until the newest change was told."""
        deadline = time.monotonic() + CATCH_UP_S
        while time.monotonic() < deadline:
            if self.told == self._now():
                return True
            time.sleep(PAUSE_S)
        return False

    def _listen(self, pages: httpx.Client) -> None:
        where = f"/live/?mailboxes={self._mailbox}"
        with pages.stream("GET", where, timeout=SILENCE_S) as answer:
            answer.raise_for_status()
            told = 0
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    told = self._heard(json.loads(line.removeprefix("data: ")), told)
                if self.stopping.is_set():
                    return

    def _heard(self, hint: dict[str, str], before: int) -> int:
        modseq = int(hint["modseq"])
        self._ledger.count("live updates")
        if modseq < before:
            self._ledger.violated(f"live: {self._mailbox} went from {before} to {modseq} in one stream")
        if modseq > self._now():
            self._ledger.violated(f"live: {self._mailbox} was told {modseq}, which is not in the store")
        self.told = max(self.told, modseq)
        return modseq

    def _now(self) -> int:
        return modseq_of([self._mailbox])[self._mailbox]


def all_caught_up(listeners: Sequence[Listener]) -> list[int]:
    """The mailboxes whose stream has not told everything."""
    return [int(each.name.rpartition("-")[2]) for each in listeners if not each.caught_up()]
