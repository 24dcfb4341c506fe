"""Administration of monitoring: who watches whom."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy as _

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, actor_of, domain_for, visible
from accounts.admin_site import PAGES, Section
from mta.models import MonitorRule
from mta.services.monitoring import (
    MANY_FIELDS,
    PLAIN_FIELDS,
    create_monitor_rule,
    delete_monitor_rule,
    update_monitor_rule,
)

DOMAIN_OF.update({MonitorRule: "domain"})
PAGES += [(Section.REVIEW, "mta_monitorrule", _("Mail monitoring"), "visibility")]


@admin.register(MonitorRule)
class MonitorRuleAdmin(ScopedAdmin):
    """Rules of the domain."""

    list_display = ("name", "domain", "is_active", "watching", "watched", "begins_at", "ends_at")
    list_filter = ("is_active",)
    list_select_related = ("domain",)
    search_fields = ("name", "domain__name", "monitors__address", "accounts__address")
    autocomplete_fields = ("domain", "monitors", "accounts", "departments")
    export_columns = ("name", "domain", "is_active", "watching", "watched", "begins_at", "ends_at")
    fieldsets = (
        (None, {"fields": ("domain", "name", "is_active", "monitors")}),
        (_("Whose mail"), {"fields": ("whole_domain", "accounts", "departments")}),
        (_("Which mail"), {"fields": ("from_inside", "from_outside", "to_inside", "to_outside")}),
        (_("Conditions"), {"fields": ("with_attachment", "min_size_kb", "keywords", "begins_at", "ends_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The domain is chosen by operators, once."""
        hidden = {"domain"} if obj or not actor_of(request).is_superuser else set()
        return [
            (title, {"fields": [name for name in options["fields"] if name not in hidden]})
            for title, options in self.fieldsets
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        """With everybody who is named in the list."""
        return super().get_queryset(request).prefetch_related(*MANY_FIELDS)

    def formfield_for_manytomany(self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """As for single choices: one's own domain."""
        kwargs["queryset"] = visible(db_field.remote_field.model._default_manager.all(), actor_of(request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("monitors"))
    def watching(self, rule: MonitorRule) -> str:
        """Their addresses."""
        return ", ".join(map(str, rule.monitors.all()))

    @admin.display(description=_("monitored"))
    def watched(self, rule: MonitorRule) -> str:
        """Accounts and departments."""
        if rule.whole_domain:
            return gettext("everybody")
        return ", ".join(map(str, (*rule.accounts.all(), *rule.departments.all())))

    def recorded_as(self, obj: Any) -> str:
        """Under the domain."""
        return str(obj.domain.name)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """The service has written everything."""

    def create(self, request: HttpRequest, obj: Any, form: Any) -> MonitorRule:
        """Through the service."""
        fields = {name: form.cleaned_data[name] for name in (*PLAIN_FIELDS, *MANY_FIELDS) if name != "name"}
        return create_monitor_rule(domain_for(request, obj), obj.name, actor=actor_of(request), **fields)

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        update_monitor_rule(obj, actor=actor_of(request), **changes)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        delete_monitor_rule(obj, actor=actor_of(request))
