"""A name server of the tests' own: a zone in a dict, answered over UDP on 127.0.0.1."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Zone = dict[tuple[str, str], list[str]]
"""(name, type) to records in text form; a name with no entry at all is NXDOMAIN, `SERVFAIL` as record fails."""


@contextmanager
def serving(zone: Zone) -> Iterator[None]:
    """Answer from `zone` and make it the process's resolver."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=_answer_all, args=(udp, zone))
    thread.start()
    before = dns.asyncresolver.default_resolver
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = udp.getsockname()[1]
    dns.asyncresolver.default_resolver = resolver
    try:
        yield
    finally:
        dns.asyncresolver.default_resolver = before
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"stop", ("127.0.0.1", resolver.port))
        thread.join(10)
        udp.close()


def _answer_all(udp: socket.socket, zone: Zone) -> None:
    while True:
        packet, client = udp.recvfrom(4096)
        if packet == b"stop":
            return
        udp.sendto(_answer(dns.message.from_wire(packet), zone).to_wire(), client)


def _answer(query: dns.message.Message, zone: Zone) -> dns.message.Message:
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    records = zone.get((name, kind), [])
    if "SERVFAIL" in records:
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif records:
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
    elif not any(known == name for known, _ in zone):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer
