"""A domain's signing keys: made with it, replaced without a gap.

A rotation makes new keys that wait. Once both their records are found in the DNS they sign, and the old ones retire; a
retired key goes when no mail that it signed can be under way any more, and its record may go then too.
"""

from __future__ import annotations

import datetime

from cryptography.hazmat.primitives import serialization
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Domain
from accounts.services.permission import audit, require_admin
from core.crypto import encrypt
from core.errors import ErrorKind, MailError
from mta.authentication.signing import VALID_S, new_key, public_record
from mta.models import DkimKey

PURPOSE = "dkim"
RETIRED_KEPT = datetime.timedelta(seconds=VALID_S)
"""As long as a signature says it is valid."""

State = DkimKey.State


def create_keys(domain: Domain, *, state: State = State.ACTIVE) -> list[DkimKey]:
    """One RSA key and one Ed25519 key, in the caller's transaction."""
    return [_create(domain, kind, state) for kind in (DkimKey.Kind.RSA, DkimKey.Kind.ED25519)]


@transaction.atomic
def rotate_keys(domain: Domain, *, actor: Account | None = None) -> list[DkimKey]:
    """Make keys that wait for their DNS records; raises IN_USE while others wait, NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, domain.pk)
    Domain.objects.select_for_update().get(pk=domain.pk)
    if DkimKey.objects.filter(domain=domain, state=State.WAITING).exists():
        raise MailError(ErrorKind.IN_USE, field="dkim")
    keys = create_keys(domain, state=State.WAITING)
    audit(actor, "rotate_dkim_keys", domain_id=domain.pk, address=domain.name, selectors=[key.selector for key in keys])
    return keys


@transaction.atomic
def activate_keys(domain: Domain, *, actor: Account | None = None) -> int:
    """Let the waiting keys sign and the others retire; the number of keys that sign now (0: none waited)."""
    require_admin(actor, domain.pk)
    waiting = list(DkimKey.objects.select_for_update().filter(domain=domain, state=State.WAITING))
    if not waiting:
        return 0
    now = timezone.now()
    DkimKey.objects.filter(domain=domain, state=State.ACTIVE).update(state=State.RETIRED, retired_at=now)
    DkimKey.objects.filter(pk__in=[key.pk for key in waiting]).update(state=State.ACTIVE)
    selectors = [key.selector for key in waiting]
    audit(actor, "activate_dkim_keys", domain_id=domain.pk, address=domain.name, selectors=selectors)
    return len(waiting)


def forget_retired(now: datetime.datetime) -> int:
    """Delete keys whose last signature has run out; how many."""
    deleted, _ = DkimKey.objects.filter(state=State.RETIRED, retired_at__lt=now - RETIRED_KEPT).delete()
    return deleted


def _create(domain: Domain, kind: DkimKey.Kind, state: State) -> DkimKey:
    private = new_key(kind.value)
    content = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return DkimKey.objects.create(
        domain=domain,
        selector=_free_selector(domain, kind),
        kind=kind,
        state=state,
        private=encrypt(PURPOSE, content),
        public_record=public_record(private),
    )


def _free_selector(domain: Domain, kind: DkimKey.Kind) -> str:
    """The day and the kind; a second rotation on one day counts on."""
    base = f"{timezone.now():%Y%m%d}{kind.value[0]}"
    taken = set(DkimKey.objects.filter(domain=domain, selector__startswith=base).values_list("selector", flat=True))
    numbered = (f"{base}{number}" for number in range(2, 1000))
    return next(name for name in (base, *numbered) if name not in taken)
