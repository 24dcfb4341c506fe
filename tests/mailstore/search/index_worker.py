"""A process that delivers and indexes until it is killed; started by `test_killed`.

It writes a line for every message that is in the store, and never says anything of the index: whatever line it is killed
at, the next indexer has to bring both together.
"""

from __future__ import annotations

import itertools
import os
import sys

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
if __name__ == "__main__":
    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    settings.DATA_DIR = type(settings.DATA_DIR)(sys.argv[2])
    django.setup()

    from core.access import system_access
    from mailstore.search.indexer import Indexer
    from mailstore.services.entries import expire_recoverable, purge
    from tests.mailstore.letters import letter, stored

    access = system_access(int(sys.argv[3]))
    indexer = Indexer()
    for turn in itertools.count():
        entries = [stored(access, letter(f"{sys.argv[4]}-{turn}-{n}", body=f"word{turn} Wort {n}")) for n in range(6)]
        sys.stdout.write(f"{turn}\n")
        sys.stdout.flush()
        indexer.round()
        purge(access, entries[:1])
        expire_recoverable(access.mailbox, 1 << 60)
        indexer.round()
