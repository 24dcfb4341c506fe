"""Whether an account may use a mail program's protocol from an address, as the administrator ruled."""

from __future__ import annotations

import ipaddress
from typing import Literal

from accounts.models import Account, ProgramRule
from core.bulk import executed
from core.errors import ErrorKind, MailError

MAX_NETWORKS = 200
PROTOCOLS = ("imap", "pop3", "smtp")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def refusal_of(account: Account, protocol: str, remote_address: str) -> Literal["protocol", "network"] | None:
    """What stands against it: the account's rule, or its domain's when it has none; one query, raw because every
    sign-in of every program asks it."""
    allowed = PROTOCOLS[PROTOCOLS.index(protocol)]  # a name of ours, whatever was given
    query = (
        f"SELECT {allowed}, networks FROM {ProgramRule._meta.db_table} WHERE account_id = %s "
        "OR (domain_id = %s AND account_id IS NULL) ORDER BY CASE WHEN account_id IS NULL THEN 1 ELSE 0 END LIMIT 1"
    )
    with executed(query, [account.pk, account.domain_id]) as cursor:
        rule = cursor.fetchone()
    if rule is None:
        return None
    if not rule[0]:
        return "protocol"
    return None if is_inside(remote_address, rule[1]) else "network"


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
