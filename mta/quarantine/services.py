"""Letting mail out of the quarantine, throwing it away, and the choice of a daily report."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.services.permission import audit, require_admin
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from logs_app.models import Kind
from logs_app.services import record
from mailstore import blobs, sql
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.inbound.filing import Verdict
from mta.models import ListedSender, QuarantinedMail, SpamLesson, SpamSettings
from mta.services.senders import list_sender
from mta.spam.lessons import want

State = QuarantinedMail.State
PURGE_SLICE = 500


def release(access: Access, mail_id: int, *, trust: bool = False, via: str = "web") -> bool:
    """Deliver it to the inbox, durably, and learn that it was wanted; with `trust` its sender goes on the white list of
    the account. False when it was released before.

    Raises NOT_FOUND (a stranger's, deleted, expired), NO_PERMISSION (a virus), LIMIT (the white list is full).
    """
    access.require(Right.INSERT)
    mail = _held(mail_id, account_id=access.mailbox)
    if mail.kind == QuarantinedMail.Kind.VIRUS:
        raise MailError(ErrorKind.NO_PERMISSION, field="kind")
    return _deliver(mail, via=via, trust=trust)


def release_for(mail: QuarantinedMail, *, actor: Account | None) -> bool:
    """As `release`, by an administrator, a virus too. Recorded. NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, mail.domain_id)
    with transaction.atomic():
        is_new = _deliver(_held(mail.pk, account_id=mail.account_id), via="admin", trust=False)
        if is_new:
            audit(actor, "release_quarantined", domain_id=mail.domain_id, address=_address(mail), **_facts(mail))
    return is_new


def delete(access: Access, mail_id: int) -> bool:
    """Throw it away; its row stays until it would have expired. False when it was deleted or released before."""
    access.require(Right.DELETE)
    return _set_state(_existing(mail_id, account_id=access.mailbox), State.DELETED)


def delete_for(mail: QuarantinedMail, *, actor: Account | None) -> bool:
    """As `delete`, by an administrator. Recorded."""
    require_admin(actor, mail.domain_id)
    with transaction.atomic():
        is_new = _set_state(_existing(mail.pk, account_id=mail.account_id), State.DELETED)
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
        .values_list("pk", flat=True)[:PURGE_SLICE]
    ):
        count += sql.run(f"DELETE FROM mta_quarantinedmail WHERE {sql.among('id')}", [sql.numbers(found)])
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


def _set_state(mail: QuarantinedMail, state: State) -> bool:
    """From held to `state`; only one of several who try at once succeeds."""
    return bool(QuarantinedMail.objects.filter(pk=mail.pk, state=State.HELD).update(state=state))


def _deliver(mail: QuarantinedMail, *, via: str, trust: bool) -> bool:
    if mail.state != State.HELD:
        return False
    raw = blobs.get(mail.blob_id)
    prepared = prepare(raw[mail.trace_length :], trace=raw[: mail.trace_length])
    placement = Placement(
        mail.account_id,
        matched_address=mail.matched_address,
        verdict=int(Verdict.RELEASED),
        judgement=mail.judgement,
    )
    with transaction.atomic():
        if not _set_state(mail, State.RELEASED):
            return False
        [stored] = store([Incoming(prepared, [placement])])
        entry_id = stored.entry_ids[mail.account_id]
        [message_id] = sql.row("SELECT message_id FROM mailstore_entry WHERE id = %s", [entry_id])
        want(mail.account_id, [message_id], SpamLesson.Lesson.HAM)
        account = Account.objects.select_related("domain").get(pk=mail.account_id)
        if trust and mail.sender_address:
            list_sender(account.domain, mail.sender_address, ListedSender.Wish.SAFE, account=account, actor=account)
        _log(mail, account, via)
    return True


def _log(mail: QuarantinedMail, account: Account, via: str) -> None:
    record(
        Kind.RECEIVED,
        domain_id=mail.domain_id,
        account_id=mail.account_id,
        address=account.address,
        protocol=via,
        data={"from": mail.envelope_from, "size": mail.size, "subject": mail.subject, "put_aside": "released"},
    )


def _facts(mail: QuarantinedMail) -> dict[str, str]:
    """For the record of an administrator's act."""
    return {"sender": mail.sender_address, "subject": mail.subject, "kind": mail.kind}


def _address(mail: QuarantinedMail) -> str:
    return Account.objects.values_list("address", flat=True).get(pk=mail.account_id)
