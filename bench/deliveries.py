"""`python -m bench.deliveries PORT DOMAIN`: one connection that delivers without a pause until a line comes.

JSON on standard output: the waits in seconds, and how many mails were refused.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
from collections.abc import Iterator

from bench.corpus import letter
from bench.smtp_client import Client

FIRST = 10**8


def main() -> None:
    """Send, print."""
    stopped = threading.Event()
    threading.Thread(target=_wait, args=(stopped,), daemon=True).start()
    client = Client(int(sys.argv[1]), sys.argv[2], 1)
    client.send(1, _letters(stopped))
    print(json.dumps({"waits": client.waits_s, "failures": client.refused}))


def _wait(stopped: threading.Event) -> None:
    sys.stdin.readline()
    stopped.set()


def _letters(stopped: threading.Event) -> Iterator[bytes]:
    for number in itertools.count(FIRST):
        if stopped.is_set():
            return
        yield letter(number) + b".\r\n"


if __name__ == "__main__":
    main()
