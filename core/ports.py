"""Free ports of loopback for the servers of tests, benches and trials."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

LOWEST = 10_240
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """That many different ports that nobody used a moment ago.

    They lie below those that the system gives to connections and to whoever binds port 0: between the question and the
    answer none of these can take one, and with SO_REUSEPORT two servers would even share it without an error.
    """
    chooser = random.SystemRandom()
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", chooser.randrange(LOWEST, _highest())))
                ports.append(int(probe.getsockname()[1]))
    return ports


def free_port() -> int:
    """One of `free_ports`."""
    return free_ports(1)[0]


def _highest() -> int:
    try:
        lowest_given = int(RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest_given = 0
    return lowest_given if lowest_given > 2 * LOWEST else 32_768
