"""The sending side: `python -m bench.smtp_client PORT CONNECTIONS MESSAGES DOMAIN USERS [FIRST [KEY]]`, JSON on standard output.

Whole messages are made before the clock starts; commands are pipelined (RFC 2920) and connections kept, as mail
servers do. It knows nothing of our server: any that speaks SMTP can be measured with it. It shares the machine with
the server that is measured, so it does as little as it can: blocking sockets behind one selector, no more of an answer
looked at than its codes (about as much work a mail as Postfix's `smtp-source`).
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from bench.corpus import letter

TIMEOUT_S = 600.0


class Client:
    """The connections and what they have counted."""

    def __init__(self, port: int, domain: str, users: int, sender: str = "load@partner.test") -> None:
        self.port, self.domain, self.users, self.sender = port, domain, users, sender
        self.accepted = 0
        self.refused = 0
        self.waits_s: list[float] = []

    def run(self, connections: int, messages: list[bytes]) -> dict[str, float]:
        """Send all; what was counted."""
        cpu, started = time.process_time(), time.perf_counter()
        wall = time.time()
        self.send(connections, messages)
        seconds = time.perf_counter() - started
        waits = sorted(self.waits_s)
        return {
            "accepted": self.accepted,
            "refused": self.refused,
            "started_at": wall,
            "seconds": seconds,
            "client_cpu_s": time.process_time() - cpu,
            "p50_ms": waits[len(waits) // 2] * 1e3 if waits else 0.0,
            "p99_ms": waits[len(waits) * 99 // 100] * 1e3 if waits else 0.0,
        }

    def send(self, connections: int, messages: Iterable[bytes]) -> None:
        """Send all, over some connections at once."""
        queue = iter(enumerate(messages))
        with selectors.DefaultSelector() as selector:
            for _ in range(connections):
                line = _Connection(self, queue)
                selector.register(line.socket, selectors.EVENT_READ, line)
            while selector.get_map():
                ready = selector.select(TIMEOUT_S)
                if not ready:
                    raise SystemExit(f"no answer within {TIMEOUT_S:.0f} s")
                for key, _ in ready:
                    if not key.data.read():
                        selector.unregister(key.fileobj)
                        key.data.socket.close()


class _Connection:
    """One conversation: what is waited for, and what is said then."""

    def __init__(self, client: Client, queue: Iterator[tuple[int, bytes]]) -> None:
        self.client, self._queue = client, queue
        self.socket = socket.create_connection(("127.0.0.1", client.port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""
        self._codes: list[int] = []
        self._wanted = 1
        self._says = self._conversation()
        next(self._says)

    def read(self) -> bool:
        """Take what has come; whether the conversation goes on."""
        data = self.socket.recv(65_536)
        if not data:
            raise SystemExit(f"the server hung up; it had answered {self._codes}")
        *lines, self._held = (self._held + data).split(b"\r\n")
        self._codes += [int(line[:3]) for line in lines if line[3:4] != b"-"]
        if len(self._codes) < self._wanted:
            return True
        return next(self._says, False)

    def _conversation(self) -> Iterator[bool]:
        client, say = self.client, self.socket.sendall
        yield from self._answers(1)
        say(b"EHLO load.bench.test\r\n")
        yield from self._answers(1)
        for number, message in self._queue:
            started = time.perf_counter()
            to = f"user{number % client.users}@{client.domain}"
            say(f"MAIL FROM:<{client.sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode())
            codes = yield from self._answers(3)
            if codes[2] != 354:
                raise SystemExit(f"refused: {codes}")
            say(message)
            [code] = yield from self._answers(1)
            client.waits_s.append(time.perf_counter() - started)
            client.accepted += code == 250
            client.refused += code != 250
        say(b"QUIT\r\n")
        yield from self._answers(1)

    def _answers(self, count: int) -> Generator[bool, None, list[int]]:
        """Come back when so many answers have; their codes."""
        self._wanted = count
        yield True
        codes, self._codes = self._codes, []
        return codes


def main() -> None:
    """Make the messages, send them, print."""
    port, connections, count = (int(each) for each in sys.argv[1:4])
    domain, users = sys.argv[4], int(sys.argv[5])
    first = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    letters = (letter(number) for number in range(first, first + count))
    sender = "load@partner.test"
    if len(sys.argv) > 7:
        from bench import signed

        key = signed.key_of(Path(sys.argv[7]))
        letters, sender = (signed.signed(each, key) for each in letters), f"load@{signed.DOMAIN}"
    messages = [each + b".\r\n" for each in letters]
    print(json.dumps(Client(port, domain, users, sender).run(connections, messages)))


if __name__ == "__main__":
    main()
