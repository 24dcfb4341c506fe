"""A process that delivers mail to an account of an installation until it is killed; a line for each acknowledged one."""

from __future__ import annotations

import itertools
import os
import sys
import time

import django

if __name__ == "__main__":
    django.setup()

    from accounts.models import Account
    from mailstore.services.deliver import Incoming, Placement, deliver, prepare
    from tests.mailstore.letters import letter

    def main(address: str) -> None:
        """Small ones in groups, now and then one that becomes an object."""
        mailbox = Account.objects.get(address=address).pk
        for turn in itertools.count():
            names = [f"w{turn}-{number}" for number in range(8)]
            futures = []
            for number, name in enumerate(names):
                body = os.urandom(300_000).hex() if number == 0 and turn % 10 == 0 else name
                futures.append(deliver(Incoming(prepare(letter(name, body=body)), [Placement(mailbox)])))
            for name, future in zip(names, futures, strict=True):
                future.result(60)
                sys.stdout.write(f"{name}\n")
                sys.stdout.flush()
            time.sleep(0.05)  # a company's stream, not a flood: what is written must be compared afterwards

    main(sys.argv[1])
