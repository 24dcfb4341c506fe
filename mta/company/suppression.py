"""Addresses that their servers have called dead: mail to them comes back at once instead of spoiling our name there.

An entry is made by a hard bounce (no such mailbox, no such domain), holds for a month, and is an administrator's to
remove or to make. One that was made by hand (it has no code) is not touched by what servers say.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.domain_names import is_local_domain
from accounts.models import Account, Domain
from accounts.services.permission import audit, require_admin
from core.errors import ErrorKind, MailError
from mta.models import Submission, SuppressedAddress
from mta.smtp_in.commands import parse_address
from mta.steps import Outcome

DEAD = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10"})
"""RFC 3463 3.2, RFC 7505: the address or its domain is no good, whatever the message."""
KEPT = datetime.timedelta(days=30)
SUPPRESSED = ("5.1.1", "The recipient's server has said before that there is no such mailbox")


def suppressed(domain_id: int, addresses: Iterable[str]) -> set[str]:
    """Those (in lower case) that mail of a domain does not go to; one query."""
    wanted = {each.lower() for each in addresses}
    rows = SuppressedAddress.objects.filter(domain=domain_id, address__in=wanted, until__gt=timezone.now())
    return set(rows.values_list("address", flat=True)) if wanted else set()


def learn_bounce(outcome: Outcome) -> None:
    """A step after every outcome: remember who is dead, forget who has come to life. Our own people's addresses are never
    looked up here, and may be made tomorrow."""
    address = outcome.recipient.lower()
    if is_local_domain(address.rpartition("@")[2]):
        return
    if outcome.state == "accepted":
        domain_id = _domain_of(outcome.submission_id)
        _learnt().filter(domain=domain_id, address=address).delete()
    if outcome.state != "bounced" or outcome.code not in DEAD or outcome.text == SUPPRESSED[1]:
        return
    domain_id = _domain_of(outcome.submission_id)
    if not domain_id or not Domain.objects.filter(pk=domain_id).exists():
        return
    until = timezone.now() + KEPT
    given = {"code": outcome.code, "text": outcome.text[:500], "until": until}
    entry, is_new = SuppressedAddress.objects.get_or_create(domain_id=domain_id, address=address, defaults=given)
    if not is_new:
        _learnt().filter(pk=entry.pk).update(bounces=F("bounces") + 1, **given)


def learn_bounces(outcomes: Sequence[Outcome]) -> None:
    """`learn_bounce` for many: who has come to life is forgotten in one statement for each domain."""
    alive: dict[int, set[str]] = {}
    for outcome in outcomes:
        if outcome.state == "accepted":
            alive.setdefault(outcome.domain_id, set()).add(outcome.recipient.lower())
        else:
            learn_bounce(outcome)
    for domain_id, addresses in alive.items():
        _learnt().filter(domain=domain_id, address__in=addresses).delete()


@transaction.atomic
def suppress(domain: Domain, address: str, *, actor: Account | None = None) -> SuppressedAddress:
    """Put an address on the list by hand, for ten years. Raises INVALID, NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, domain.pk)
    parsed = parse_address(address.strip())
    if parsed is None:
        raise MailError(ErrorKind.INVALID, field="address", name=address)
    until = timezone.now() + datetime.timedelta(days=3650)
    given = {"until": until, "code": "", "text": ""}
    entry, _new = SuppressedAddress.objects.update_or_create(domain=domain, address=parsed.lower(), defaults=given)
    audit(actor, "suppress_address", domain_id=domain.pk, address=domain.name, suppressed=entry.address)
    return entry


@transaction.atomic
def unsuppress(entry: SuppressedAddress, *, actor: Account | None = None) -> None:
    """Mail goes to it again. Raises NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, entry.domain_id)
    domain = entry.domain
    audit(actor, "unsuppress_address", domain_id=domain.pk, address=domain.name, suppressed=entry.address)
    entry.delete()


def forget_suppressed() -> int:
    """Entries whose time is over; how many."""
    return SuppressedAddress.objects.filter(until__lte=timezone.now()).delete()[0]


def _learnt() -> QuerySet[SuppressedAddress]:
    return SuppressedAddress.objects.exclude(code="")


def _domain_of(submission_id: int) -> int:
    found = Submission.objects.filter(pk=submission_id).values_list("domain_id", flat=True).first()
    return int(found or 0)
