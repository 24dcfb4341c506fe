"""SEARCH, SORT and THREAD over IMAP as a folder grows: the first time in a process, again, and after one more mail came.

With --full, as root and where Dovecot is installed, the mails of the middle folder go to Dovecot in the same run, in sdbox and
Maildir. How many messages each found is in the table: ours finds words where Dovecot finds parts of them.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from accounts.models import Account
from bench import dovecot
from bench.corpus import letter
from bench.mail_client import Imap
from bench.processes import cpu_s, running
from bench.report import report
from bench.site import DISTINCT, FIRST_US, GROUP, PASSWORD, accounts, environment, manage, redis
from core.ports import free_port
from mailstore.search.indexer import Indexer
from mailstore.services.deliver import Incoming, Placement, prepare, store

SIZES = (1_000, 10_000, 100_000)
COMPARED = 10_000
"""Mails in Dovecot, which needs minutes to take in more; its times grow with the number."""
THREAD = 5
"""Every mail but each fifth answers those before it."""
REPEATS = 5
PATIENCE_S = 5.0
"""A command that has taken so long in all is not repeated again."""
TEXTS = {"发票": "发票".encode(), "物流": "物流".encode()}
COMMANDS = {
    "SEARCH SUBJECT": b"SEARCH SUBJECT invoice",
    "SEARCH SUBJECT, inside a word": b"SEARCH SUBJECT nvoic",
    "SEARCH SUBJECT, Chinese": b"SEARCH CHARSET UTF-8 SUBJECT {6+}\r\n" + TEXTS["发票"],
    "SEARCH FROM": b"SEARCH FROM john.miller",
    "SEARCH OR FROM TO SUBJECT": b"SEARCH OR OR FROM emma TO emma SUBJECT emma",
    "SEARCH TEXT": b"SEARCH TEXT invoice",
    "SEARCH TEXT, Chinese": b"SEARCH CHARSET UTF-8 TEXT {6+}\r\n" + TEXTS["物流"],
    "SEARCH TEXT, nowhere": b"SEARCH TEXT quintessence",
    "SEARCH BODY": b"SEARCH BODY warehouse",
    "SEARCH SENTON": b"SEARCH SENTON 3-Jun-2026",
    "SEARCH UNSEEN": b"SEARCH UNSEEN",
    "SEARCH HEADER, not kept": b"SEARCH HEADER X-Mailer none",
    "SORT ARRIVAL": b"SORT (ARRIVAL) UTF-8 ALL",
    "SORT REVERSE DATE": b"SORT (REVERSE DATE) UTF-8 ALL",
    "SORT SUBJECT": b"SORT (SUBJECT) UTF-8 ALL",
    "SORT FROM": b"SORT (FROM) UTF-8 ALL",
    "THREAD REFERENCES": b"THREAD REFERENCES UTF-8 ALL",
    "THREAD ORDEREDSUBJECT": b"THREAD ORDEREDSUBJECT UTF-8 ALL",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What one command took: first, again (median), again after one more mail; CPU of the server again; how many found."""

    first_ms: float
    again_ms: float
    after_ms: float
    cpu_ms: float
    found: int


def main(*, full: bool) -> None:
    """Sizes one after the other, each in a mailbox and a server process of its own."""
    sizes = SIZES if full else SIZES[:2]
    people = accounts(len(sizes))
    rows: dict[str, dict[str, Any]] = {name: {"command": name} for name in COMMANDS}
    facts = {"database": connection.vendor, "repeats": REPEATS}
    with redis():
        for account, size in zip(people, sizes, strict=True):
            fill(account, 0, size)
            _index()
            _ours(account, size, rows, is_last=size == sizes[-1])
    report(f"imap_search-{connection.vendor}", "SEARCH, SORT, THREAD over IMAP, ms", list(rows.values()), **facts)
    if full and connection.vendor == "sqlite":
        _dovecots(COMPARED, rows)


def _ours(account: Account, size: int, rows: dict[str, dict[str, Any]], *, is_last: bool) -> None:
    ports = {"IMAP_PORT": free_port(), "IMAPS_PORT": free_port()}
    connection.close()
    with running(manage("imapd"), port=ports["IMAPS_PORT"], environment=environment(**ports)) as pid:
        client = Imap(ports["IMAPS_PORT"], account.address, PASSWORD, tls=True)
        client.select()
        extra = iter(range(size, size + len(COMMANDS)))
        asked = _asked(client, [pid], lambda: fill(account, next(extra), 1))
        client.close()
    for name, each in asked.items():
        rows[name] |= {f"{size:,} first": each.first_ms, f"{size:,} again": each.again_ms}
        if is_last:
            rows[name] |= {"one more mail": each.after_ms, "CPU": each.cpu_ms, "found": each.found}


def _dovecots(size: int, rows: dict[str, dict[str, Any]]) -> None:
    if not dovecot.is_here():
        print(f"== Dovecot: skipped; as root on Debian: apt-get install {dovecot.PACKAGES}", flush=True)
        return
    table = [{"command": name} | {key: row[key] for key in row if f"{size:,}" in key} for name, row in rows.items()]
    for kind in dovecot.LOCATIONS:
        with dovecot.running(Path(os.environ["DATA_DIR"]) / kind, kind, 0) as (target, _):
            client = target.open()
            for begin in range(0, size, 100):
                letters = [raw for _, raw in mails(begin, min(100, size - begin))]
                client.say(b"APPEND INBOX" + b"".join(b" {%d+}\r\n%b" % (len(raw), raw) for raw in letters))
            client.select()
            for row, each in zip(table, _asked(client, [], None).values(), strict=True):
                row |= {f"{kind} first": each.first_ms, f"{kind} again": each.again_ms, f"{kind} found": each.found}
            client.close()
    report("imap_search-dovecot", "The same in Dovecot, ms", table, mails=size)


def _asked(client: Imap, pids: Sequence[int], more: Any) -> dict[str, Asked]:
    return {name: _one(client, command, pids, more) for name, command in COMMANDS.items()}


def _one(client: Imap, command: bytes, pids: Sequence[int], more: Any) -> Asked:
    first, answer = _clocked(client, command)
    cpu = sum(map(cpu_s, pids))
    again: list[float] = []
    while len(again) < REPEATS and (not again or sum(again) < PATIENCE_S * 1e3):
        again.append(_clocked(client, command)[0])
    cpu = (sum(map(cpu_s, pids)) - cpu) / len(again)
    after = 0.0
    if more is not None:
        more()
        client.say(b"NOOP")
        after, _ = _clocked(client, command)
    return Asked(first, statistics.median(again), after, cpu * 1e3, _count(answer))


def _clocked(client: Imap, command: bytes) -> tuple[float, bytes]:
    began = time.perf_counter()
    answer = client.say(command)
    return (time.perf_counter() - began) * 1e3, answer


def _count(answer: bytes) -> int:
    lines = answer.split(b"\r\n")
    line = next((line for line in lines if line.startswith((b"* SEARCH", b"* SORT", b"* THREAD"))), b"")
    return sum(word.isdigit() for word in line.replace(b"(", b" ").replace(b")", b" ").split())


def mails(first: int, count: int) -> Iterator[tuple[int, bytes]]:
    """DISTINCT letters again and again, each with its own Message-ID, in conversations of THREAD."""
    for number in range(first, first + count):
        base = _letter(number % DISTINCT)
        above = b" ".join(b"<b%d@bench.test>" % each for each in range(number - number % THREAD, number))
        head, _, rest = base.partition(b"Message-ID: <")
        own = b"Message-ID: <b%d@bench.test>\r\n" % number
        yield number, head + own + (b"References: " + above + b"\r\n" if above else b"") + rest.partition(b"\r\n")[2]


@functools.cache
def _letter(number: int) -> bytes:
    return letter(number)


def fill(account: Account, first: int, count: int) -> None:
    """Store them, a minute apart, three of four read."""
    for begin in range(first, first + count, GROUP):
        items = [
            Incoming(
                prepare(raw),
                [Placement(account.pk, flags=1 if number % 4 else 0, internal_us=FIRST_US + number * 60_000_000)],
            )
            for number, raw in mails(begin, min(GROUP, first + count - begin))
        ]
        with transaction.atomic():
            store(items)


def _index() -> None:
    indexer = Indexer()
    indexer.drain()
    indexer.close()
