"""The record, to read and to export. It lives below the accounts, but who may see what is decided here."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin_facts import FactsAdmin
from accounts.event_words import told
from logs_app.models import Event


@admin.register(Event)
class EventAdmin(FactsAdmin):
    """Nobody writes here; time takes away (logs_app.retention)."""

    list_display = ("at", "kind", "address", "actor", "remote_address", "protocol", "succeeded", "what")
    list_filter = ("kind", "succeeded", "protocol", "at")
    search_fields = ("address", "actor", "remote_address")
    search_help_text = _("Address, person or IP address")
    ordering = ("-at", "-id")
    date_hierarchy = None
    fields = ("at", "kind", "address", "actor", "remote_address", "protocol", "succeeded", "error", "details")
    export_columns = ("at", "kind", "address", "actor", "remote_address", "protocol", "succeeded", "error", "details")

    @admin.display(description=_("what happened"))
    def what(self, event: Event) -> str:
        """The shortest that says it."""
        return told(event)

    @admin.display(description=_("details"))
    def details(self, event: Event) -> str:
        """All of `data`."""
        return json.dumps(event.data, ensure_ascii=False) if event.data else ""
