"""Smart hosts: the server that carries a domain's outside mail instead of the recipients' own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from django.conf import settings

from core.crypto import decrypt
from core.errors import MailError
from mta.models import SmartHost
from mta.outbound.load import Group
from mta.outbound.routing import Hop
from mta.outbound.security import PLAIN, VERIFIED

PURPOSE = "smart host"


@dataclasses.dataclass(frozen=True, slots=True)
class Relays:
    """The smart hosts of some domains, ready to be used. Those in use alone."""

    hops: Mapping[int, Hop]
    unreadable: frozenset[int] = frozenset()
    """Domains whose smart host has a secret that no key of the ring opens: their mail must not go another way."""

    @classmethod
    def load(cls, domain_ids: Iterable[int | None]) -> Relays:
        """One query; call on a database thread."""
        rows = SmartHost.objects.filter(pk__in=[each for each in domain_ids if each is not None], is_active=True)
        hops, unreadable = {}, set()
        for row in rows:
            try:
                hops[row.pk] = hop_of(row)
            except MailError:
                unreadable.add(row.pk)
        return cls(hops, frozenset(unreadable))

    def of(self, domain_id: int | None) -> Hop | None:
        """A domain's, if it has one."""
        return self.hops.get(domain_id) if domain_id is not None else None


def hop_of(row: SmartHost) -> Hop:
    """Where and how to connect. A smart host may have a private address: an administrator named it."""
    login = (row.username, decrypt(PURPOSE, bytes(row.secret)).decode()) if row.username else None
    return Hop(
        row.host,
        row.host,
        row.port,
        security=PLAIN if row.encryption == SmartHost.Encryption.NONE else VERIFIED,
        is_tls_at_once=row.encryption == SmartHost.Encryption.TLS,
        login=login,
    )


def lane_key(group: Group) -> str:
    """What shares connections and bounds: a fixed route, a smart host, or the recipients' domain."""
    fixed = settings.ROUTES.get(group.domain)
    if fixed:
        return f"route {fixed}"
    if group.relay is not None:
        return f"relay {group.submission.domain_id} {group.relay.name}:{group.relay.port}"
    if settings.ROUTES.get("*"):
        return f"route {settings.ROUTES['*']}"
    return group.domain
