"""Administration of automatic replies and forwarding."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import DOMAIN_OF, actor_of
from accounts.admin_site import PAGES, Section
from mta.admin.rules import OfAccount
from mta.models import AutoForward, AutoReply, ForwardTarget
from mta.services.forwards import add_target, remove_forward, remove_target, set_forward
from mta.services.replies import REPLY_FIELDS, remove_reply, set_reply

DOMAIN_OF.update({AutoReply: "account__domain", AutoForward: "account__domain", ForwardTarget: "account__domain"})
PAGES += [
    (Section.RULES, "mta_autoreply", _("Automatic replies"), "reply"),
    (Section.RULES, "mta_autoforward", _("Automatic forwarding"), "forward_to_inbox"),
    (Section.RULES, "mta_forwardtarget", _("Addresses to forward to"), "contact_mail"),
]


@admin.register(AutoReply)
class AutoReplyAdmin(OfAccount):
    """At most one for each account."""

    list_display = ("account", "is_active", "begins_at", "ends_at", "answers_outside", "every_days")
    list_filter = ("is_active",)
    search_fields = ("account__address", "account__name")
    fields = (
        "account",
        "is_active",
        "begins_at",
        "ends_at",
        "text",
        "answers_outside",
        "outside_text",
        "every_days",
    )
    export_columns = ("account", "is_active", "begins_at", "ends_at", "text", "answers_outside", "outside_text")

    def create(self, request: HttpRequest, obj: Any, form: Any) -> AutoReply:
        """Through the service."""
        fields = {name: form.cleaned_data[name] for name in REPLY_FIELDS}
        return set_reply(obj.account, actor=actor_of(request), **fields)

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        set_reply(obj.account, actor=actor_of(request), **changes)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        remove_reply(obj, actor=actor_of(request))


@admin.register(ForwardTarget)
class ForwardTargetAdmin(OfAccount):
    """Adding one asks its owner; nobody else can say yes for him."""

    list_display = ("account", "address", "asked_at", "confirmed_at")
    search_fields = ("account__address", "address")
    fields = ("account", "address")
    export_columns = ("account", "address", "asked_at", "confirmed_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removed and added instead."""
        return False

    def create(self, request: HttpRequest, obj: Any, form: Any) -> ForwardTarget:
        """Through the service."""
        return add_target(obj.account, obj.address, actor=actor_of(request))

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        remove_target(obj, actor=actor_of(request))


@admin.register(AutoForward)
class AutoForwardAdmin(OfAccount):
    """At most one for each account, to one of its addresses."""

    list_display = ("account", "target", "is_active", "keeps_copy", "is_confirmed")
    list_filter = ("is_active", "keeps_copy")
    list_select_related = ("account__domain", "target")
    search_fields = ("account__address", "target__address")
    autocomplete_fields = ("account", "target")
    fields = ("account", "target", "is_active", "keeps_copy")
    export_columns = ("account", "target", "is_active", "keeps_copy")

    @admin.display(description=_("confirmed"), boolean=True)
    def is_confirmed(self, row: AutoForward) -> bool:
        """Until then mail stays here."""
        return row.target.confirmed_at is not None

    def create(self, request: HttpRequest, obj: Any, form: Any) -> AutoForward:
        """Through the service; the target is looked for among the account's own."""
        return self._set(request, obj, obj.target.address, obj.keeps_copy, obj.is_active)

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        fresh = AutoForward.objects.select_related("target").get(pk=obj.pk)
        target = changes.get("target", fresh.target)
        keeps, active = (changes.get(name, getattr(fresh, name)) for name in ("keeps_copy", "is_active"))
        self._set(request, obj, target.address, keeps, active)

    def _set(self, request: HttpRequest, obj: Any, address: str, keeps_copy: bool, is_active: bool) -> AutoForward:
        return set_forward(obj.account, address, keeps_copy=keeps_copy, is_active=is_active, actor=actor_of(request))

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        remove_forward(obj, actor=actor_of(request))
