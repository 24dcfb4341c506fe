"""Codes for mail programs: each program has its own, shown once, taken back alone."""

from __future__ import annotations

import secrets

from django.db import transaction

from accounts import verifiers
from accounts.models import Account, Credential
from accounts.services.permission import audit, require_admin_of
from core.errors import ErrorKind, MailError

ALPHABET = "abcdefghjkmnpqrstuvwxyz"
"""Without i, l and o, which people mistake for digits."""
CODE_CHARS = 16
"""72 bits: no guessing, even of one derivation that is cheaper than a password's."""
MAX_CODES = 20
MAX_LABEL_CHARS = 80


@transaction.atomic
def create_client_code(account: Account, label: str, *, actor: Account | None = None) -> tuple[Credential, str]:
    """(credential, code) of a new code; the code is never shown again. With the first one the password stops working
    in mail programs. The owner himself or an administrator. LIMIT, INVALID label, NO_PERMISSION for who can't sign in."""
    _require_right(account, actor)
    label = " ".join(label.split())
    if not label or len(label) > MAX_LABEL_CHARS:
        raise MailError(ErrorKind.INVALID, field="label")
    locked = Account.objects.select_for_update().get(pk=account.pk)
    if locked.kind == Account.Kind.SYSTEM or locked.status == Account.Status.ERASED:
        raise MailError(ErrorKind.NO_PERMISSION)
    if locked.credentials.filter(kind=Credential.Kind.CLIENT_CODE).count() >= MAX_CODES:
        raise MailError(ErrorKind.LIMIT, limit=MAX_CODES)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
    credential = Credential(account=account, kind=Credential.Kind.CLIENT_CODE, label=label)
    other = locked.credentials.first()
    if other is None:
        verifiers.fill(credential, code, salt=verifiers.new_salt())
    else:
        verifiers.fill(credential, code, salt=bytes(other.scram_salt), rounds=other.scram_rounds)
    credential.save()
    audit(actor, "create_client_code", domain_id=account.domain_id, address=account.address, label=label)
    return credential, code


@transaction.atomic
def revoke_client_code(account: Account, credential_id: int, *, actor: Account | None = None) -> None:
    """Take a code back; with the last one the password works in mail programs again. NOT_FOUND."""
    _require_right(account, actor)
    found = account.credentials.filter(kind=Credential.Kind.CLIENT_CODE, pk=credential_id).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    found.delete()
    audit(actor, "revoke_client_code", domain_id=account.domain_id, address=account.address, label=found.label)


def _require_right(account: Account, actor: Account | None) -> None:
    if actor is None or actor.pk != account.pk:
        require_admin_of(actor, account)
