"""A writing process for `test_sqlite`: adds 1 to a counter and its name to the turns, one transaction each."""

from __future__ import annotations

import os
import sys
import time

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()

from django.db import connection, transaction  # noqa: E402 - after setup


def add(*, hold_s: float) -> None:
    """Read, wait inside the transaction, write."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT value FROM counter")
        value = cursor.fetchone()[0]
        time.sleep(hold_s)
        cursor.execute("UPDATE counter SET value = %s", [value + 1])
        cursor.execute("INSERT INTO turn (name) VALUES (%s)", [sys.argv[4]])


if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for _ in range(int(sys.argv[2])):
        add(hold_s=float(sys.argv[3]))
