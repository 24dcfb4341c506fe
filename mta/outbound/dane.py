"""DANE for SMTP (RFC 7672): a mail server's certificate named in the DNS, believed when DNSSEC says so.

Whether it does is the word of the resolver that DNSSEC_RESOLVER names (the AD bit, RFC 4035 3.2.3): a validating one on
this machine or on a network that nobody can listen in on. Without that setting there is no DANE.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

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
    """What the DNS says, whether DNSSEC proves it from end to end, and the name that aliases led to."""

    records: tuple[Any, ...]
    is_proven: bool
    name: str


def is_on() -> bool:
    """Whether there is somebody to ask."""
    return bool(settings.DNSSEC_RESOLVER)


async def exchangers_of(domain: str) -> tuple[set[str], tuple[str, ...]] | None:
    """The names of a domain's mail servers in lower case and the names that its certificates may be for (the domain and
    what it is an alias of, RFC 7672 3.2.2); None when DNSSEC doesn't prove them. Raises UnknownError."""
    word = await _ask(domain, "MX")
    if not word.is_proven:
        return None
    names = {_text(record.exchange) for record in word.records}
    return names or {domain.lower()}, tuple(dict.fromkeys((domain, word.name)))


async def security_of(host: str, port: int) -> Security | None:
    """What the TLSA records of a mail server demand, None when it has none that DNSSEC proves; raises UnknownError."""
    for base in await _bases(host):
        word = await _ask(f"_{port}._tcp.{base}", "TLSA")
        if word.is_proven and word.records:
            found = (Tlsa(each.usage, each.selector, each.mtype, bytes(each.cert)) for each in word.records)
            usable = tuple(record for record in found if record.is_usable)
            return Security(Level.DANE if usable else Level.ENCRYPTED, usable, policy="tlsa", base=base)
    return None


async def _bases(host: str) -> list[str]:
    """The names under which TLSA is asked, in that order (RFC 7672 2.2.2, 2.2.3): what the host is an alias of when
    DNSSEC proves all of the way there, then the host itself when at least its own step is proven.

    None without such proof: whoever can change a host's addresses can change where TLSA is asked.
    """
    answers = [await _known(host, kind) for kind in ("A", "AAAA")]
    words = [word for word in answers if word is not None]
    proven = sorted((word for word in words if word.is_proven), key=lambda word: not word.records)
    if proven and (proven[0].records or len(words) == len(answers)):
        return list(dict.fromkeys((proven[0].name, host.lower())))
    if proven or not words:
        raise UnknownError(f"{host}: no answer")  # where its addresses are is not known, and may be what is forged
    alias = await _ask(host, "CNAME")
    return [host.lower()] if alias.is_proven and alias.records else []


async def _known(name: str, kind: str) -> Word | None:
    try:
        return await _ask(name, kind)
    except UnknownError:
        return None


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
        return Word((), any(_is_ad(response) for response in responses), _text(error.canonical_name))
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise UnknownError(f"{name} {kind}: {type(error).__name__}") from None
    records = tuple(list(answer.rrset or ())[:RECORDS_MAX])
    return Word(records, _is_ad(answer.response), _text(answer.canonical_name))


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _is_ad(response: dns.message.Message) -> bool:
    return bool(response.flags & dns.flags.AD)
