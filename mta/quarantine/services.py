"""Letting mail out of the quarantine, throwing it away, and the choice of a daily report."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.services.permission import audit, require_admin
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.services.touch import touch_on_commit
from mta.models import QuarantinedMail, SpamSettings
from mta.quarantine.releasing import deliver, set_state

State = QuarantinedMail.State
PURGE_SLICE = 500


def release(access: Access, mail_id: int, *, trust: bool = False, via: str = "web") -> bool:
    """Deliver it by its recipient's filters, durably, and learn that it was wanted; with `trust` its sender goes on the white list of
    the account. False when it was released before.

    Raises NOT_FOUND (a stranger's, deleted, expired), NO_PERMISSION (a virus), LIMIT (the white list is full).
    """
    access.require(Right.INSERT)
    mail = _held(mail_id, account_id=access.mailbox)
    if mail.kind == QuarantinedMail.Kind.VIRUS:
        raise MailError(ErrorKind.NO_PERMISSION, field="kind")
    return deliver(mail, via=via, trust=trust)


def release_for(mail: QuarantinedMail, *, actor: Account | None) -> bool:
    """As `release`, by an administrator, a virus too. Recorded. NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, mail.domain_id)
    with transaction.atomic():
        is_new = deliver(_held(mail.pk, account_id=mail.account_id), via="admin", trust=False)
        if is_new:
            audit(actor, "release_quarantined", domain_id=mail.domain_id, address=_address(mail), **_facts(mail))
    return is_new


def delete(access: Access, mail_id: int) -> int:
    """Throw it away; its row stays until it would have expired. When, in microseconds, for `put_back`; 0 when it was
    deleted or released before."""
    access.require(Right.DELETE)
    return set_state(_existing(mail_id, account_id=access.mailbox), State.DELETED)


def put_back(access: Access, mail_id: int, *, deleted_us: int) -> bool:
    """Take the `delete` of `deleted_us` back: the mail is held again as long as it would have been. False when it is not
    deleted, or was deleted again meanwhile, perhaps by an administrator.

    Raises NOT_FOUND for a stranger's and for one whose days are over.
    """
    access.require(Right.DELETE)
    mail = _existing(mail_id, account_id=access.mailbox)
    return mail.decided_us == deleted_us and bool(set_state(mail, State.HELD, before=State.DELETED))


def delete_for(mail: QuarantinedMail, *, actor: Account | None) -> bool:
    """As `delete`, by an administrator. Recorded."""
    require_admin(actor, mail.domain_id)
    with transaction.atomic():
        is_new = bool(set_state(_existing(mail.pk, account_id=mail.account_id), State.DELETED))
        if is_new:
            audit(actor, "delete_quarantined", domain_id=mail.domain_id, address=_address(mail), **_facts(mail))
    return is_new


def set_digest(access: Access, *, wanted: bool) -> None:
    """Turn the daily report on or off. Without it, what would be quarantined goes to Junk from the next mail on."""
    access.require(Right.MANAGE)
    SpamSettings.objects.update_or_create(account_id=access.mailbox, defaults={"digest": wanted})


def purge_quarantine(now: datetime.datetime) -> int:
    """Delete the rows whose days are over; their bytes go with the collection of blobs. Slices, each a transaction."""
    count = 0
    while found := list(
        QuarantinedMail.objects.filter(expires_at__lte=now)
        .order_by("expires_at")
        .values_list("pk", "account_id", "state")[:PURGE_SLICE]
    ):
        numbers = sql.numbers([pk for pk, _account, _state in found])
        count += sql.run(f"DELETE FROM mta_quarantinedmail WHERE {sql.among('id')}", [numbers])
        touch_on_commit({account for _pk, account, state in found if state == State.HELD})
    return count


def _existing(mail_id: int, *, account_id: int) -> QuarantinedMail:
    found = QuarantinedMail.objects.filter(pk=mail_id, account=account_id, expires_at__gt=timezone.now()).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def _held(mail_id: int, *, account_id: int) -> QuarantinedMail:
    found = _existing(mail_id, account_id=account_id)
    if found.state == State.DELETED:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def _facts(mail: QuarantinedMail) -> dict[str, str]:
    """For the record of an administrator's act."""
    return {"sender": mail.sender_address, "subject": mail.subject, "kind": mail.kind}


def _address(mail: QuarantinedMail) -> str:
    return Account.objects.values_list("address", flat=True).get(pk=mail.account_id)
