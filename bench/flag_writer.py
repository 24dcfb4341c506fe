"""`python -m bench.flag_writer MAILBOX NUMBER SECONDS PAUSE_S`: single flag changes through the store's service.

JSON on standard output: the waits in seconds, and how many calls the database refused.
"""

from __future__ import annotations

import json
import random
import sys
import time

import django

django.setup()

# isort: split
# What imports models comes after the setup.
from django.db import DatabaseError

from core.access import system_access
from mailstore import sql
from mailstore.models import Flag
from mailstore.services.entries import set_flags


def main() -> None:
    """Write, print."""
    mailbox, number, seconds, pause_s = map(float, sys.argv[1:])
    access, chance = system_access(int(mailbox)), random.Random(number)
    ids = [row[0] for row in sql.rows("SELECT id FROM mailstore_entry WHERE mailbox_id = %s", [access.mailbox])]
    waits, failures, until = [], 0, time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(chance.uniform(0, 2 * pause_s))
        entry_id, flag = chance.choice(ids), chance.choice([Flag.SEEN, Flag.FLAGGED])
        started = time.perf_counter()
        try:
            changed = set_flags(access, [entry_id], add=flag).entry_ids
            waits.append(time.perf_counter() - started)
            if not changed:
                set_flags(access, [entry_id], remove=flag)
        except DatabaseError:
            failures += 1
    print(json.dumps({"waits": waits, "failures": failures}))


if __name__ == "__main__":
    main()
