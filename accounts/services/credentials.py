"""Writing passwords."""

from __future__ import annotations

from django.db import transaction

from accounts import verifiers
from accounts.models import Account, Credential
from accounts.password_rules import require_good
from accounts.services.permission import audit, require_admin_of
from core.errors import ErrorKind, MailError


@transaction.atomic
def set_password(account: Account, password: str, *, actor: Account | None = None) -> None:
    """Replace the password on every protocol at once and end all sessions (`account` is refreshed in place).

    The owner himself (who has just proved the old one) or an administrator. Raises INVALID with `problems`.
    A caller that wants to keep its own session calls django.contrib.auth.update_session_auth_hash with `account`.
    """
    own = actor is not None and actor.pk == account.pk
    if not own:
        require_admin_of(actor, account)
    if account.kind == Account.Kind.SYSTEM or account.status == Account.Status.ERASED:
        raise MailError(ErrorKind.NO_PERMISSION)
    locked = Account.objects.select_for_update().get(pk=account.pk)
    write_password(locked, password)
    account.session_version = locked.session_version = locked.session_version + 1
    changed = ["session_version"]
    if own and locked.must_change_password:
        account.must_change_password = locked.must_change_password = False
        changed.append("must_change_password")
    locked.save(update_fields=changed)
    audit(actor, "set_password", domain_id=account.domain_id, address=account.address)


def write_password(account: Account, password: str) -> None:
    """Check and store both verifiers; salt and rounds are those of the account's other secrets, if any."""
    require_good(password, account)
    others = account.credentials.exclude(kind=Credential.Kind.PASSWORD).first()
    credential = account.credentials.filter(kind=Credential.Kind.PASSWORD).first()
    credential = credential or Credential(account=account, kind=Credential.Kind.PASSWORD)
    if others is None:
        verifiers.fill(credential, password, salt=verifiers.new_salt())
    else:
        verifiers.fill(credential, password, salt=bytes(others.scram_salt), rounds=others.scram_rounds)
    credential.last_used_at = None
    credential.save()
