"""Connections that wait: what each costs in memory and CPU, and how soon they hear of a new mail."""

from __future__ import annotations

import re
import resource
import smtplib
import socket
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.mail_client import Imap
from bench.processes import cpu_s

REST_S = 5.0
MAILS = 60
PAUSE_S = 0.1


def memory(pid: int, port: int, names: Sequence[str], password: str, *, tls: bool, count: int) -> dict[str, Any]:
    """KiB of private memory for each of `count` connections in IDLE, and CPU seconds of a while in which nothing is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * count + 200)), hard))
    clients = [_idle(port, names[number % len(names)], password, tls=tls) for number in range(20)]
    before = _private_kib(pid)
    clients += [_idle(port, names[number % len(names)], password, tls=tls) for number in range(count)]
    each = (_private_kib(pid) - before) / count
    cpu = cpu_s(pid)
    time.sleep(REST_S)
    found = {"KiB each": each, f"CPU s in {REST_S:.0f} s": cpu_s(pid) - cpu}
    for client in clients:
        client.close()
    return found


def _idle(port: int, name: str, password: str, *, tls: bool) -> Imap:
    client = Imap(port, name, password, tls=tls)
    client.select()
    client.send(b"i IDLE\r\n")
    client.line()
    return client


def _private_kib(pid: int) -> int:
    found = re.search(r"Private_Dirty:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found
    return int(found[1])


def latency(imap: int, smtp: int, name: str, password: str) -> dict[str, Any]:
    """Milliseconds from the final dot of SMTP to the untagged EXISTS of a client in IDLE."""
    client = _idle(imap, name, password, tls=False)
    times = []
    with smtplib.SMTP("127.0.0.1", smtp) as sender:
        assert sender.sock
        sender.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the dot waits for an acknowledgement
        sender.ehlo()
        for number in range(MAILS):
            sender.mail("x@far.example")
            sender.rcpt(name)
            if sender.docmd("DATA")[0] != 354:
                raise SystemExit("smtpd takes no mail")
            sender.send(f"From: x@far.example\r\nTo: {name}\r\nSubject: idle {number}\r\n")
            sender.send(f"Message-ID: <i{number}.{time.time_ns()}@far.example>\r\n\r\nhello\r\n")
            began = time.perf_counter()
            sender.send(b".\r\n")
            client.until(b"* ", b"")
            times.append((time.perf_counter() - began) * 1e3)
            if sender.getreply()[0] != 250:
                raise SystemExit("smtpd refused a mail")
            time.sleep(PAUSE_S)
    client.close()
    ordered = sorted(times)
    return {"p50 ms": statistics.median(times), "p99 ms": ordered[int(len(ordered) * 0.99)], "best ms": ordered[0]}
