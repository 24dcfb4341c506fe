"""kill -9 of the receiving process while mail flows: what was answered 250 lies in its inbox exactly once."""

from __future__ import annotations

import contextlib
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts.models import Account
from core.access import system_access
from core.ports import free_ports
from mailstore.models import Entry
from mailstore.selectors import entries
from mta.smtp_in.server import CONNECTIONS_PER_ADDRESS
from webmail.soak.processes import children_of

ROOT = Path(__file__).resolve().parents[2]
KILLS = 3
CLIENTS = 6


def environment(ports: list[int]) -> dict[str, str]:
    """A process of its own on the tests' database."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        at = f"{database['HOST']}:{database['PORT']}" if database["PORT"] else str(database["HOST"])
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@{at}/{database['NAME']}"
    names = ("MX_PORT", "SUBMISSION_PORT", "SUBMISSIONS_PORT")
    chosen = {name: str(port) for name, port in zip(names, ports, strict=True)}
    return os.environ | chosen | {"DATABASE_URL": url, "DATA_DIR": str(settings.DATA_DIR), "LOG_LEVEL": "ERROR"}


@contextlib.contextmanager
def smtpd(ports: list[int], processes: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py smtpd`, answering."""
    command = [sys.executable, str(ROOT / "manage.py"), "smtpd", "--processes", str(processes)]
    process = subprocess.Popen(command, env=environment(ports), cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while not answers(ports[0]):
            assert process.poll() is None, "smtpd ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait(60)


def answers(port: int) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Sender(threading.Thread):
    """Sends numbered mails until the server dies; keeps what was answered 250 and the one in doubt."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(name=name)
        self.port = port
        self.accepted: list[bytes] = []
        self.in_doubt: list[bytes] = []

    def run(self) -> None:
        """One connection, mail after mail."""
        number = 0
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
                while True:
                    number += 1
                    message_id = f"<{self.name}.{number}@far.example>".encode()
                    self.in_doubt.append(message_id)
                    client.sendmail("x@far.example", ["alice@example.test"], letter(message_id))
                    self.accepted.append(self.in_doubt.pop())
        except (smtplib.SMTPException, OSError):
            pass


def letter(message_id: bytes) -> bytes:
    """A mail of four kilobytes."""
    return b"Message-ID: " + message_id + b"\r\nSubject: kill\r\n\r\n" + b"some text\r\n" * 400


@pytest.mark.django_db(transaction=True)
def test_every_250_is_in_the_inbox_exactly_once_whenever_the_process_dies(alice: Account) -> None:
    ports = free_ports(3)
    accepted: list[bytes] = []
    for kill in range(KILLS):
        with smtpd(ports) as process:
            senders = [Sender(ports[0], f"k{kill}.s{number}") for number in range(CLIENTS)]
            for sender in senders:
                sender.start()
            wait_until(lambda senders=senders: sum(len(sender.accepted) for sender in senders) >= 40)  # type: ignore[misc]
            os.kill(process.pid, signal.SIGKILL)
            for sender in senders:
                sender.join(60)
        accepted += [message_id for sender in senders for message_id in sender.accepted]
        doubtful = [message_id for sender in senders for message_id in sender.in_doubt]
        accepted += come_again(ports, doubtful)
    found = Counter(stored_ids(alice))
    assert not [message_id for message_id in accepted if found[message_id] != 1]
    assert set(found) == set(accepted)
    call_command("check_store")


@pytest.mark.django_db(transaction=True)
def test_a_killed_sibling_loses_nothing_and_is_there_again(alice: Account) -> None:
    ports = free_ports(3)
    with smtpd(ports, processes=2) as process:
        wait_until(lambda: len(children_of(process.pid)) == 2)
        victim = children_of(process.pid)[0]
        senders = [Sender(ports[0], f"sibling.s{number}") for number in range(CLIENTS)]
        for sender in senders:
            sender.start()
        wait_until(lambda: sum(len(sender.accepted) for sender in senders) >= 40)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(children_of(process.pid)) == 2 and victim not in children_of(process.pid))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        for sender in senders:
            sender.join(60)
    accepted = [message_id for sender in senders for message_id in sender.accepted]
    doubtful = [message_id for sender in senders for message_id in sender.in_doubt]
    accepted += come_again(ports, doubtful)
    found = Counter(stored_ids(alice))
    assert not [message_id for message_id in accepted if found[message_id] != 1]
    call_command("check_store")


@pytest.mark.django_db(transaction=True)
def test_siblings_have_one_limit_for_an_address(alice: Account) -> None:
    ports = free_ports(3)
    with smtpd(ports, processes=2) as process, contextlib.ExitStack() as opened:
        wait_until(lambda: len(children_of(process.pid)) == 2)
        for _ in range(CONNECTIONS_PER_ADDRESS):
            assert greeting(ports[0], opened).startswith(b"220")
        assert greeting(ports[0], opened).startswith(b"421")


def greeting(port: int, opened: contextlib.ExitStack) -> bytes:
    """What a new connection is told first; a sibling that does not listen yet is waited for."""
    client = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
    return opened.enter_context(client.makefile("rb")).readline()


def come_again(ports: list[int], message_ids: list[bytes]) -> list[bytes]:
    """What a remote server does with mail that was not answered."""
    with smtpd(ports), smtplib.SMTP("127.0.0.1", ports[0], timeout=60) as client:
        for message_id in message_ids:
            client.sendmail("x@far.example", ["alice@example.test"], letter(message_id))
    return message_ids


def stored_ids(account: Account) -> list[bytes]:
    """The Message-ID of every mail in the mailbox."""
    access = system_access(account.pk)
    raws = (entries.raw(access, entry_id) for entry_id in Entry.objects.values_list("pk", flat=True))
    return [raw.partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for raw in raws]


def wait_until(condition: object) -> None:
    """Poll, at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)
