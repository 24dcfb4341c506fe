"""Whether the name of an address leads back to it (RFC 8601 3, iprev)."""

from __future__ import annotations

import ipaddress

from mta.authentication.resolver import Resolver, Status, key_of

NAMES_MAX = 5
"""Names of one address that are looked up again; an honest server has one."""


async def reverse_name(resolver: Resolver, address: str) -> tuple[str, Status]:
    """Forward-confirmed reverse DNS (RFC 8601 3, iprev): the name, or why there is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "", Status.NOTHING
    pointers = await resolver.answer(key_of(parsed.reverse_pointer, "PTR"))
    if pointers.status is not Status.FOUND:
        return "", pointers.status
    kind = "A" if parsed.version == 4 else "AAAA"
    status = Status.NOTHING
    for name in pointers.records[:NAMES_MAX]:
        answer = await resolver.answer(key_of(name, kind))
        if any(ipaddress.ip_address(each) == parsed for each in answer.records):
            return str(name), Status.FOUND
        status = Status.FAILED if answer.status is Status.FAILED else status
    return "", status
