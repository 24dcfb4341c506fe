"""Search: what the index costs for each mail, how fast questions are answered as a mailbox grows, how late new mail is."""

from __future__ import annotations

import datetime
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from accounts.models import Account
from bench.corpus import letter
from bench.report import report
from bench.site import accounts, fill, manage
from core.access import system_access
from mailstore import sql
from mailstore.search.index import index
from mailstore.search.indexer import Indexer
from mailstore.search.query import parse
from mailstore.search.sqlite import path
from mailstore.selectors.search import search
from mailstore.services.deliver import Incoming, Placement, prepare, store

SIZES = (1_000, 10_000, 100_000)
RATE = 100
"""Mails a second while the lag is measured."""
QUESTIONS = {
    "Chinese word of two characters": "发票",
    "English word": "invoice",
    "Chinese phrase, in a word each 10th": "采购合同",
    "English phrase": '"project meeting"',
    "four words": "发票 付款 订单 物流",
    "sender": "from:john.miller",
    "sender's domain": "from:partner7.test",
    "word and starred": "发票 is:starred",
    "word not word": "invoice -from:john",
    "either": "invoice OR 发票",
    "unread": "is:unread",
    "starred, large": "is:starred larger:8K",
    "nothing found": "量子纠缠",
}


def main(*, full: bool) -> None:
    """Each size in a mailbox of its own, all in one index."""
    sizes = SIZES if full else SIZES[:2]
    people = accounts(len(sizes) + 1)
    kept, asked = [], []
    for account, size in zip(people, sizes, strict=False):
        fill(account, size)
        kept.append(_indexed(size))
        asked += _asked(account, size, repeats=30 if full else 15)
    facts = {"database": connection.vendor}
    report(f"search-index-{connection.vendor}", "The index takes mail in", kept, **facts)
    report(f"search-{connection.vendor}", "The first 50 of a question, ms", _wide(asked), **facts)
    report(f"search-lag-{connection.vendor}", "From commit to found", [_lag(people[-1], 10 if full else 5)], **facts)


def _indexed(size: int) -> dict[str, Any]:
    indexer = Indexer()
    before, started, cpu = _size_bytes(), time.perf_counter(), time.process_time()
    done = indexer.drain()
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    indexer.close()
    return {
        "mails": size,
        "mails/s": done / wall,
        "CPU µs/mail": cpu / done * 1e6,
        "bytes/mail": (_size_bytes() - before) / done,
    }


def _size_bytes() -> int:
    if connection.vendor == "postgresql":
        return int(sql.row("SELECT pg_total_relation_size('mailstore_searchdocument')")[0])
    return sum(Path(f"{path()}{end}").stat().st_size for end in ("", "-wal") if Path(f"{path()}{end}").exists())


def _asked(account: Account, size: int, *, repeats: int) -> list[tuple[str, int, float, int]]:
    access = system_access(account.pk)
    now = datetime.datetime.now(datetime.UTC)
    rows = []
    for name, text in QUESTIONS.items():
        tree = parse(text).tree
        assert tree is not None
        found = search(access, tree, now=now)
        rows.append((name, size, _median_ms(lambda tree=tree: search(access, tree, now=now), repeats), len(found.rows)))  # type: ignore[misc]
        if name == "English word" and found.next:
            deep = found.next
            for _ in range(5):
                deep = search(access, tree, now=now, after=deep, limit=200).next or deep
            rows.append(
                (
                    "  and page 21 of it",
                    size,
                    _median_ms(lambda tree=tree, deep=deep: search(access, tree, now=now, after=deep), repeats),
                    50,
                )
            )  # type: ignore[misc]
    return rows


def _median_ms(call: Callable[[], object], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def _wide(rows: list[tuple[str, int, float, int]]) -> list[dict[str, Any]]:
    """A line for each question, a column for each size."""
    wide: dict[str, dict[str, Any]] = {}
    for name, size, median_ms, count in rows:
        wide.setdefault(name, {"question": name}) | {}
        wide[name][f"{size:,} mails"] = median_ms
        wide[name]["rows"] = count
    return list(wide.values())


def _lag(account: Account, seconds: int) -> dict[str, Any]:
    """Deliver at RATE beside a running indexer; the age of each mail when it is first seen in the index."""
    prepared = [prepare(letter(number)) for number in range(RATE * seconds)]
    child = subprocess.Popen(manage("indexer"), env=os.environ)
    waiting: dict[int, float] = {}
    lags: list[float] = []
    try:
        with transaction.atomic():
            store([Incoming(prepared[0], [Placement(account.pk)])])
        first = _newest(account)
        while not index().keys_of([first]):  # its start is not measured
            time.sleep(0.05)
        began = time.perf_counter()
        for number, each in enumerate(prepared):
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            with transaction.atomic():
                store([Incoming(each, [Placement(account.pk)])])
            waiting[_newest(account)] = time.perf_counter()
            if number % 5 == 0:
                _see(waiting, lags)
        while waiting and time.perf_counter() - began < 60 + seconds:
            time.sleep(0.02)
            _see(waiting, lags)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()
    lags.sort()
    return {
        "mails/s": RATE,
        "mails": len(prepared),
        "lost": len(waiting),
        "p50 ms": statistics.median(lags) * 1000,
        "p99 ms": lags[len(lags) * 99 // 100] * 1000,
        "max ms": lags[-1] * 1000,
    }


def _newest(account: Account) -> int:
    query = "SELECT id FROM mailstore_message WHERE mailbox_id = %s AND id > %s ORDER BY id DESC LIMIT 1"
    return int(sql.row(query, [account.pk, account.pk << 36])[0])


def _see(waiting: dict[int, float], lags: list[float]) -> None:
    for message_id in index().keys_of(list(waiting)):
        lags.append(time.perf_counter() - waiting.pop(message_id))
