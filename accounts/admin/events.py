"""The record, to read and to export. It lives below the accounts, but who may see what is decided here."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ScopedAdmin
from accounts.sign_in import Reason
from logs_app.models import Event

ACTS = {
    "create_domain": _("Domain made"),
    "update_domain": _("Domain changed"),
    "add_domain_alias": _("Domain alias added"),
    "remove_domain_alias": _("Domain alias removed"),
    "set_catch_all": _("Catch-all mailbox set"),
    "move_postmaster": _("Postmaster's mail given to another account"),
    "create_department": _("Department made"),
    "update_department": _("Department changed"),
    "delete_department": _("Department deleted"),
    "create_account": _("Account made"),
    "update_account": _("Account changed"),
    "suspend_account": _("Account suspended"),
    "restore_account": _("Account allowed to sign in again"),
    "erase_account": _("Account erased"),
    "set_password": _("Password set"),
    "add_alias": _("Alias added"),
    "remove_alias": _("Alias removed"),
    "create_group": _("Group made"),
    "update_group": _("Group changed"),
    "delete_group": _("Group deleted"),
    "add_member": _("Member added to a group"),
    "remove_member": _("Member removed from a group"),
    "grant_mailbox": _("Mailbox opened to somebody"),
    "revoke_mailbox": _("Mailbox closed to somebody"),
}
"""What `data["action"]` of administrative events means; a test holds it to the services."""

REFUSALS = {
    Reason.REFUSED: _("Wrong name or password"),
    Reason.THROTTLED: _("Too many attempts"),
    Reason.SUSPENDED: _("Account suspended or expired"),
}


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
        action = str(event.data.get("action") or "")
        shown = REFUSALS.get(event.error, event.error) or ACTS.get(action, action)  # type: ignore[call-overload]
        return str(shown or event.data.get("alias") or event.data.get("program") or "")

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
