"""The inside of a run: `manage.py stress` starts this with the environment of the temporary installation."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys

import django


def main() -> int:
    """Run; 1 when a rule was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--kill", type=float, required=True)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    django.setup()
    broken = _run(given)
    for each in broken:
        _say(f"VIOLATION {each}")
    return 1 if broken else 0


def _run(given: argparse.Namespace) -> list[str]:
    from django.conf import settings
    from django.core.management import call_command

    from accounts.services import create_account, create_domain
    from webmail.stress.run import run
    from webmail.stress.server import Server
    from webmail.stress.session import Login

    call_command("migrate", verbosity=0)
    create_account(create_domain("stress.test"), "alice", name="Alice", password="a stressed 9 horse")
    login = Login(settings.IMAPS_PORT, True, "alice@stress.test", "a stressed 9 horse")
    with Server(random.Random(given.seed), kill_chance=given.kill) as server:
        ledger, broken = asyncio.run(
            run(login, seconds=given.seconds, seed=given.seed, clients=given.clients, interrupt=server.seldom_kill)
        )
    broken += [f"log: {line}" for line in server.complaints()]
    call_command("check_store")
    counts = ", ".join(f"{number} {what}" for what, number in sorted(ledger.counts.items()))
    _say(f"{given.seconds:.0f} s, seed {given.seed}: {server.kills} kills; {counts}; {len(broken)} violations")
    return broken


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
