"""`manage.py indexer`: keep the search index up to date until SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from mailstore.search.indexer import Indexer

NICENESS = 5
"""A delivery or a page goes before: search may come half a second later."""


class Command(BaseCommand):
    """The loop of `mailstore.search.indexer`."""

    help = "Take new mail into the search index as it arrives, until SIGTERM or Ctrl-C."

    def handle(self, *_: Any, **__: Any) -> None:
        """Run; end between two rounds."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        os.nice(NICENESS)
        Indexer().run(stop)
