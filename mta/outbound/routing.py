"""Where mail for a domain goes (RFC 5321 5.1): ROUTES first, else MX, else the domain's own address.

A host of the public DNS that leads to a private address is refused: it would let strangers use this server to talk to
its neighbours. Only ROUTES, written by the operator, reaches those.
"""

from __future__ import annotations

import dataclasses
import random

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver
from django.conf import settings

from core.net import is_public
from mta.outbound.result import Verdict
from mta.outbound.security import OPPORTUNISTIC, Security

SMTP_PORT = 25
HOSTS_MAX = 8
"""Mail exchangers tried in one attempt."""
LOOKUP_S = 20.0
KINDS = {
    "any": (dns.rdatatype.A, dns.rdatatype.AAAA),
    "4": (dns.rdatatype.A,),
    "6": (dns.rdatatype.AAAA,),
    "prefer6": (dns.rdatatype.AAAA, dns.rdatatype.A),
}
"""Addresses of a mail server in the order in which they are tried, by OUTGOING_IP."""


@dataclasses.dataclass(frozen=True, slots=True)
class Hop:
    """One server to try: the name for the log, the address to connect to."""

    name: str
    address: str
    port: int = SMTP_PORT
    security: Security = OPPORTUNISTIC
    is_tls_at_once: bool = False
    """RFC 8314: a smart host's port for submissions."""
    login: tuple[str, str] | None = dataclasses.field(default=None, repr=False)
    """Name and secret of a smart host."""


@dataclasses.dataclass(frozen=True, slots=True)
class NoRoute:
    """Why there is none: for now or for good."""

    verdict: Verdict
    code: str
    text: str


NULL_MX = NoRoute(Verdict.REFUSED, "5.1.10", "The domain takes no mail (null MX)")  # RFC 7505 4.2
NO_DOMAIN = NoRoute(Verdict.REFUSED, "5.1.2", "The domain does not exist")
NO_ADDRESS = NoRoute(Verdict.REFUSED, "5.1.2", "The domain has no mail server that can be reached")
OURSELVES = NoRoute(Verdict.REFUSED, "5.4.6", "The domain's mail comes back to this server")
NO_ANSWER = NoRoute(Verdict.LATER, "4.4.3", "The name server did not answer")


def fixed_route(domain: str) -> str:
    """What ROUTES says about a domain, or about all."""
    return str(settings.ROUTES.get(domain) or settings.ROUTES.get("*") or "")


async def find_route(domain: str) -> list[Hop] | NoRoute:
    """The servers for `domain`, best first."""
    fixed = fixed_route(domain)
    if fixed:
        host, _, port = fixed.rpartition(":")
        return [Hop(host.strip("[]"), host.strip("[]"), int(port))]
    if domain.startswith("["):
        return _literal(domain)
    try:
        resolver = dns.asyncresolver.get_default_resolver()  # reads the system's configuration, which may be missing
        names = await _exchangers(resolver, domain)
        return names if isinstance(names, NoRoute) else await _hops(resolver, names)
    except dns.resolver.NXDOMAIN:
        return NO_DOMAIN
    except (dns.exception.DNSException, OSError):
        return NO_ANSWER


def _literal(domain: str) -> list[Hop] | NoRoute:
    """An address literal (RFC 5321 4.1.3)."""
    address = domain.strip("[]").removeprefix("ipv6:")
    return [Hop(domain, address)] if is_public(address) else NO_ADDRESS


async def _exchangers(resolver: dns.asyncresolver.Resolver, domain: str) -> list[str] | NoRoute:
    try:
        answer = await resolver.resolve(domain, "MX", lifetime=LOOKUP_S)
    except dns.resolver.NoAnswer:
        return [domain]  # RFC 5321 5.1: the implicit MX
    found = [(int(record.preference), record.exchange.to_text(omit_final_dot=True)) for record in answer]
    if any(name in ("", ".") for _, name in found):
        return NULL_MX
    ours = [preference for preference, name in found if name.lower() == settings.EHLO_NAME.lower()]
    better = [each for each in found if not ours or each[0] < min(ours)]
    if not better:
        return OURSELVES
    random.shuffle(better)  # RFC 5321 5.1: spread over equal preferences
    return [name for _, name in sorted(better, key=lambda each: each[0])][:HOSTS_MAX]


async def _hops(resolver: dns.asyncresolver.Resolver, names: list[str]) -> list[Hop] | NoRoute:
    hops: list[Hop] = []
    unanswered = False
    for name in names:
        for kind in KINDS[settings.OUTGOING_IP]:
            try:
                answer = await resolver.resolve(name, kind, lifetime=LOOKUP_S, raise_on_no_answer=False)
            except dns.resolver.NXDOMAIN:
                break
            except (dns.exception.DNSException, OSError):
                unanswered = True
                continue
            addresses = [record.to_text() for record in answer.rrset or ()]
            hops += [Hop(name, address) for address in addresses if is_public(address)]
    if hops:
        return hops[: 2 * HOSTS_MAX]
    return NO_ANSWER if unanswered else NO_ADDRESS
