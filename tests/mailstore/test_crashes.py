"""kill -9 at any moment: nothing acknowledged is lost or doubled, and the rows still agree."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Account
from mailstore import sql
from mailstore.check_store import check_store
from mailstore.message import message_id_hash

pytestmark = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] != "core.sqlite",
    reason="PostgreSQL's own server is not what is killed here",
)
ROUNDS = int(os.environ.get("CRASH_ROUNDS", "2"))
"""Each is two processes and two kills; a long run asks for more."""


def start(mailbox: int, other: int, tag: str, root: Path) -> subprocess.Popen[bytes]:
    """A worker on the test's database file."""
    name = str(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "tests.mailstore.crash_worker", name, str(root), str(mailbox), str(other), tag]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, bufsize=0)


def read_some(worker: subprocess.Popen[bytes], count: int) -> list[str]:
    """`count` whole lines, waiting for them; unbuffered, for `select` knows of the pipe alone."""
    assert worker.stdout is not None
    lines: list[str] = []
    while len(lines) < count:
        assert select.select([worker.stdout], [], [], 300)[0], "the worker has stopped"
        line = worker.stdout.readline()
        assert line, "the worker has ended"
        lines.append(line.decode().strip())
    return lines


def killed(worker: subprocess.Popen[bytes]) -> list[str]:
    """Kill -9; the whole lines that were still in the pipe."""
    worker.kill()
    worker.wait(60)
    assert worker.stdout is not None
    rest = worker.stdout.read().decode()
    worker.stdout.close()
    return [line for line in rest.split("\n")[:-1] if line]


def holders(mailbox: int) -> Counter[int]:
    """How often each Message-ID lies in the mailbox, recoverable mail included."""
    query = (
        "SELECT m.message_id_hash FROM mailstore_message m JOIN (SELECT message_id FROM mailstore_entry WHERE mailbox_id = %s "
        "UNION ALL SELECT message_id FROM mailstore_recoverable WHERE mailbox_id = %s) e ON e.message_id = m.id"
    )
    return Counter(row[0] for row in sql.rows(query, [mailbox, mailbox]))


def test_kill_9_loses_and_doubles_nothing(
    transactional_db: None,
    alice: Account,
    bob: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    breaks_rows: None,
) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    acknowledged: list[str] = []
    chance = random.Random(5)
    for number in range(ROUNDS):
        workers = [start(alice.pk, bob.pk, f"{number}a", tmp_path), start(bob.pk, alice.pk, f"{number}b", tmp_path)]
        for worker in workers:
            acknowledged += read_some(worker, chance.randrange(1, 60))
        for worker in workers:
            acknowledged += killed(worker)
        assert check_store() == []
        for account in (alice, bob):
            lying = holders(account.pk)
            assert {name for name in acknowledged if lying[message_id_hash(f"{name}@letters.test")] != 1} == set()
