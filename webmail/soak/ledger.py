"""What clients were promised (a 250, a 200), and every broken rule that somebody saw."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable


class Ledger:
    """Shared by all threads of a run. A mail is known by a token, which is its subject."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.copies: dict[str, Counter[int]] = {}
        """Token to mailbox to the number of copies that must lie there."""
        self.remote: set[str] = set()
        """Tokens that the remote server must get at least once."""
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()

    def promised(self, what: str, token: str, mailboxes: Iterable[int], *, remote: bool = False) -> None:
        """A mail was answered for these mailboxes, and for the remote server."""
        with self._lock:
            self.copies[token] = Counter(mailboxes)
            self.counts[what] += 1
            if remote:
                self.remote.add(token)

    def count(self, what: str) -> None:
        """Something happened that the result line tells."""
        with self._lock:
            self.counts[what] += 1

    def violated(self, text: str) -> None:
        """A rule was broken."""
        with self._lock:
            self.violations.append(text)
