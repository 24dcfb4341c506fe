"""Administration of what a company wants of mail that leaves: its policy, stopped senders, suppressed addresses."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import BaseModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, actor_of, domain_for
from accounts.admin_facts import FactsAdmin
from accounts.admin_site import PAGES, Section
from mta.company.policy import FIELDS, set_send_policy
from mta.company.rates import allow_account
from mta.company.suppression import suppress, unsuppress
from mta.models import SendPolicy, SendStop, SuppressedAddress

DOMAIN_OF.update({SendPolicy: "domain", SendStop: "account__domain", SuppressedAddress: "domain"})
PAGES += [
    (Section.SENDING, "mta_sendpolicy", _("Sending policies"), "outgoing_mail"),
    (Section.SENDING, "mta_sendstop", _("Stopped senders"), "pan_tool"),
    (Section.SENDING, "mta_suppressedaddress", _("Suppressed addresses"), "unsubscribe"),
]


@admin.register(SendPolicy)
class SendPolicyAdmin(ScopedAdmin):
    """One for each domain that wants something."""

    list_display = ("name", "footer_on", "journal_address", "daily_recipients", "daily_strangers", "stop_strangers")
    list_select_related = ("domain",)
    search_fields = ("domain__name",)
    autocomplete_fields = ("domain",)
    fieldsets = (
        (None, {"fields": ("domain",)}),
        (_("Company footer"), {"fields": ("footer_on", "footer_text", "footer_html")}),
        (_("Copies and files"), {"fields": ("journal_address", "journals_incoming", "banned_files", "scan_viruses")}),
        (
            _("Rates"),
            {
                "fields": (
                    *("hourly_recipients", "daily_recipients", "daily_strangers"),
                    *("pool_strangers", "stop_strangers"),
                ),
                "description": _("0 is no limit."),
            },
        ),
    )
    export_columns = ("domain", "footer_on", "journal_address", "banned_files", "daily_recipients", "daily_strangers")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The domain is chosen once, by operators."""
        found = super().get_fieldsets(request, obj)
        return found if obj is None and actor_of(request).is_superuser else found[1:]

    @admin.display(description=_("domain"), ordering="domain__name")
    def name(self, row: SendPolicy) -> str:
        """Whose it is."""
        return str(row.domain.name)

    def create(self, request: HttpRequest, obj: Any, form: BaseModelForm[Any]) -> Any:
        """Through the service."""
        given = {name: value for name, value in form.cleaned_data.items() if name in FIELDS}
        return set_send_policy(domain_for(request, obj), actor=actor_of(request), **given)

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        set_send_policy(obj.domain, actor=actor_of(request), **changes)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its fields can be emptied."""
        return False


@admin.register(SendStop)
class SendStopAdmin(FactsAdmin):
    """Who may not send; deleting lets him again. To stop somebody, an administrator suspends his account."""

    list_display = ("account", "since", "strangers")
    list_select_related = ("account__domain",)
    search_fields = ("account__address",)
    fields = ("account", "since", "strangers")
    export_columns = ("account", "since", "strangers")

    def recorded_as(self, obj: Any) -> str:
        """The account's address."""
        return str(obj.account.address)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        allow_account(obj, actor=actor_of(request))


@admin.register(SuppressedAddress)
class SuppressedAddressAdmin(ScopedAdmin):
    """Dead addresses: made by bounces or by hand, removed when they live again."""

    list_display = ("address", "domain", "code", "bounces", "since", "until")
    list_select_related = ("domain",)
    search_fields = ("address", "domain__name")
    autocomplete_fields = ("domain",)
    fields = ("domain", "address")
    export_columns = ("address", "domain", "code", "text", "bounces", "since", "until")

    def recorded_as(self, obj: Any) -> str:
        """The domain, under which it is recorded."""
        return str(obj.domain.name)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removed, not changed."""
        return False

    def create(self, request: HttpRequest, obj: Any, form: BaseModelForm[Any]) -> Any:
        """Through the service."""
        return suppress(domain_for(request, obj), obj.address, actor=actor_of(request))

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        unsuppress(obj, actor=actor_of(request))
