"""The record, to read and to export. It lives below the accounts, but who may see what is decided here."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ScopedAdmin
from accounts.event_words import told
from logs_app.models import Event


@admin.register(Event)
class EventAdmin(ScopedAdmin):
    """Nobody writes here."""

    list_display = ("at", "kind", "address", "actor", "remote_address", "protocol", "succeeded", "what")
    list_filter = ("kind", "succeeded", "protocol", "at")
    search_fields = ("address", "actor", "remote_address")
    search_help_text = _("Address, person or IP address")
    ordering = ("-at", "-id")
    date_hierarchy = None
    fields = ("at", "kind", "address", "actor", "remote_address", "protocol", "succeeded", "error", "details")
    readonly_fields = fields
    export_columns = ("at", "kind", "address", "actor", "remote_address", "protocol", "succeeded", "error", "details")

    @admin.display(description=_("what happened"))
    def what(self, event: Event) -> str:
        """The shortest that says it."""
        return told(event)

    @admin.display(description=_("details"))
    def details(self, event: Event) -> str:
        """All of `data`."""
        return json.dumps(event.data, ensure_ascii=False) if event.data else ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never; time does it (logs_app.retention)."""
        return False
