"""kill -9 at any line of the indexer: nothing is lost from the index, nothing doubled, nothing left in it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Account
from mailstore import sql
from mailstore.search.expression import Phrase
from mailstore.search.index import index
from mailstore.search.indexer import Indexer
from mailstore.search.rebuild import differences
from tests.mailstore.test_crashes import killed, read_some

pytestmark = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] != "core.sqlite",
    reason="on PostgreSQL index and list change in one transaction of its server",
)
ROUNDS = int(os.environ.get("CRASH_ROUNDS", "3"))


def test_kill_9_loses_and_doubles_nothing(transactional_db: None, alice: Account, tmp_path: Path) -> None:
    chance = random.Random(8)
    name = str(connection.settings_dict["NAME"])
    for number in range(ROUNDS):
        command = [
            sys.executable,
            "-m",
            "tests.mailstore.search.index_worker",
            name,
            str(tmp_path),
            str(alice.pk),
            str(number),
        ]
        worker = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, bufsize=0)
        read_some(worker, chance.randrange(2, 8))
        time.sleep(chance.random() / 50)
        killed(worker)
        indexer = Indexer()
        indexer.drain()
        indexer.close()
        assert list(differences(alice.pk)) == []
        stored = {row[0] for row in sql.rows("SELECT id FROM mailstore_message WHERE mailbox_id = %s", [alice.pk])}
        hits = index().hits(alice.pk, Phrase(("wort",)), low=0, high=1 << 62, limit=10_000)
        assert sorted(hit.message_id for hit in hits) == sorted(stored)
        assert sql.row("SELECT count(*) FROM mailstore_searchtodo")[0] == 0
        assert index().size() == (len(stored), 0), "what was dropped left nothing behind"
