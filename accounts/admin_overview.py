"""The first page: a few figures of what the reader administers, and what happened last."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import visible
from accounts.admin_facts import name_people, person
from accounts.event_words import told
from accounts.models import Account, Group
from logs_app.models import Event, Kind

LATEST = 12
DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One number and the list behind it."""

    title: str | Promise
    count: int
    link: str


def overview(actor: Account) -> dict[str, Any]:
    """What the page shows; eight queries, however large the company."""
    latest = list(visible(Event.objects.order_by("-at", "-id"), actor)[:LATEST])
    name_people(latest, ("address", "actor"))
    return {
        "figures": [*_figures(actor), *_sign_ins(actor)],
        "latest_title": _("What happened last"),
        "latest": {
            "headers": [_("time"), _("kind of event"), _("address"), _("done by or from"), _("what happened")],
            "rows": [_row(event) for event in latest],
        },
    }


def _figures(actor: Account) -> list[Figure]:
    accounts = visible(Account.objects.filter(status=Account.Status.ACTIVE), actor)
    suspended = visible(Account.objects.filter(status=Account.Status.SUSPENDED), actor)
    listed = reverse("admin:accounts_account_changelist")
    return [
        Figure(_("Active people"), accounts.filter(kind="person").count(), f"{listed}?kind__exact=person"),
        Figure(_("Suspended accounts"), suspended.count(), f"{listed}?status__exact=suspended"),
        Figure(_("Groups"), visible(Group.objects.all(), actor).count(), reverse("admin:accounts_group_changelist")),
    ]


def _sign_ins(actor: Account) -> list[Figure]:
    lately = visible(Event.objects.filter(kind=Kind.SIGN_IN, at__gte=timezone.now() - DAY), actor)
    listed = f"{reverse('admin:logs_app_event_changelist')}?kind__exact=sign_in"
    return [
        Figure(_("Sign-ins in 24 hours"), lately.filter(succeeded=True).count(), f"{listed}&succeeded__exact=1"),
        Figure(_("Refused in 24 hours"), lately.filter(succeeded=False).count(), f"{listed}&succeeded__exact=0"),
    ]


def _row(event: Event) -> list[str]:
    names = event.people_named  # type: ignore[attr-defined]
    by = person(event.actor, names) if event.actor else event.remote_address or ""
    at = timezone.localtime(event.at).strftime("%Y-%m-%d %H:%M")
    return [at, str(event.get_kind_display()), person(event.address, names), by, told(event)]
