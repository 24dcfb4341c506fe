"""The index on SQLite: one contentless FTS5 table in a file of its own, `search.db`, which can always be made again.

FTS5 walks a rowid range backwards inside the index, so the newest 50 of a mailbox cost the same at any size. Before
SQLite 3.43 a contentless row can only be deleted by giving its tokens again: `doc.digest` says whether those are the
same; when they aren't, the row is hidden (message 0) and its key is never given again.

synchronous=NORMAL: a commit isn't on the disk yet when it returns. So `add` and `remove` end with an fdatasync of the
log, and only then the caller forgets what is to be done. kill -9 at any line: a message is in the file or still waiting.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from mailstore.search.document import Document, digest_of
from mailstore.search.engine import Hit
from mailstore.search.expression import Either, Every, Expression, Phrase
from mailstore.search.keys import KeyGiver, bounds

FILE = "search.db"
BUSY_S = 30.0
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS doc (key INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, digest INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS doc_message ON doc (message_id) WHERE message_id > 0",
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(t, content='', columnsize=0, tokenize=\"ascii tokenchars '_'\")",
)
SLICE = 500

_local = threading.local()


class SqliteIndex:
    """See `engine.Index`. Connections are kept for each thread."""

    def add(self, documents: Sequence[Document]) -> None:
        """One transaction; a few milliseconds for a batch of 64."""
        with _writing() as database:
            giver = KeyGiver(lambda low, high: _taken(database, low, high))
            for each in documents:
                digest = each.digest
                found = _found(database, each.message_id)
                if found is not None and found[1] == digest:
                    continue
                if found is not None:
                    _hide(database, found[0])
                key = giver.give(each.mailbox, each.received_us)
                database.execute("INSERT INTO doc VALUES (?, ?, ?)", (key, each.message_id, digest))
                database.execute("INSERT INTO words (rowid, t) VALUES (?, ?)", (key, " ".join(each.tokens)))

    def remove(self, message_id: int, tokens: Sequence[str] | None) -> None:
        """Delete with the same tokens, or hide."""
        with _writing() as database:
            found = _found(database, message_id)
            if found is None:
                return
            key, digest = found
            if tokens is None or digest_of(tokens) != digest:
                _hide(database, key)
                return
            text = " ".join(tokens)
            database.execute("INSERT INTO words (words, rowid, t) VALUES ('delete', ?, ?)", (key, text))
            database.execute("DELETE FROM doc WHERE key = ?", (key,))

    def hits(self, mailbox: int, expression: Expression, *, low: int, high: int, limit: int) -> list[Hit]:
        """The join leaves out what is hidden."""
        first, last = bounds(mailbox)
        query = (
            "SELECT w.rowid, d.message_id FROM words w CROSS JOIN doc d WHERE w.words MATCH ? "
            "AND w.rowid BETWEEN ? AND ? AND d.key = w.rowid AND d.message_id > 0 ORDER BY w.rowid DESC LIMIT ?"
        )
        values = (match(expression), max(low, first), min(high, last), limit)
        return [Hit(*row) for row in _database().execute(query, values)]

    def holders(self, mailbox: int, expression: Expression) -> array[int]:
        """Row by row into numbers of eight bytes."""
        query = (
            "SELECT d.message_id FROM words w CROSS JOIN doc d WHERE w.words MATCH ? "
            "AND w.rowid BETWEEN ? AND ? AND d.key = w.rowid AND d.message_id > 0"
        )
        cursor = _database().execute(query, (match(expression), *bounds(mailbox)))
        return array("q", (row[0] for row in cursor))

    def keys_of(self, message_ids: Sequence[int]) -> dict[int, int]:
        """In slices of parameters."""
        found: dict[int, int] = {}
        for start in range(0, len(message_ids), SLICE):
            part = message_ids[start : start + SLICE]
            marks = ", ".join("?" * len(part))
            query = f"SELECT message_id, key FROM doc WHERE message_id > 0 AND message_id IN ({marks})"
            found.update(_database().execute(query, part).fetchall())
        return found

    def message_ids(self, mailbox: int, after: int, limit: int) -> list[int]:
        """A message's id begins with its mailbox, like a key."""
        query = "SELECT message_id FROM doc WHERE message_id > ? AND message_id <= ? ORDER BY message_id LIMIT ?"
        first, last = bounds(mailbox)
        return [row[0] for row in _database().execute(query, (max(after, first), last, limit))]

    def empty(self) -> None:
        """user_version 0 says so, in the same transaction; a new file has it too."""
        with _writing() as database:
            database.execute("INSERT INTO words (words) VALUES ('delete-all')")
            database.execute("DELETE FROM doc")
            database.execute("PRAGMA user_version = 0")

    def is_new(self) -> bool:
        """By user_version."""
        return bool(_database().execute("PRAGMA user_version").fetchone()[0] == 0)

    def filled(self) -> None:
        """See `empty`."""
        with _writing() as database:
            database.execute("PRAGMA user_version = 1")

    def size(self) -> tuple[int, int]:
        """Counted."""
        row = _database().execute("SELECT count(*), sum(message_id = 0) FROM doc").fetchone()
        return row[0] - (row[1] or 0), row[1] or 0


def path() -> Path:
    """Where the file lies: beside the database it belongs to."""
    return Path(str(connection.settings_dict["NAME"])).with_name(FILE)


def match(expression: Expression) -> str:
    """An FTS5 query (its section 3). Tokens are words and underscores; quoted, they can't be read as syntax."""
    if isinstance(expression, Phrase):
        return f'"{" ".join(expression.tokens)}"' + " *" * expression.is_prefix
    if isinstance(expression, Either):
        return "(" + " OR ".join(map(match, expression.parts)) + ")"
    assert isinstance(expression, Every)
    wanted = "(" + " AND ".join(map(match, expression.parts)) + ")"
    return f"({wanted} NOT ({' OR '.join(map(match, expression.without))}))" if expression.without else wanted


def close() -> None:
    """Close this thread's connection."""
    database: sqlite3.Connection | None = getattr(_local, "database", None)
    if database is not None:
        database.close()
        _local.database = None


def _database() -> sqlite3.Connection:
    """This thread's connection; a new one after a fork, or when the file was replaced."""
    wanted = path()
    stamp = (os.getpid(), str(wanted), _inode(wanted))
    if getattr(_local, "database", None) is None or _local.stamp != stamp:
        _local.database = _opened(wanted)
        _local.stamp = (os.getpid(), str(wanted), _inode(wanted))
    database: sqlite3.Connection = _local.database
    return database


def _opened(wanted: Path) -> sqlite3.Connection:
    database = sqlite3.connect(wanted, timeout=BUSY_S, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("PRAGMA cache_size=-32768")
    database.execute("PRAGMA mmap_size=268435456")
    database.execute("PRAGMA journal_size_limit=67108864")
    if database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'words'").fetchone()[0] == 0:
        database.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            database.execute(statement)
        database.execute("COMMIT")
        wanted.chmod(0o600)
    return database


def _inode(wanted: Path) -> int:
    try:
        return wanted.stat().st_ino
    except FileNotFoundError:
        return 0


@contextmanager
def _writing() -> Iterator[sqlite3.Connection]:
    """A transaction that is on the disk at the end."""
    database = _database()
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    log = os.open(f"{path()}-wal", os.O_RDONLY)
    try:
        os.fdatasync(log)
    finally:
        os.close(log)


def _found(database: sqlite3.Connection, message_id: int) -> tuple[int, int] | None:
    """(key, digest) of a message that is in."""
    found: tuple[int, int] | None = database.execute(
        "SELECT key, digest FROM doc WHERE message_id = ? AND message_id > 0", (message_id,)
    ).fetchone()
    return found


def _hide(database: sqlite3.Connection, key: int) -> None:
    """Its tokens stay in the index; hits on them lead nowhere, and the key stays taken."""
    database.execute("UPDATE doc SET message_id = 0 WHERE key = ?", (key,))


def _taken(database: sqlite3.Connection, low: int, high: int) -> set[int]:
    return {row[0] for row in database.execute("SELECT key FROM doc WHERE key BETWEEN ? AND ?", (low, high))}
