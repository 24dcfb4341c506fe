"""DANE for SMTP (RFC 7672): a mail server's certificate named in the DNS, believed when DNSSEC says so.

Whether it does is the word of the resolver that DNSSEC_RESOLVER names (the AD bit, RFC 4035 3.2.3): a validating one on
this machine or on a network that nobody can listen in on. Without that setting there is no DANE.
"""

from __future__ import annotations

import dataclasses
import ipaddress

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.resolver
from django.conf import settings

from mta.outbound.security import Level, Security, Tlsa

LOOKUP_S = 10.0
RECORDS_MAX = 50
PAYLOAD_BYTES = 1232


class UnknownError(Exception):
    """The DNS did not say: this server must not be used now (RFC 7672 2.1.2)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """What the DNS says, and whether DNSSEC proves it."""

    records: tuple[object, ...]
    is_proven: bool


def is_on() -> bool:
    """Whether there is somebody to ask."""
    return bool(settings.DNSSEC_RESOLVER)


async def is_proven(name: str, kind: str) -> bool:
    """Whether DNSSEC proves what the DNS says about `name`, be it that there is nothing."""
    try:
        return (await _ask(name, kind)).is_proven
    except UnknownError:
        return False


async def security_of(host: str, port: int) -> Security | None:
    """What the TLSA records of a mail server demand, None when it has none that DNSSEC proves; raises UnknownError.

    The host's own addresses must be proven first (2.2.2): whoever can change those can change where TLSA is asked.
    """
    if not (await is_proven(host, "A") or await is_proven(host, "AAAA")):
        return None
    word = await _ask(f"_{port}._tcp.{host}", "TLSA")
    if not word.is_proven or not word.records:
        return None
    records = tuple(
        Tlsa(record.usage, record.selector, record.mtype, bytes(record.cert))  # type: ignore[attr-defined]
        for record in word.records
    )
    usable = tuple(record for record in records if record.is_usable)
    return Security(Level.DANE if usable else Level.ENCRYPTED, usable, policy="tlsa")


def _resolver() -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=False)
    host, _, port = settings.DNSSEC_RESOLVER.rpartition(":")
    if (host and ":" not in host.strip("[]")) or host.startswith("["):
        resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
    else:
        resolver.nameservers = [str(ipaddress.ip_address(settings.DNSSEC_RESOLVER))]
    resolver.use_edns(0, dns.flags.DO, PAYLOAD_BYTES)
    resolver.flags = dns.flags.RD | dns.flags.AD
    return resolver


async def _ask(name: str, kind: str) -> Word:
    try:
        answer = await _resolver().resolve(name, kind, lifetime=LOOKUP_S, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN as error:
        responses = list((error.kwargs.get("responses") or {}).values())
        return Word((), any(_is_ad(response) for response in responses))
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise UnknownError(f"{name} {kind}: {type(error).__name__}") from None
    return Word(tuple(list(answer.rrset or ())[:RECORDS_MAX]), _is_ad(answer.response))


def _is_ad(response: dns.message.Message) -> bool:
    return bool(response.flags & dns.flags.AD)
