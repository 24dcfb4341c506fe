"""Whether an account may use a mail program's protocol from an address, as the administrator ruled."""

from __future__ import annotations

import ipaddress
from typing import Literal

from django.db.models import F, Q

from accounts.models import Account, ProgramRule
from core.errors import ErrorKind, MailError

MAX_NETWORKS = 200
PROTOCOLS = ("imap", "pop3", "smtp")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def refusal_of(account: Account, protocol: str, remote_address: str) -> Literal["protocol", "network"] | None:
    """What stands against it: the account's rule, or its domain's when it has none; one query."""
    rules = ProgramRule.objects.filter(Q(account=account) | Q(domain=account.domain_id, account=None))
    rule = rules.order_by(F("account").asc(nulls_last=True)).first()
    if rule is None:
        return None
    if not getattr(rule, protocol):
        return "protocol"
    return None if is_inside(remote_address, rule.networks) else "network"


def is_inside(remote_address: str, networks: str) -> bool:
    """Whether an address lies in one of the networks; everywhere when there are none."""
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(remote_address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address  # RFC 4291 2.5.5.2
    return any(mapped in network for network in map(ipaddress.ip_network, networks.split()))


def canonical_networks(text: str) -> str:
    """One network a line, as the library writes it; host bits are cut. INVALID for what is none."""
    try:
        found: list[Network] = [ipaddress.ip_network(word, strict=False) for word in text.replace(",", " ").split()]
    except ValueError:
        raise MailError(ErrorKind.INVALID, field="networks") from None
    if len(found) > MAX_NETWORKS:
        raise MailError(ErrorKind.LIMIT, field="networks", limit=MAX_NETWORKS)
    return "\n".join(str(network) for network in dict.fromkeys(found))
