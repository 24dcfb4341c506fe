"""The record, to read and to export. It lives below the accounts, but who may see what is decided here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.admin_facts import FactsAdmin, person_of
from accounts.event_details import details
from accounts.event_words import PROTOCOLS, error_words, told, way
from logs_app.models import Event


class ProtocolFilter(admin.SimpleListFilter):
    """By words; the ways are known, so that no table of millions is asked for them."""

    title = _("protocol")
    parameter_name = "protocol"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All of them."""
        return list(PROTOCOLS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Of one way."""
        return queryset.filter(protocol=self.value()) if self.value() in PROTOCOLS else queryset


@admin.register(Event)
class EventAdmin(FactsAdmin):
    """Nobody writes here; time takes away (logs_app.retention)."""

    list_display = ("at", "kind", "whose", "by", "remote_address", "way", "succeeded", "what")
    list_filter = ("kind", "succeeded", ProtocolFilter, "at")
    search_fields = ("address", "actor", "remote_address")
    search_help_text = _("Address, person or IP address")
    ordering = ("-at", "-id")
    date_hierarchy = None
    people = ("address", "actor")
    fields = ("at", "kind", "whose", "by", "remote_address", "way", "succeeded", "what", "failure", "details")
    export_columns = (
        *("at", "kind", "address", "actor", "remote_address", "way", "succeeded", "what", "failure", "details_text"),
    )

    whose = person_of("address", _("address"))
    by = person_of("actor", _("done by"))

    @admin.display(description=_("protocol"), ordering="protocol")
    def way(self, event: Event) -> str:
        """In words."""
        return way(event)

    @admin.display(description=_("what happened"))
    def what(self, event: Event) -> str:
        """The shortest that says it."""
        return told(event)

    @admin.display(description=_("error message"))
    def failure(self, event: Event) -> str:
        """In words where it is ours."""
        return error_words(event.error)

    @admin.display(description=_("details"))
    def details(self, event: Event) -> str:
        """All of `data`, in words."""
        return format_html_join("", '<div class="fact"><span>{}</span><span>{}</span></div>', details(event))

    @admin.display(description=_("details"))
    def details_text(self, event: Event) -> str:
        """The same for a spreadsheet."""
        return "; ".join(f"{name}: {value}" for name, value in details(event))
