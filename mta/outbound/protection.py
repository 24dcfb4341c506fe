"""How sure connections to a domain's mail servers must be: DANE, else MTA-STS, else as sure as can be had.

DANE comes first where both are there (RFC 8461 2). A server that a policy doesn't allow is left out; when none is left
the mail waits.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

from mta.outbound import dane, sts
from mta.outbound.result import Verdict
from mta.outbound.routing import Hop, NoRoute
from mta.outbound.security import Level, Security

NOT_ALLOWED = NoRoute(Verdict.LATER, "4.7.5", "No mail server of the domain is one that its MTA-STS policy names")
NOT_PROVEN = NoRoute(Verdict.LATER, "4.7.5", "DNS did not say which certificates the domain's mail servers have")


async def protected(domain: str, hops: Sequence[Hop]) -> list[Hop] | NoRoute:
    """The servers that may be tried, each with what its connection must be like."""
    try:
        found, unknown = await _by_dane(domain, hops) if dane.is_on() else ({}, set())
    except dane.UnknownError:
        return NOT_PROVEN  # RFC 7672 2.1.2: what is forged must not pass for what has no DNSSEC
    known = [hop for hop in hops if hop.name not in unknown]
    if not known:
        return NOT_PROVEN
    policy = await sts.policy_of(domain)
    allowed = []
    for hop in known:
        security = found.get(hop.name) or _by_sts(policy, hop.name)
        if security is not None:
            allowed.append(dataclasses.replace(hop, security=security))
    return allowed or NOT_ALLOWED


def _by_sts(policy: sts.Policy | None, host: str) -> Security | None:
    """None: the policy forbids this server."""
    if policy is None:
        return Security()
    if policy.mode == "testing":
        return Security(policy="sts", is_testing=True, is_named=policy.names(host))
    return Security(Level.VERIFIED, policy="sts") if policy.names(host) else None


async def _by_dane(domain: str, hops: Sequence[Hop]) -> tuple[dict[str, Security], set[str]]:
    """What DANE demands by server, and the servers that must not be used: those about which the DNS did not say, and
    those that a proven domain doesn't name (the route was asked of another resolver). Raises UnknownError."""
    proven = await dane.exchangers_of(domain)
    if proven is None:
        return {}, set()  # RFC 7672 2.2.1: names that nobody vouches for lead anywhere
    exchangers, names = proven
    unknown = {hop.name for hop in hops if hop.name.lower() not in exchangers}
    ports = {hop.name: hop.port for hop in hops if hop.name not in unknown}
    answers = await asyncio.gather(
        *(dane.security_of(name, port) for name, port in ports.items()), return_exceptions=True
    )
    found: dict[str, Security] = {}
    for name, answer in zip(ports, answers, strict=True):
        if isinstance(answer, dane.UnknownError):
            unknown.add(name)
        elif isinstance(answer, BaseException):
            raise answer
        elif answer is not None:
            found[name] = dataclasses.replace(answer, names=names)
    return found, unknown
