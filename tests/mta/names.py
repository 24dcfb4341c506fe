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
"""(name, type) to records in text form; a name with no entry at all is NXDOMAIN, `SERVFAIL` as record fails, `SILENT` gets
no answer ever."""


def txt(text: str) -> str:
    """A TXT record of strings that fit (RFC 1035 3.3)."""
    return " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))


PROVEN = "PROVEN"
"""A record that only says that DNSSEC proves the answer."""


@contextmanager
def serving(zone: Zone) -> Iterator[list[tuple[str, str]]]:
    """Answer from `zone` and make it the process's resolver; the questions that came, in their order."""
    asked: list[tuple[str, str]] = []
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=_answer_all, args=(udp, zone, asked))
    thread.start()
    before = dns.asyncresolver.default_resolver
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = udp.getsockname()[1]
    dns.asyncresolver.default_resolver = resolver
    try:
        yield asked
    finally:
        dns.asyncresolver.default_resolver = before
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"stop", ("127.0.0.1", resolver.port))
        thread.join(60)
        udp.close()


def _answer_all(udp: socket.socket, zone: Zone, asked: list[tuple[str, str]]) -> None:
    while True:
        packet, client = udp.recvfrom(4096)
        if packet == b"stop":
            return
        query = dns.message.from_wire(packet)
        question = query.question[0]
        key = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        asked.append(key)
        if "SILENT" not in zone.get(key, []):
            udp.sendto(_answer(query, zone, *key).to_wire(), client)


def _answer(query: dns.message.Message, zone: Zone, name: str, kind: str) -> dns.message.Message:
    """Aliases are followed (RFC 1034 4.3.2); the answer is proven when each of its steps is."""
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA | dns.flags.AD
    for _step in range(5):
        records = zone.get((name, kind), [])
        step = kind if records or kind == "CNAME" else "CNAME"
        records = zone.get((name, step), [])
        if PROVEN not in records:
            answer.flags &= ~dns.flags.AD
        records = [each for each in records if each != PROVEN]
        if "SERVFAIL" in records:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", step, *records))
        elif not any(known == name for known, _ in zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if step == kind or not records:
            break
        name = records[0].rstrip(".").lower()
    return answer
