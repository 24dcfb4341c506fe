"""Which domains are ours: a small table in memory, read again after CACHE_S or when this process changes one."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping

from django.db import transaction

from accounts.addressing import HOST_LABELS, domain_key, host_name
from accounts.models import Domain, DomainAlias
from accounts.rows import DomainRow

CACHE_S = 10.0
"""How long another process's change may stay unseen."""
MISS_S = 1.0
"""A name that isn't there makes the table be read again, at most this often."""


class _Names:
    """Name (main or alias) to domain."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, DomainRow] = {}
        self._read_at = 0.0

    def rows(self, max_age_s: float = CACHE_S) -> dict[str, DomainRow]:
        with self._lock:
            if not self._read_at or time.monotonic() - self._read_at > max_age_s:
                self._rows = _read()
                self._read_at = time.monotonic()
            return self._rows

    def forget(self) -> None:
        with self._lock:
            self._read_at = 0.0


_names = _Names()


def local_domains() -> Mapping[str, DomainRow]:
    """Every local name, main names and aliases, as A-labels."""
    return _names.rows()


def domain_named(name: str) -> DomainRow | None:
    """The local domain of this name or alias."""
    key = domain_key(name)
    return _names.rows().get(key) or _names.rows(MISS_S).get(key)


def is_local_domain(name: str) -> bool:
    """Whether mail for this domain is ours, suspended domains included (never relay for them)."""
    return domain_named(name) is not None


def domain_of_host(host: str | None) -> DomainRow | None:
    """The domain whose own host this is (itself, or webmail., mail., www., imap., smtp., pop. of it)."""
    name = host_name(host or "")
    label, _, rest = name.partition(".")
    rows = _names.rows()
    if name in rows:
        return rows[name]
    return rows.get(rest) if label in HOST_LABELS else None


def forget_domains() -> None:
    """Read the table again: now, and after the current transaction (whatever becomes of it)."""
    _names.forget()
    transaction.on_commit(_names.forget)


def _read() -> dict[str, DomainRow]:
    aliases: dict[int, list[str]] = defaultdict(list)
    for domain_id, alias in DomainAlias.objects.order_by("name").values_list("domain_id", "name"):
        aliases[domain_id].append(alias)
    rows = {}
    for domain in Domain.objects.all():
        row = _row(domain, tuple(aliases[domain.pk]))
        rows.update(dict.fromkeys((row.name, *row.aliases), row))
    return rows


def _row(domain: Domain, aliases: tuple[str, ...]) -> DomainRow:
    return DomainRow(
        id=domain.pk,
        name=domain.name,
        title=domain.title,
        brand_colour=domain.brand_colour,
        language=domain.language,
        time_zone=domain.time_zone,
        is_active=domain.is_active,
        catch_all_id=domain.catch_all_id,
        message_max_bytes=domain.message_max_bytes,
        max_recipients=domain.max_recipients,
        aliases=aliases,
    )
