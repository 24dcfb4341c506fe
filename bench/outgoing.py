"""The way out: mails of 8 KB, each signed, to one destination; and one mail to many recipients into the queue."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import create_account, update_domain
from bench.corpus import letter
from bench.processes import machine_cpu_s, others_cores, running
from bench.report import report
from bench.site import accounts
from bench.web import static_files
from core.ports import free_port
from mta.company.policy import NO_RATES, set_send_policy
from mta.models import Delivery
from mta.outbound import queue, worker
from mta.selectors.queue import count_by_state
from mta.services import SubmitRequest, submit

RECIPIENTS = 10_000
WAITING_MAX = 100_000
TIMES = 20
AUTHOR = "user0@bench.test"


def main(*, full: bool) -> None:
    """Sending, queueing, and what a claim costs in a long queue."""
    (author,) = accounts(1)
    update_domain(author.domain, max_recipients=RECIPIENTS)
    set_send_policy(author.domain, **NO_RATES)
    count = 5_000 if full else 1_500
    port = free_port()
    settings.ROUTES = {"*": f"127.0.0.1:{port}"}
    with running([sys.executable, "-m", "bench.sink", str(port)], port=port):
        _queue(author, 50)
        worker.send_due()  # warm: modules, keys, connections
        rows = [_sending(author, count)]
    for _ in range(WAITING_MAX // RECIPIENTS if full else 1):
        queued = _queueing(author)
    rows.append(queued)
    rows += [_often(what, act) for what, act in _in_a_long_queue(author).items()]
    report(f"outgoing-{connection.vendor}", "The way out", rows, database=connection.vendor)


def _queue(author: Account, count: int) -> None:
    access = access_for(Account.objects.get(pk=author.pk), author.pk)
    for number in range(count):
        raw = f"From: {AUTHOR}\r\n".encode() + letter(number)
        submit(access, SubmitRequest(AUTHOR, [f"to{number}@far.test"], raw, save_to_sent=False, undo_s=0))


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
    submit(access, SubmitRequest(AUTHOR, to, f"From: {AUTHOR}\r\n".encode() + letter(1), undo_s=0))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return {
        "what": "recipients of one mail queued",
        "count": RECIPIENTS,
        "a second": RECIPIENTS / seconds,
        "CPU µs each": used / RECIPIENTS * 1e6,
        "others' cores": others_cores(seconds, used, machine),
    }


def _in_a_long_queue(author: Account) -> dict[str, Callable[[], object]]:
    """What workers and operators ask while all of it waits."""
    now_us = time.time_ns() // 1000
    static_files()
    browser = Client(HTTP_HOST="localhost")
    browser.force_login(create_account(author.domain, "boss", name="Boss", role=Account.Role.DOMAIN_ADMIN))
    page = reverse("admin:mta_delivery_changelist")

    def look() -> None:
        if browser.get(page).status_code != HTTPStatus.OK:
            raise SystemExit("The queue has no page.")

    return {
        "claims of 100": lambda: queue.claim(now_us),
        "the sweep's questions": lambda: (queue.is_anything_due(now_us), queue.due_releases(now_us)),
        "numbers for the metrics": count_by_state,
        "the queue's page for a domain's administrator": look,
    }


def _often(what: str, act: Callable[[], object]) -> dict[str, Any]:
    act()
    machine, cpu, started = machine_cpu_s(), time.process_time(), time.perf_counter()
    for _ in range(TIMES):
        act()
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return {
        "what": f"{what}, {Delivery.objects.exclude(state='accepted').count():,} waiting",
        "count": TIMES,
        "a second": TIMES / seconds,
        "CPU µs each": used / TIMES * 1e6,
        "others' cores": others_cores(seconds, used, machine),
    }
