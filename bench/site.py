"""The throwaway installation of one program: schema, a domain, accounts, Redis; and folders filled fast."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from accounts.models import Account
from accounts.services import create_account, create_domain, update_domain
from bench.corpus import letter
from bench.processes import running
from mailstore.services.deliver import Incoming, Placement, Prepared, prepare, store
from webmail.serve.prepare import redis_folder
from webmail.serve.programs import redis_command

DOMAIN = "bench.test"
PASSWORD = "bench password 7"
QUOTA_BYTES = 1 << 40
FIRST_US = 1_750_000_000_000_000
DISTINCT = 2_000
GROUP = 256


def accounts(count: int) -> list[Account]:
    """Make the schema, the domain and user0 … user(count-1)."""
    call_command("migrate", verbosity=0, skip_checks=True)
    domain = create_domain(DOMAIN, title="Bench")
    update_domain(domain, default_quota_bytes=QUOTA_BYTES)
    domain.refresh_from_db()
    return [
        create_account(domain, f"user{number}", name=f"User {number}", password=PASSWORD) for number in range(count)
    ]


@contextlib.contextmanager
def redis() -> Iterator[None]:
    """The change feed's Redis, as `serve` would start it."""
    if not settings.OWN_REDIS:
        yield
        return
    redis_folder()
    with running(redis_command()):
        yield


def manage(*arguments: str) -> list[str]:
    """`manage.py` with arguments."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def fill(account: Account, count: int, *, first: int = 0) -> None:
    """Store `count` mails, a minute apart, through the store's own deliver path; three of four read, one in 40 starred.

    The bytes of 2,000 mails are parsed once and stored again and again, each as a message of its own: every row that a
    list or a conversation reads is there, the blobs are shared.
    """
    made = [prepare(letter(number)) for number in range(min(count, DISTINCT))]
    for begin in range(first, first + count, GROUP):
        numbers = range(begin, min(begin + GROUP, first + count))
        with transaction.atomic():
            store([_incoming(account, made, number) for number in numbers])


def _incoming(account: Account, made: Sequence[Prepared], number: int) -> Incoming[None]:
    own = (number * 0x9E3779B97F4A7C15 & (1 << 63) - 1) | 1
    prepared = dataclasses.replace(made[number % len(made)], own_hash=own, hashes=(own,))
    flags = (1 if number % 4 else 0) | (4 if number % 40 == 0 else 0)
    return Incoming(prepared, [Placement(account.pk, flags=flags, internal_us=FIRST_US + number * 60_000_000)])


def environment(**names: object) -> dict[str, str]:
    """Settings for a child process."""
    return {name: str(value) for name, value in names.items()} | {"DATA_DIR": os.environ["DATA_DIR"]}
