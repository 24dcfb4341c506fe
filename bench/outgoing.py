"""The way out: mails of 8 KB, each signed, to one destination; and one mail to many recipients into the queue."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import update_domain
from bench.corpus import letter
from bench.processes import machine_cpu_s, others_cores, running
from bench.report import report
from bench.site import accounts
from core.ports import free_port
from mta.models import Delivery
from mta.outbound import queue, worker
from mta.services import SubmitRequest, submit

RECIPIENTS = 10_000
AUTHOR = "user0@bench.test"


def main(*, full: bool) -> None:
    """Sending, queueing, and what a claim costs in a long queue."""
    (author,) = accounts(1)
    update_domain(author.domain, max_recipients=RECIPIENTS)
    count = 5_000 if full else 1_500
    port = free_port()
    settings.ROUTES = {"*": f"127.0.0.1:{port}"}
    with running([sys.executable, "-m", "bench.sink", str(port)], port=port):
        _queue(author, 50)
        worker.send_due()  # warm: modules, keys, connections
        rows = [_sending(author, count)]
    rows.append(_queueing(author))
    rows.append(_claiming())
    report(f"outgoing-{connection.vendor}", "The way out", rows, database=connection.vendor)


def _queue(author: Account, count: int) -> None:
    access = access_for(Account.objects.get(pk=author.pk), author.pk)
    for number in range(count):
        raw = f"From: {AUTHOR}\r\n".encode() + letter(number)
        submit(access, SubmitRequest(AUTHOR, [f"to{number}@far.test"], raw, save_to_sent=False))


def _sending(author: Account, count: int) -> dict[str, Any]:
    _queue(author, count)
    machine, cpu, started = machine_cpu_s(), time.process_time(), time.perf_counter()
    worker.send_due()
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    left = Delivery.objects.exclude(state="accepted").count()
    if left:
        raise SystemExit(f"{left} were not accepted")
    return {
        "what": "signed mails of 8 KB to one destination",
        "count": count,
        "a second": count / seconds,
        "CPU µs each": used / count * 1e6,
        "others' cores": others_cores(seconds, used, machine),
    }


def _queueing(author: Account) -> dict[str, Any]:
    access = access_for(Account.objects.get(pk=author.pk), author.pk)
    to = [f"to{number}@far{number % 500}.test" for number in range(RECIPIENTS)]
    machine, cpu, started = machine_cpu_s(), time.process_time(), time.perf_counter()
    submit(access, SubmitRequest(AUTHOR, to, f"From: {AUTHOR}\r\n".encode() + letter(1)))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return {
        "what": "recipients of one mail queued",
        "count": RECIPIENTS,
        "a second": RECIPIENTS / seconds,
        "CPU µs each": used / RECIPIENTS * 1e6,
        "others' cores": others_cores(seconds, used, machine),
    }


def _claiming() -> dict[str, Any]:
    """100 of the 10,000 that wait, and the sweep's question."""
    now_us = time.time_ns() // 1000
    machine, cpu, started = machine_cpu_s(), time.process_time(), time.perf_counter()
    for _ in range(20):
        queue.claim(now_us)
        queue.is_anything_due(now_us)
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return {
        "what": "claims of 100, with the sweep's question",
        "count": 20,
        "a second": 20 / seconds,
        "CPU µs each": used / 20 * 1e6,
        "others' cores": others_cores(seconds, used, machine),
    }
