"""Viruses in what our own people send, to colleagues too: asked of clamd before anything is stored, where the domain's
sending policy wants it. What comes of a scanner that does not answer is the domain's mail policy, as for what comes in.

A submission of a mail program is looked at on the event loop (`find`), one of the webmail in its own thread
(`look_through`): never on a thread of the database.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging

from django.conf import settings

from accounts.models import Account
from core.errors import ErrorKind, MailError
from logs_app.models import Kind
from logs_app.services import record
from mailstore.message import scan
from mta.company.policy import send_policy
from mta.models import MailPolicy
from mta.spam.outside import clamd
from mta.spam.outside.peer import OutsideError, Peer

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What a domain wants: whether to look at all, and whether mail waits for a scanner that does not answer."""

    scans: bool = False
    defers: bool = False


def wish_of(domain_id: int) -> Wish:
    """Two queries; none where there is no scanner."""
    if not settings.CLAMD or not send_policy(domain_id).scan_viruses:
        return Wish()
    unscanned = MailPolicy.objects.filter(pk=domain_id).values_list("unscanned", flat=True).first()
    return Wish(True, unscanned != MailPolicy.Unscanned.ACCEPT)


async def find(raw: bytes, wish: Wish) -> None:
    """Raises INVALID with `field="virus"` and its name, or UNAVAILABLE with `field="scanner"`."""
    if not wish.scans:
        return
    try:
        name = await clamd.scan(_scanner(settings.CLAMD), raw)
    except OutsideError as error:
        log.warning("own mail not scanned", extra={"error": str(error)})
        if wish.defers:
            raise MailError(ErrorKind.UNAVAILABLE, field="scanner") from None
        return
    if name:
        raise MailError(ErrorKind.INVALID, field="virus", name=name[:100])


def look_through(raw: bytes, account: Account) -> None:
    """The same in a thread without an event loop; a virus is recorded."""
    wish = wish_of(account.domain_id)
    if not wish.scans:
        return
    try:
        asyncio.run(find(raw, wish))
    except MailError as error:
        note(error, raw, account, protocol="web")
        raise


def note(error: MailError, raw: bytes, account: Account, *, protocol: str, remote_address: str | None = None) -> None:
    """An event for a virus, for the domain's administrators: the machine it comes from may spread it by other ways. In
    a transaction of its own."""
    if error.data.get("field") != "virus":
        return
    record(
        Kind.REFUSED,
        domain_id=account.domain_id,
        account_id=account.pk,
        address=account.address,
        protocol=protocol,
        remote_address=remote_address,
        succeeded=False,
        error=f"virus {error.data.get('name')}",
        data={"from": account.address, "subject": scan(raw).subject, "size": len(raw)},
    )


@functools.lru_cache(maxsize=4)
def _scanner(address: str) -> Peer:
    """One per process and daemon."""
    return Peer(address, clamd.TIMEOUT_S)
