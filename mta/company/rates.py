"""How much an account and a domain may send, and the stop for an account that somebody abuses.

An hour's rows are counted up and compared in the transaction that takes a mail, one after the other for each account, so
that no two mails spend the same remainder; a stop is a transaction of its own, for the mail that causes it is refused.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.selectors import is_local_domain
from accounts.services.permission import audit, require_admin
from core.access import Access
from core.bulk import insert_rows
from core.errors import ErrorKind, MailError
from core.jobs import wake_on_commit
from mailstore.selectors.correspondents import who_wrote
from mailstore.services.deliver import store
from mta.models import Delivery, SendCount, SendPolicy, SendStop, Submission
from mta.notices import notice
from mta.outbound.queue import NEVER_US

DAY_H = 24
KEPT_H = 48
WAITING = (Delivery.State.QUEUED, Delivery.State.DEFERRED)
LEAVING = (*WAITING, Delivery.State.SENDING)
"""What a stop holds: an attempt that is under way ends as it does, and there is no other; what a worker has in hand without
having begun it goes back (`mta.outbound.queue.renew`)."""
ACCOUNT_LOCK, DOMAIN_LOCK = 0x6D746101, 0x6D746102
"""Which kind of number PostgreSQL's advisory locks are about; `_in_turn`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Spending:
    """What one mail counts."""

    account_id: int
    domain_id: int
    hour: int
    recipients: int
    strangers: int
    policy: SendPolicy


def count_mail(access: Access, account: Account, policy: SendPolicy, recipients: Sequence[str]) -> Spending | None:
    """What a mail will count, or None where nothing is counted. Raises NO_PERMISSION for an account that is stopped."""
    _refuse_stopped(account.pk)
    limits = (policy.hourly_recipients, policy.daily_recipients, policy.daily_strangers)
    if not any((*limits, policy.pool_strangers, policy.stop_strangers)):
        return None
    hour = int(time.time()) // 3600
    strangers = _strangers(access, recipients)
    return Spending(account.pk, account.domain_id, hour, len(recipients), strangers, policy)


def spend(spending: Spending) -> None:
    """Count a mail, in the transaction that takes it, which is to be rolled back when this raises: NO_PERMISSION for an
    account that is stopped or has gone too far (then with `strangers`, for `obey`), LIMIT with the field that says
    which."""
    policy, hour = spending.policy, spending.hour
    _in_turn(ACCOUNT_LOCK, spending.account_id)
    _refuse_stopped(spending.account_id)
    row = (spending.account_id, spending.domain_id, hour, spending.recipients, spending.strangers)
    insert_rows(
        "mta_sendcount",
        "account_id, domain_id, hour, recipients, strangers",
        [row],
        "ON CONFLICT (account_id, hour) DO UPDATE SET recipients = mta_sendcount.recipients + excluded.recipients, "
        "strangers = mta_sendcount.strangers + excluded.strangers",
    )
    day, now = Q(hour__gt=hour - DAY_H), Q(hour__gte=hour)
    used = SendCount.objects.filter(day, account_id=spending.account_id).aggregate(
        hourly_recipients=Sum("recipients", filter=now),
        daily_recipients=Sum("recipients"),
        stop_strangers=Sum("strangers", filter=now),
        daily_strangers=Sum("strangers"),
    )
    for field in ("hourly_recipients", "daily_recipients"):
        _check(field, getattr(policy, field), used[field])
    if not spending.strangers:
        return
    if policy.stop_strangers and used["stop_strangers"] > policy.stop_strangers:
        raise MailError(ErrorKind.NO_PERMISSION, field="stopped", strangers=used["stop_strangers"])
    _check("daily_strangers", policy.daily_strangers, used["daily_strangers"])
    if policy.pool_strangers:
        _in_turn(DOMAIN_LOCK, spending.domain_id)
        pool = SendCount.objects.filter(day, domain_id=spending.domain_id, strangers__gt=0)
        _check("pool_strangers", policy.pool_strangers, pool.aggregate(all=Sum("strangers"))["all"])


def obey(mailbox: int, error: MailError) -> None:
    """Stop the account whose mail was refused because it has gone too far. To be called outside the transaction of that
    mail, which was rolled back."""
    strangers = error.data.get("strangers")
    if isinstance(strangers, int) and error.data.get("field") == "stopped":
        stop_account(Account.objects.get(pk=mailbox), strangers=strangers)


@transaction.atomic
def stop_account(account: Account, *, strangers: int) -> None:
    """Nothing of it leaves any more: what waits is held, what is under way is held when its attempt ends, and the domain's
    administrators are told. Recorded; twice is once."""
    _in_turn(ACCOUNT_LOCK, account.pk)
    _stop, is_new = SendStop.objects.get_or_create(account=account, defaults={"strangers": strangers})
    if not is_new:
        return
    _hold(Delivery.objects.filter(mailbox_id=account.pk))
    audit(None, "stop_sending", domain_id=account.domain_id, address=account.address, strangers=strangers)
    admins = Account.objects.filter(domain=account.domain_id, role=Account.Role.DOMAIN_ADMIN, status="active")
    operators = Account.objects.filter(role=Account.Role.OPERATOR, status="active")
    readers = list(admins.select_related("domain")) or list(operators.select_related("domain"))

    def words() -> tuple[str, str]:
        facts = {"address": account.address, "strangers": strangers}
        lines = [
            _("%(address)s wrote to %(strangers)d people within an hour who never wrote to it.") % facts,
            _("It can't send until you allow it again; its waiting mail is held. Perhaps somebody has its password."),
            _("Administration: Stopped senders."),
        ]
        return _("Sending stopped: %(address)s") % facts, "\n\n".join(lines)

    for reader in readers:
        if reader.pk != account.pk:
            store([notice(reader, words)])


def hold_if_stopped(submission: Submission) -> None:
    """What was scheduled or approved before its account was stopped waits with the rest; in the caller's transaction."""
    _in_turn(ACCOUNT_LOCK, submission.mailbox_id)
    if SendStop.objects.filter(pk=submission.mailbox_id).exists():
        _hold(Delivery.objects.filter(submission=submission))


def _hold(deliveries: QuerySet[Delivery]) -> None:
    deliveries.filter(state__in=LEAVING).update(on_hold=True, next_attempt_us=NEVER_US)


@transaction.atomic
def allow_account(stop: SendStop, *, actor: Account | None = None) -> None:
    """It may send again, and what was held is due. Raises NO_PERMISSION, NOT_FOUND."""
    account = stop.account
    require_admin(actor, account.domain_id)
    _in_turn(ACCOUNT_LOCK, account.pk)  # what is being held at this moment is held before it is let go
    stop.delete()
    now_us = time.time_ns() // 1000
    held = Delivery.objects.filter(mailbox_id=account.pk, on_hold=True)
    held.filter(state__in=WAITING).update(on_hold=False, next_attempt_us=now_us)
    # due when the claim ends: its worker may be at it still
    held.filter(state=Delivery.State.SENDING).update(on_hold=False, next_attempt_us=F("claimed_until_us"))
    hour = int(time.time()) // 3600
    SendCount.objects.filter(account_id=account.pk, hour=hour).update(strangers=0)
    audit(actor, "allow_sending", domain_id=account.domain_id, address=account.address)
    wake_on_commit("mta.send_due")


def forget_counts() -> int:
    """Hours that no limit asks about; how many rows."""
    return SendCount.objects.filter(hour__lt=int(time.time()) // 3600 - KEPT_H).delete()[0]


def _strangers(access: Access, recipients: Sequence[str]) -> int:
    outside = {each.lower() for each in recipients if not is_local_domain(each.rpartition("@")[2])}
    return len(outside - who_wrote(access, outside)) if outside else 0


def _refuse_stopped(account_id: int) -> None:
    if SendStop.objects.filter(pk=account_id).exists():
        raise MailError(ErrorKind.NO_PERMISSION, field="stopped")


def _check(field: str, limit: int, used: int) -> None:
    if limit and used > limit:
        raise MailError(ErrorKind.LIMIT, field=field, limit=limit)


def _in_turn(kind: int, number: int) -> None:
    """Until the transaction ends nobody else is past this line for that account or domain. SQLite's writers take turns
    anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [kind, number & 0x7FFFFFFF])
