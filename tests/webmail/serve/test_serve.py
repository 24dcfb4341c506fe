"""`manage.py serve` as people start it: every program, real ports, a first mail, Ctrl-C."""

from __future__ import annotations

import imaplib
import json
import os
import poplib
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from core.checks import PORTS
from core.ports import free_ports
from tests.dialogue import client_tls

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
PATIENCE_S = 120.0

pytestmark = pytest.mark.slow


class Installation:
    """A DATA_DIR of its own (in a short path, for the socket), free ports, and what was started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_URL")},
            **{name: str(port) for name, port in self.ports.items()},
            "DJANGO_SETTINGS_MODULE": "webmail.settings",
            "DATA_DIR": str(folder),
            "STATIC_ROOT": str(folder / "static"),
            "LISTEN_HOST": "127.0.0.1",
        }
        self.output = folder / "output"

    def start(self) -> subprocess.Popen[bytes]:
        """`serve`, its output in a file."""
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [*MANAGE, "serve"], env=self.environment, stdout=output, stderr=output, start_new_session=True
            )

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Another command of the same installation."""
        return subprocess.run(
            [*MANAGE, *arguments],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def until_greeted(self, server: subprocess.Popen[bytes]) -> str:
        """What is on the terminal when everything is up."""
        deadline = time.monotonic() + PATIENCE_S
        while "Ctrl-C stops everything." not in (told := self.output.read_text()):
            assert server.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.1)
        return told

    def health(self) -> Any:
        """What /healthz says."""
        url = f"http://127.0.0.1:{self.ports['WEB_PORT']}/healthz"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)

    def until_healthy(self, names: Iterable[str]) -> None:
        """All of it answers."""
        deadline = time.monotonic() + PATIENCE_S
        while (told := self.health()) != dict.fromkeys(names, True):
            assert time.monotonic() < deadline, told
            time.sleep(0.1)

    def read_by_programs(self, address: str, password: str) -> None:
        """The first mail, as IMAP and POP3 programs see it, by STARTTLS and by TLS."""
        ports = self.ports
        over_tls = imaplib.IMAP4_SSL("127.0.0.1", ports["IMAPS_PORT"], ssl_context=client_tls(), timeout=60)
        upgraded = imaplib.IMAP4("127.0.0.1", ports["IMAP_PORT"], timeout=60)
        upgraded.starttls(client_tls())
        for imap in (over_tls, upgraded):
            imap.login(address, password)
            assert imap.select("INBOX") == ("OK", [b"1"])
            imap.logout()
        pop_over_tls = poplib.POP3_SSL("127.0.0.1", ports["POP3S_PORT"], context=client_tls(), timeout=60)
        pop_upgraded = poplib.POP3("127.0.0.1", ports["POP3_PORT"], timeout=60)
        pop_upgraded.stls(client_tls())
        for pop3 in (pop_over_tls, pop_upgraded):
            pop3.user(address)
            pop3.pass_(password)
            assert pop3.stat()[0] == 1
            pop3.quit()

    def send(self, to: str) -> None:
        """A mail by SMTP, when the port is open."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with smtplib.SMTP("127.0.0.1", self.ports["MX_PORT"], timeout=60) as client:
                    client.sendmail("a@elsewhere.test", [to], "Subject: first\r\n\r\nHello\r\n")
                return
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.1)


@pytest.fixture
def installation() -> Iterator[Installation]:
    """An empty one."""
    folder = Path(tempfile.mkdtemp(prefix="gm-"))
    yield Installation(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """`serve`, killed with all it started if a test leaves it running."""
    started = installation.start()
    yield started
    if started.poll() is None:
        started.send_signal(signal.SIGTERM)
        started.wait(PATIENCE_S)


def test_from_nothing_to_a_first_mail_and_out_again(
    installation: Installation, server: subprocess.Popen[bytes]
) -> None:
    told = installation.until_greeted(server)
    assert f":{installation.ports['WEB_PORT']}" in told
    assert "manage.py create_domain" in told
    assert "manage.py create_account" in told
    for port in installation.ports.values():
        assert str(port) in told
    installation.until_healthy(("database", "redis", "smtp", "imap", "pop3"))

    assert installation.run("create_domain", "first.test").returncode == 0
    made = installation.run("create_account", "eve@first.test", "--password-stdin", given="correct horse 9\n")
    assert made.returncode == 0, made.stderr
    installation.send("eve@first.test")
    with sqlite3.connect(installation.folder / "mail.db") as database:
        assert database.execute("SELECT total FROM mailstore_folder WHERE role = 'inbox' AND total > 0").fetchall() == [
            (1,)
        ]

    installation.read_by_programs("eve@first.test", "correct horse 9")

    second = installation.run("serve")
    assert second.returncode != 0
    assert "runs already" in second.stderr
    assert "Traceback" not in second.stderr

    _stops_cleanly(installation, server, signal.SIGINT)


def test_an_interrupt_while_it_still_starts_is_obeyed(
    installation: Installation, server: subprocess.Popen[bytes]
) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while "Starting" not in installation.output.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    _stops_cleanly(installation, server, signal.SIGTERM)
    assert "Ctrl-C stops everything." not in installation.output.read_text()


def _stops_cleanly(installation: Installation, server: subprocess.Popen[bytes], number: int) -> None:
    """Exit code 0, no traceback, nobody on the ports, nobody left who works with this DATA_DIR."""
    server.send_signal(number)
    assert server.wait(PATIENCE_S) == 0
    assert "Traceback" not in installation.output.read_text()
    for port in installation.ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert _working_in(installation.folder) == []


def _working_in(folder: Path) -> list[str]:
    """Command lines of processes whose environment names this DATA_DIR."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"DATA_DIR={folder}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
