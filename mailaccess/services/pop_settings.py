"""What POP3 shows of somebody's mail (18.1.5 and 18.4.2 of the manual)."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account
from accounts.services.permission import apply, audit, require_admin_of
from core.errors import ErrorKind, MailError
from mailaccess.models import PopSettings


@transaction.atomic
def set_pop_settings(
    account: Account, *, window: str, keeps_mail: bool, with_monitored: bool, actor: Account | None = None
) -> PopSettings:
    """Change them; they count from the next POP3 session. The owner himself or an administrator. INVALID window,
    NO_PERMISSION for an account that nobody signs in to."""
    if actor is None or actor.pk != account.pk:
        require_admin_of(actor, account)
    if account.kind == Account.Kind.SYSTEM or account.status == Account.Status.ERASED:
        raise MailError(ErrorKind.NO_PERMISSION)
    if window not in PopSettings.Window.values:
        raise MailError(ErrorKind.INVALID, field="window")
    row, _ = PopSettings.objects.get_or_create(account=account)
    changes = apply(row, {"window": window, "keeps_mail": keeps_mail, "with_monitored": with_monitored})
    if changes:
        audit(actor, "set_pop_settings", domain_id=account.domain_id, address=account.address, changes=changes)
    return row
