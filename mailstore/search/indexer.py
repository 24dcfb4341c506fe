"""Takes in what waits: a loop of its own process (`manage.py indexer`), never in the way of a delivery.

The rows of `search_todo` and `search_removal` are the truth. A round reads some, newest mail first and every mailbox in
its turn, so that a large import delays nobody; puts them into the index, durably; then deletes the rows. Killed at any
line, it does the same again: the index replaces, it never doubles. Mail with attachments to be read waits for the
sandbox beside the loop, so a slow file delays only its own mail.

On SQLite one indexer works (a lock file says which); on PostgreSQL any number: rows are claimed with SKIP LOCKED.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from core.errors import MailError
from documents.extract import Sandbox
from mailstore import blobs, sql
from mailstore.fields import COUNTER_BITS, mailbox_of
from mailstore.message import Readable, read
from mailstore.search import sqlite
from mailstore.search.document import Document, has_files, subject_tokens, tokens_of
from mailstore.search.engine import Index
from mailstore.search.index import index
from mailstore.search.rebuild import enqueue

POLL_S = 0.2
"""How long a new mail may lie unseen; the promise is a second."""
BATCH = 64
"""Messages of a round: 10 to 40 ms of work, one sync."""
SHARE = 16
"""Of one mailbox in a round."""
READERS = 2
MAX_WAITING = 4
"""Mails whose files are being read: their bytes are in memory."""
LATER_S = 30.0
"""A mail whose bytes can't be had now is tried again then."""

Stored = tuple[int, Any]
"""When a message was received, and the columns that `blobs.decode` takes."""

log = logging.getLogger(__name__)


class Indexer:
    """One indexer. `round` does some work; `run` is the loop of a process."""

    def __init__(self) -> None:
        self.index: Index = index()
        self._sandboxes = threading.local()
        self._opened: list[Sandbox] = []
        self._pool = concurrent.futures.ThreadPoolExecutor(READERS, thread_name_prefix="files")
        self._waiting: dict[int, concurrent.futures.Future[Document]] = {}
        self._later: dict[int, float] = {}
        self._mailbox = 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; a database that is away is waited for."""
        with contextlib.ExitStack() as held:
            while not stop.is_set():
                try:
                    if not held.enter_context(only_indexer()):
                        held.pop_all().close()
                        stop.wait(1.0)
                        continue
                    self.refill()
                    while not stop.is_set():
                        if not self.round():
                            stop.wait(POLL_S)
                except (DatabaseError, InterfaceError, sqlite3.Error, OSError) as error:
                    log.warning("indexer waits", extra={"error": str(error)})
                    held.close()
                    connection.close()
                    sqlite.close()
                    stop.wait(1.0)
        self.close()

    def refill(self) -> None:
        """An index that is new, or was emptied, wants everything."""
        if self.index.is_new():
            enqueue()
            self.index.filled()

    def round(self) -> int:
        """Do some of what waits; how many messages were done."""
        done = self._remove()
        ready = [future.result() for future in list(self._waiting.values()) if future.done()]
        waiting = list(self._next(BATCH - len(ready)))
        rows = load(waiting)
        for message_id in waiting:
            found = self._document(message_id, rows.get(message_id))
            if found is not None:
                ready.append(found)
        self._commit(ready)
        return done + len(ready)

    def drain(self) -> int:
        """Rounds until nothing waits (commands and tests); how many messages were done."""
        done = 0
        while True:
            found = self.round()
            done += found
            if not found and self._waiting:
                concurrent.futures.wait(self._waiting.values(), return_when=concurrent.futures.FIRST_COMPLETED)
            elif not found:
                return done

    def close(self) -> None:
        """End the sandboxes."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for sandbox in self._opened:
            sandbox.close()

    def _next(self, limit: int) -> Iterator[int]:
        """Waiting messages: of each mailbox in turn its newest."""
        found: list[int] = []
        seen: set[int] = set()
        while len(found) < limit:
            query = "SELECT mailbox_id FROM mailstore_searchtodo WHERE message_id > %s ORDER BY message_id LIMIT 1"
            row = sql.row(query, [(self._mailbox + 1 << COUNTER_BITS) - 1]) or sql.row(query, [0])
            if row is None or row[0] in seen:
                break
            self._mailbox = row[0]
            seen.add(row[0])
            found += self._newest(row[0], min(SHARE, limit - len(found)))
        yield from found

    def _newest(self, mailbox: int, limit: int) -> list[int]:
        now = time.monotonic()
        self._later = {each: at for each, at in self._later.items() if at > now}
        busy = [each for each in (*self._waiting, *self._later) if mailbox_of(each) == mailbox]
        query = "SELECT message_id FROM mailstore_searchtodo WHERE message_id BETWEEN %s AND %s ORDER BY message_id DESC LIMIT %s"
        bounds = [mailbox << COUNTER_BITS, (mailbox + 1 << COUNTER_BITS) - 1]
        rows = sql.rows(query, [*bounds, limit + len(busy)])
        return [row[0] for row in rows if row[0] not in busy][:limit]

    def _document(self, message_id: int, row: Stored | None) -> Document | None:
        """Its tokens now, or None when its files are being read, or it can't be had."""
        if row is None:
            return Document(message_id, mailbox_of(message_id), 0, [])
        received_us, columns = row
        try:
            raw = blobs.decode(*columns)
        except MailError as error:
            log.warning("not indexed yet", extra={"message_id": message_id, "error": error.kind.value})
            self._later[message_id] = time.monotonic() + LATER_S
            return None
        message = read(raw)
        if not has_files(message):
            return self._made(message_id, received_us, raw, message)
        if len(self._waiting) < MAX_WAITING:
            self._waiting[message_id] = self._pool.submit(self._made, message_id, received_us, raw, message)
        return None

    def _made(self, message_id: int, received_us: int, raw: bytes, message: Readable) -> Document:
        try:
            tokens = tokens_of(raw, message, self._read_file)
        except Exception:  # whatever a mail holds, the loop goes on and the mail stays known by its subject
            log.exception("mail not read", extra={"message_id": message_id})
            tokens = subject_tokens(message)
        return Document(message_id, mailbox_of(message_id), received_us, tokens)

    def _read_file(self, name: str, content: bytes) -> str:
        """By this thread's sandbox."""
        sandbox: Sandbox | None = getattr(self._sandboxes, "own", None)
        if sandbox is None:
            sandbox = self._sandboxes.own = Sandbox()
            self._opened.append(sandbox)
        return sandbox.text(name, content)

    def _commit(self, documents: Sequence[Document]) -> None:
        """Into the index, then off the list; a message that was dropped meanwhile stays out."""
        if not documents:
            return
        ids = [each.message_id for each in documents]
        inside = sql.marks(ids)
        lock = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
        with transaction.atomic() if lock else contextlib.nullcontext():
            query = f"SELECT message_id FROM mailstore_searchtodo WHERE message_id IN ({inside}){lock}"
            claimed = {row[0] for row in sql.rows(query, ids)}
            if lock:  # killed by the machine's fall, the mails wait again
                sql.run("SET LOCAL synchronous_commit = off")
            self.index.add([each for each in documents if each.message_id in claimed and each.tokens])
            sql.run(f"DELETE FROM mailstore_searchtodo WHERE message_id IN ({sql.marks(list(claimed))})", list(claimed))
        for message_id in ids:
            self._waiting.pop(message_id, None)

    def _remove(self) -> int:
        """Take out what is gone from the store."""
        query = "SELECT message_id, blob_id FROM mailstore_searchremoval ORDER BY message_id LIMIT %s"
        found = sql.rows(query, [SHARE])
        for message_id, blob_id in found:
            with transaction.atomic() if connection.vendor == "postgresql" else contextlib.nullcontext():
                self.index.remove(message_id, self._tokens_again(message_id, blob_id))
                sql.run("DELETE FROM mailstore_searchremoval WHERE message_id = %s", [message_id])
        return len(found)

    def _tokens_again(self, message_id: int, blob_id: int) -> list[str] | None:
        if connection.vendor == "postgresql" or message_id not in self.index.keys_of([message_id]):
            return None
        try:
            raw = blobs.get(blob_id)
        except MailError:
            return None
        return self._made(message_id, 0, raw, read(raw)).tokens


def load(message_ids: Sequence[int]) -> dict[int, Stored]:
    """Of those that aren't gone. One query: where the machine is busy each one waits for its turn."""
    query = (
        "SELECT m.id, m.received_us, b.codec, b.data, b.key, b.size FROM mailstore_message m "
        f"JOIN mailstore_blob b ON b.id = m.blob_id WHERE {sql.among('m.id')}"
    )
    found = sql.rows(query, [sql.numbers(message_ids)]) if message_ids else []
    return {row[0]: (row[1], row[2:]) for row in found}


@contextlib.contextmanager
def only_indexer() -> Iterator[bool]:
    """Whether this process may index: on SQLite the one that holds the lock file, on PostgreSQL every one."""
    if connection.vendor == "postgresql":
        yield True
        return
    with sqlite.path().with_name("search.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
