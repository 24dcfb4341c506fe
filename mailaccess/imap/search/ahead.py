"""Columns that searches ask for most, read before anybody asks: of a large folder that a program has just opened and that
has no files yet, or old ones. In slices with pauses, one folder after the other; nothing happens while nobody opens one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict

from core import dbthread
from core.errors import ErrorKind, MailError
from mailaccess.imap.folder_index import index
from mailaccess.imap.search import files
from mailaccess.imap.search.columns import columns
from mailaccess.imap.search.reading import Steps

NAMES = ("subject", "from")
"""`from` brings To, Cc and Bcc along."""
PATIENCE_S = 0.3
"""First the program has its folder."""
SHARE = 4
"""Of the time one part is work, so that whoever wants something now waits for little."""
BUSY_S = 0.02
LATE = 4
"""Files that lack a part like this of their folder are old: what they lack is read by the first search."""
WAITING_MAX = 64
KNOWN_MAX = 10_000

log = logging.getLogger(__name__)


class Ahead:
    """The folders that wait. `is_wanted` is asked on database threads, the rest is of the event loop."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, int] = OrderedDict()
        """Folder to the number of its mails when it was looked at."""
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def is_wanted(self, folder_id: int, total: int) -> bool:
        """Whether a folder of so many mails has anything to be read ahead."""
        if total < files.MIN_ROWS or _is_recent(self._known.get(folder_id, 0), total):
            return False
        self._known[folder_id] = total
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return not all(_is_recent(files.count(folder_id, name), total) for name in NAMES)

    def begin(self, folder_id: int) -> None:
        """Read it soon; too many that wait are left to who searches them."""
        if len(self._waiting) < WAITING_MAX:
            self._waiting[folder_id] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def done(self) -> None:
        """Wait until nothing waits (tests)."""
        if self._task is not None:
            await self._task

    def close(self) -> None:
        """Stop, and forget everything; on the event loop."""
        self._known.clear()
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self._task = None

    async def _run(self) -> None:
        await asyncio.sleep(PATIENCE_S)
        while self._waiting:
            folder_id, _ = self._waiting.popitem(last=False)
            try:
                await _read(folder_id)
            except MailError as error:
                if error.kind is not ErrorKind.NOT_FOUND:
                    log.exception("reading ahead failed")
            except Exception:  # the first search reads it
                log.exception("reading ahead failed")


async def _read(folder_id: int) -> None:
    steps = _steps(folder_id)
    while True:
        began = time.monotonic()
        is_busy = await dbthread.run(next, steps, None)
        if is_busy is None:
            return
        await asyncio.sleep(max(BUSY_S if is_busy else 0.0, (time.monotonic() - began) * (SHARE - 1)))


def _steps(folder_id: int) -> Steps[None]:
    uids = index.current(folder_id).uids
    for name in NAMES:
        if not _is_recent(files.count(folder_id, name), len(uids)):
            yield from columns.lines(folder_id, uids, name)
            yield False


def _is_recent(known: int, total: int) -> bool:
    return known * LATE >= total * (LATE - 1)


ahead = Ahead()
