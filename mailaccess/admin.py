"""Administration of what mail programs see, in the scope that `accounts.admin_base` gives every page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, actor_of
from accounts.admin_site import PAGES, Section
from mailaccess.models import PopSettings
from mailaccess.services import set_pop_settings

DOMAIN_OF[PopSettings] = "account__domain"
PAGES += [(Section.PROGRAMS, "mailaccess_popsettings", _("POP3"), "inbox")]
CHOSEN = ("window", "keeps_mail", "with_monitored")


@admin.register(PopSettings)
class PopSettingsAdmin(ScopedAdmin):
    """Of accounts that have settings of their own; the others have the defaults."""

    list_display = ("account", *CHOSEN)
    list_filter = CHOSEN
    search_fields = ("account__address", "account__name")
    autocomplete_fields = ("account",)
    fields = ("account", *CHOSEN)
    list_select_related = ("account",)
    export_columns = ("account", *CHOSEN)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Settings stay with their account."""
        return ("account",) if obj else ()

    def create(self, request: HttpRequest, obj: Any, form: Any) -> PopSettings:
        """For an account that had the defaults."""
        chosen = {name: form.cleaned_data[name] for name in CHOSEN}
        return set_pop_settings(obj.account, **chosen, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """What was chosen anew."""
        chosen = {name: getattr(obj, name) for name in CHOSEN} | changes
        set_pop_settings(obj.account, **chosen, actor=actor_of(request))

    def recorded_as(self, obj: Any) -> str:
        """The address that its record is about."""
        return str(obj.account.address)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Changed back instead."""
        return False
