"""A client that keeps one thing moving: an item is tried again until it is answered, as real senders do."""

from __future__ import annotations

import abc
import http.client
import random
import smtplib
import threading
import time
from typing import Generic, TypeVar

import httpx

from webmail.soak.ledger import Ledger

Item = TypeVar("Item")

PAUSE_S = 0.2
"""Before a thing is tried again."""
LOST = (OSError, smtplib.SMTPException, httpx.HTTPError, http.client.HTTPException)
"""How a killed server looks from outside."""


class Client(threading.Thread, abc.ABC, Generic[Item]):
    """Until told to stop: make an item, try it until it is done. The last item is brought to its end."""

    def __init__(self, name: str, ledger: Ledger, seed: int, *, patience_s: float = 90.0) -> None:
        super().__init__(name=name, daemon=True)
        self.ledger = ledger
        self.chance = random.Random(f"{seed}-{name}")
        self.stopping = threading.Event()
        self.number = 0
        self._patience_s = patience_s

    @abc.abstractmethod
    def new(self) -> Item:
        """The next thing to do."""

    @abc.abstractmethod
    def attempt(self, item: Item) -> bool:
        """Try it; True when it is done (or never will be, and was reported). May raise what a lost server raises."""

    def forget_connection(self) -> None:
        """The server went away."""

    def token(self) -> str:
        """A new token."""
        self.number += 1
        return f"soak-{self.name}-{self.number}"

    def run(self) -> None:
        """Item after item."""
        while not self.stopping.wait(self.chance.uniform(0, 0.05)):
            self._finish(self.new())

    def _finish(self, item: Item) -> None:
        stopped_at = None
        while not self._try(item):
            if self.stopping.is_set():
                stopped_at = stopped_at or time.monotonic()
                if time.monotonic() - stopped_at > self._patience_s:
                    self.ledger.violated(f"{self.name}: never answered: {item}")
                    return
            time.sleep(PAUSE_S)

    def _try(self, item: Item) -> bool:
        try:
            return self.attempt(item)
        except LOST:
            self.forget_connection()
            self.ledger.count("lost connections")
            return False
