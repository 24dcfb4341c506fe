"""The sending side: `python -m bench.smtp_client PORT CONNECTIONS MESSAGES DOMAIN USERS [FIRST [KEY]]`, JSON on standard output.

Whole messages are made before the clock starts; commands are pipelined (RFC 2920) and connections kept, as mail
servers do. It knows nothing of our server: any that speaks SMTP can be measured with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.corpus import letter


class Client:
    """The connections and what they have counted."""

    def __init__(self, port: int, domain: str, users: int, sender: str = "load@partner.test") -> None:
        self.port, self.domain, self.users, self.sender = port, domain, users, sender
        self.accepted = 0
        self.refused = 0
        self.waits_s: list[float] = []

    async def run(self, connections: int, messages: list[bytes]) -> dict[str, float]:
        """Send all; what was counted."""
        cpu, started = time.process_time(), time.perf_counter()
        wall = time.time()
        await self.send(connections, messages)
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

    async def send(self, connections: int, messages: Iterable[bytes]) -> None:
        """Send all, over some connections at once."""
        queue = iter(enumerate(messages))
        await asyncio.gather(*(self._connection(queue) for _ in range(connections)))

    async def _connection(self, queue: Iterator[tuple[int, bytes]]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await self._reply(reader)
        writer.write(b"EHLO load.bench.test\r\n")
        await self._reply(reader)
        for number, message in queue:
            started = time.perf_counter()
            to = f"user{number % self.users}@{self.domain}"
            writer.write(f"MAIL FROM:<{self.sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode())
            codes = [await self._reply(reader) for _ in range(3)]
            if codes[2] != 354:
                raise SystemExit(f"refused: {codes}")
            writer.write(message)
            code = await self._reply(reader)
            self.waits_s.append(time.perf_counter() - started)
            self.accepted += code == 250
            self.refused += code != 250
        writer.write(b"QUIT\r\n")
        await self._reply(reader)
        writer.close()

    async def _reply(self, reader: asyncio.StreamReader) -> int:
        while True:
            line = await reader.readline()
            if line[3:4] != b"-":
                return int(line[:3] or 0)


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
    print(json.dumps(asyncio.run(Client(port, domain, users, sender).run(connections, messages))))


if __name__ == "__main__":
    main()
