"""Redis hangs, dies and comes back while everything else runs as real processes."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from django.conf import settings

from accounts.models import Account
from accounts.throttle import ACCOUNT_FAILURES
from core.changes import CHANNEL, RESYNC_S
from core.checks import PORTS
from core.ports import free_ports
from mailstore.selectors.folders import modseq_of
from mta.models import Delivery, SendSettings
from tests.dialogue import client_tls
from tests.factories import PASSWORD
from tests.flows.test_kill import ROOT, answers, environment, wait_until
from tests.mta.sink import Sink, remote
from tests.mta.test_submit import mails
from webmail.serve.programs import redis_program

PROMISE_S = 20


@contextmanager
def redis_server(socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real one on a socket."""
    socket.unlink(missing_ok=True)
    command = [redis_program(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--loglevel", "warning"]
    process = subprocess.Popen(command, cwd=socket.parent, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or is_alive(socket))
        yield process
    finally:
        process.kill()
        process.wait(60)


def is_alive(socket: Path) -> bool:
    """Whether it answers."""
    try:
        with redis.Redis.from_url(f"unix://{socket}", socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextmanager
def served(values: dict[str, str], *ports: int) -> Iterator[None]:
    """`manage.py serve` without a Redis of its own."""
    command = [sys.executable, str(ROOT / "manage.py"), "serve"]
    process = subprocess.Popen(command, cwd=ROOT, env=values, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or all(answers(port) for port in ports))
        assert process.poll() is None, "serve ended"
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


class Place:
    """Where the servers are, and the few things a person does with them."""

    def __init__(self, web: int, mx: int, submissions: int) -> None:
        self.web, self.mx, self.submissions = f"http://127.0.0.1:{web}", mx, submissions

    def receive(self, subject: str) -> None:
        """A stranger writes to alice."""
        with smtplib.SMTP("127.0.0.1", self.mx, timeout=60) as client:
            client.sendmail("x@far.example", ["alice@example.test"], f"Subject: {subject}\r\n\r\nx\r\n".encode())

    def submit(self, subject: str, *recipients: str) -> None:
        """Alice writes with her mail program."""
        with smtplib.SMTP_SSL("127.0.0.1", self.submissions, timeout=60, context=client_tls()) as client:
            client.login("alice@example.test", PASSWORD)
            raw = f"From: alice@example.test\r\nSubject: {subject}\r\n\r\nx\r\n"
            client.sendmail("alice@example.test", list(recipients), raw.encode())

    def sign_in(self, pages: httpx.Client, address: str, password: str) -> httpx.Response:
        """Post the form."""
        pages.get("/sign-in/")
        form = {"login": address, "password": password, "csrfmiddlewaretoken": pages.cookies["csrftoken"]}
        return pages.post("/sign-in/", data=form)


def next_change(lines: Iterator[str], modseq: int) -> None:
    """Read the stream until it tells of `modseq`; its keep-alives end the wait for nothing that would never come."""
    told = 0
    silent = 0
    while told < modseq:
        line = next(lines)
        silent = silent + 1 if line.startswith(": here") else silent
        assert silent < 4, "the stream lives and does not tell"
        if line.startswith("data: "):
            told = int(json.loads(line.removeprefix("data: "))["modseq"])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_without_redis_mail_pages_throttle_and_live_updates_go_on(alice: Account, bob: Account) -> None:
    assert RESYNC_S < PROMISE_S, "the compare alone must keep the promise"
    socket = Path(settings.DATA_DIR) / "r.sock"
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    web, mx, submission, submissions = list(ports.values())[:4]
    sink = Sink()
    with ExitStack() as stack:
        first = stack.enter_context(redis_server(socket))
        values = environment([mx, submission, submissions]) | {"REDIS_URL": f"unix://{socket}"}
        values |= {name: str(port) for name, port in ports.items()}
        values |= {"ROUTES": json.dumps({"*": f"127.0.0.1:{stack.enter_context(remote(sink))}"})}
        stack.enter_context(served(values, web, mx, submissions))
        place = Place(web, mx, submissions)
        pages = stack.enter_context(httpx.Client(base_url=place.web, timeout=60, trust_env=False))
        assert place.sign_in(pages, "alice@example.test", PASSWORD).status_code == 302
        stream = stack.enter_context(pages.stream("GET", f"/live/?mailboxes={alice.pk}"))
        lines = stream.iter_lines()

        place.receive("with redis")
        next_change(lines, modseq_of([alice.pk])[alice.pk])

        os.kill(first.pid, signal.SIGSTOP)
        place.receive("redis hangs")
        assert "redis hangs" in pages.get("/inbox/", follow_redirects=True).text

        first.kill()
        first.wait(60)
        place.receive("redis is gone")
        SendSettings.objects.create(account=alice, keeps_program_mail=True)
        place.submit("to a colleague and abroad", "bob@example.test", "y@far.example")
        assert "redis is gone" in pages.get("/inbox/", follow_redirects=True).text
        assert len(mails(alice, "inbox")) == 3
        assert len(mails(bob, "inbox")) == len(mails(alice, "sent")) == 1
        refuses_sooner(place, stack.enter_context(httpx.Client(base_url=place.web, timeout=60, trust_env=False)))
        next_change(lines, modseq_of([alice.pk])[alice.pk])

        stack.enter_context(redis_server(socket))
        wait_until(lambda: bool(sink.taken))
        assert Delivery.objects.get(recipient="y@far.example").submission.subject == "to a colleague and abroad"
        hints_flow_again(place, socket, alice)


def refuses_sooner(place: Place, pages: httpx.Client) -> None:
    """Half the failures that Redis would allow close the account for a while, right password or not."""
    wrong = [place.sign_in(pages, "bob@example.test", f"wrong {number}") for number in range(ACCOUNT_FAILURES // 2)]
    assert {answer.status_code for answer in wrong} == {422}
    assert place.sign_in(pages, "bob@example.test", PASSWORD).status_code == 422


def hints_flow_again(place: Place, socket: Path, alice: Account) -> None:
    """The processes publish to the new Redis."""
    heard: list[Any] = []
    with redis.Redis.from_url(f"unix://{socket}") as client, client.pubsub() as feed:
        feed.subscribe(CHANNEL)

        def arrives() -> bool:
            place.receive("redis is back")
            while message := feed.get_message(ignore_subscribe_messages=True, timeout=0.5):
                heard.extend(json.loads(message["data"]))
            return any(mailbox == alice.pk for mailbox, _ in heard)

        wait_until(arrives)
