"""Administration of how mail leaves: smart hosts."""

from __future__ import annotations

import dataclasses
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, ServiceForm, actor_of, domain_for
from accounts.admin_site import PAGES, Section
from mta.models import SmartHost
from mta.services.smart_host import SmartHostWish, remove_smart_host, set_smart_host

DOMAIN_OF.update({SmartHost: "domain"})
PAGES += [(Section.SENDING, "mta_smarthost", _("Smart hosts"), "outgoing_mail")]


class SmartHostForm(ServiceForm):
    """The secret goes in and never comes out."""

    password = forms.CharField(
        label=_("password"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Empty keeps the stored one."),
    )


@admin.register(SmartHost)
class SmartHostAdmin(ScopedAdmin):
    """One for a domain at most."""

    form = SmartHostForm
    list_display = ("domain", "host", "port", "encryption", "username", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("domain",)
    search_fields = ("host", "domain__name")
    autocomplete_fields = ("domain",)
    fields = ("domain", "host", "port", "encryption", "username", "password", "is_active")
    export_columns = ("domain", "host", "port", "encryption", "username", "is_active")

    def recorded_as(self, obj: Any) -> str:
        """Acts are recorded under the domain."""
        return str(obj.domain.name)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Any:
        """Through the service."""
        return set_smart_host(domain_for(request, obj), _wish(obj, form.cleaned_data), actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service; what was not entered stays."""
        set_smart_host(obj.domain, _wish(obj, changes), actor=actor_of(request))

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        remove_smart_host(obj.domain, actor=actor_of(request))


def _wish(obj: SmartHost, entered: dict[str, Any]) -> SmartHostWish:
    wish = SmartHostWish(obj.host, obj.port, obj.encryption, obj.username, None, obj.is_active)
    known = {
        name: value for name, value in entered.items() if name in {field.name for field in dataclasses.fields(wish)}
    }
    return dataclasses.replace(wish, **known, secret=entered.get("password") or None)
