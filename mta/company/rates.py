"""How much an account and a domain may send, and the stop for an account that somebody abuses.

An hour's rows are counted up in the transaction that takes a mail; a stop is a transaction of its own, for the mail that
causes it is refused.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Sum
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

DAY_H = 24
KEPT_H = 48
NEVER_US = 1 << 62
"""When held mail is due."""
WAITING = (Delivery.State.QUEUED, Delivery.State.DEFERRED)


@dataclasses.dataclass(frozen=True, slots=True)
class Spending:
    """What one mail counts."""

    account_id: int
    domain_id: int
    hour: int
    recipients: int
    strangers: int


def check_rates(access: Access, account: Account, policy: SendPolicy, recipients: Sequence[str]) -> Spending | None:
    """What a mail will count, or None where nothing is counted. Raises NO_PERMISSION for an account that is stopped
    or has gone too far (then with `strangers`, for `obey`), LIMIT with the field that says which."""
    if SendStop.objects.filter(pk=account.pk).exists():
        raise MailError(ErrorKind.NO_PERMISSION, field="stopped")
    limits = (policy.hourly_recipients, policy.daily_recipients, policy.daily_strangers)
    if not any((*limits, policy.pool_strangers, policy.stop_strangers)):
        return None
    hour = int(time.time()) // 3600
    spending = Spending(account.pk, account.domain_id, hour, len(recipients), _strangers(access, recipients))
    mine = SendCount.objects.filter(account_id=account.pk)
    _check("hourly_recipients", policy.hourly_recipients, _sum(mine, hour, "recipients"), spending.recipients)
    day = hour - DAY_H + 1
    _check("daily_recipients", policy.daily_recipients, _sum(mine, day, "recipients"), spending.recipients)
    if not spending.strangers:
        return spending
    within_hour = _sum(mine, hour, "strangers") + spending.strangers
    if policy.stop_strangers and within_hour > policy.stop_strangers:
        raise MailError(ErrorKind.NO_PERMISSION, field="stopped", strangers=within_hour)
    _check("daily_strangers", policy.daily_strangers, _sum(mine, day, "strangers"), spending.strangers)
    if policy.pool_strangers:
        pool = SendCount.objects.filter(domain_id=account.domain_id)
        _check("pool_strangers", policy.pool_strangers, _sum(pool, day, "strangers"), spending.strangers)
    return spending


def spend(spending: Spending) -> None:
    """Count a mail, in the transaction that takes it."""
    row = (spending.account_id, spending.domain_id, spending.hour, spending.recipients, spending.strangers)
    insert_rows(
        "mta_sendcount",
        "account_id, domain_id, hour, recipients, strangers",
        [row],
        "ON CONFLICT (account_id, hour) DO UPDATE SET recipients = mta_sendcount.recipients + excluded.recipients, "
        "strangers = mta_sendcount.strangers + excluded.strangers",
    )


def obey(mailbox: int, error: MailError) -> None:
    """Stop the account whose mail was refused because it has gone too far. To be called outside the transaction of that
    mail, which was rolled back."""
    strangers = error.data.get("strangers")
    if isinstance(strangers, int) and error.data.get("field") == "stopped":
        stop_account(Account.objects.get(pk=mailbox), strangers=strangers)


@transaction.atomic
def stop_account(account: Account, *, strangers: int) -> None:
    """Nothing of it leaves any more: what waits is held, and the domain's administrators are told. Recorded; twice is
    once."""
    _stop, is_new = SendStop.objects.get_or_create(account=account, defaults={"strangers": strangers})
    if not is_new:
        return
    Delivery.objects.filter(mailbox_id=account.pk, state__in=WAITING).update(on_hold=True, next_attempt_us=NEVER_US)
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
    if SendStop.objects.filter(pk=submission.mailbox_id).exists():
        waiting = Delivery.objects.filter(submission=submission, state__in=WAITING)
        waiting.update(on_hold=True, next_attempt_us=NEVER_US)


@transaction.atomic
def allow_account(stop: SendStop, *, actor: Account | None = None) -> None:
    """It may send again, and what was held is due. Raises NO_PERMISSION, NOT_FOUND."""
    account = stop.account
    require_admin(actor, account.domain_id)
    stop.delete()
    now_us = time.time_ns() // 1000
    held = Delivery.objects.filter(mailbox_id=account.pk, state__in=WAITING, on_hold=True)
    held.update(on_hold=False, next_attempt_us=now_us)
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


def _sum(rows: object, since: int, name: str) -> int:
    return int(rows.filter(hour__gte=since).aggregate(all=Sum(name))["all"] or 0)  # type: ignore[attr-defined]


def _check(field: str, limit: int, used: int, more: int) -> None:
    if limit and used + more > limit:
        raise MailError(ErrorKind.LIMIT, field=field, limit=limit)
