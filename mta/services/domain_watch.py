"""A domain's DNS looked at every night, and the one letter that says what a new domain needs.

Administrators hear of a record that was right and no longer is; of what was never entered they hear in the first letter.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Domain
from core.times import zone_named
from mailstore.services.deliver import store
from mta.certificates.services import administrators_of
from mta.models import DomainRecords
from mta.notices import notice
from mta.records.check import Checked, State, check_domain, check_host
from mta.records.wanted import wanted_records

MORNING = 6
"""Nights end then; a domain that was not reached waits for the next one."""


def check_all(now: datetime.datetime) -> int:
    """Look at every active domain that was not looked at today in its own zone's night; how many were told. The reverse
    names of this server are looked at with the installation's first domain."""
    told = 0
    for number, domain in enumerate(Domain.objects.filter(is_active=True).order_by("pk")):
        row, _made = DomainRecords.objects.get_or_create(domain=domain)
        here = now.astimezone(zone_named(domain.time_zone))
        if row.checked_on == here.date() or here.hour >= MORNING:
            continue
        checked = check_domain(domain) + ([] if number else check_host())
        told += _note(domain, row, here.date(), checked)
    return told


def _note(domain: Domain, row: DomainRecords, today: datetime.date, checked: Sequence[Checked]) -> bool:
    right = {_key(each) for each in checked if each.state is State.CORRECT}
    unknown = {_key(each) for each in checked if each.state is State.UNKNOWN}
    before = set(row.right)
    lost = [each for each in checked if _key(each) in before and each.state in {State.MISSING, State.WRONG}]
    with transaction.atomic():
        row.checked_on = today
        row.right = sorted(right | (before & unknown))  # no answer is no news
        row.save()
        if lost:
            _tell(domain, lost)
    return bool(lost)


def _key(each: Checked) -> str:
    return f"{each.wanted.purpose} {each.name} {each.wanted.kind}"


def _tell(domain: Domain, lost: Sequence[Checked]) -> None:
    def words() -> tuple[str, str]:
        lines = [_("These records of %(domain)s were right and no longer are:") % {"domain": domain.name}, ""]
        for each in lost:
            lines.append(f"{each.name} {each.wanted.kind} {each.wanted.value}")
            lines.append(
                "  " + (_("found: %(found)s") % {"found": " | ".join(each.found)} if each.found else _("missing"))
            )
        lines += ["", _("Mail may be lost or refused until they are put right.")]
        return _("DNS of %(domain)s needs attention") % {"domain": domain.name}, "\n".join(lines) + "\n"

    readers = administrators_of(domain)
    if readers:
        store([notice(reader, words) for reader in readers])


def welcome_administrator(account: Account) -> None:
    """The letter to a new domain's first administrator, when he is made: the records to enter, and how he signs in. In
    the caller's transaction; it holds no password."""
    admins = Account.objects.filter(domain_id=account.domain_id, role=Account.Role.DOMAIN_ADMIN)
    if account.role == Account.Role.DOMAIN_ADMIN and not admins.exclude(pk=account.pk).exists():
        _welcome(account.domain, account, [account])


def announce(domain: Domain) -> None:
    """The letter to the operators when a domain is made; in the caller's transaction."""
    operators = Account.objects.filter(role=Account.Role.OPERATOR, status=Account.Status.ACTIVE)
    _welcome(domain, None, list(operators.select_related("domain")))


def _welcome(domain: Domain, administrator: Account | None, readers: Sequence[Account]) -> None:
    def words() -> tuple[str, str]:
        who = [_("Administrator: %(address)s") % {"address": administrator.address}] if administrator else []
        lines = [
            _("The mail domain %(domain)s is ready.") % {"domain": domain.name},
            "",
            *who,
            _("Sign in: %(url)s") % {"url": f"{settings.BASE_URL}/"},
            "",
            _("Enter these records where the domain's DNS is kept (host, type, priority, value; TTL 1 hour):"),
            "",
            *(
                f"{each.host}  {each.kind}  {'' if each.priority is None else f'{each.priority}  '}{each.value}"
                for each in wanted_records(domain)
            ),
            "",
            _("The administration shows under Mail policies and DNS which of them are right."),
        ]
        return _("%(domain)s: DNS records and administrator") % {"domain": domain.name}, "\n".join(lines) + "\n"

    if readers:
        store([notice(reader, words) for reader in readers])
