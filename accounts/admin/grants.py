"""Who may use whose mailbox."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ScopedAdmin, actor_of
from accounts.models import MailboxGrant
from accounts.services import grant_mailbox, revoke_mailbox


@admin.register(MailboxGrant)
class MailboxGrantAdmin(ScopedAdmin):
    """Given, changed and taken back; every act is recorded."""

    list_display = ("owner", "grantee", "level", "given_at")
    list_filter = ("level",)
    search_fields = ("owner__address", "owner__name", "grantee__address", "grantee__name")
    autocomplete_fields = ("owner", "grantee")
    fields = ("owner", "grantee", "level")
    list_select_related = ("owner", "grantee")
    export_columns = ("owner", "grantee", "level", "created_at")

    @admin.display(description=_("created at"), ordering="created_at")
    def given_at(self, grant: MailboxGrant) -> datetime.datetime:
        """When it was given first."""
        return grant.created_at

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only the level of a grant changes."""
        return ("owner", "grantee") if obj else ()

    def create(self, request: HttpRequest, obj: Any, form: Any) -> MailboxGrant:
        """Within one domain."""
        return grant_mailbox(obj.owner, obj.grantee, obj.level, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Another level."""
        grant_mailbox(obj.owner, obj.grantee, changes.get("level", obj.level), actor=actor_of(request))

    def recorded_as(self, obj: Any) -> str:
        """The address that its record is about."""
        return str(obj.owner.address)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Taken back at once."""
        revoke_mailbox(obj.owner, obj.grantee, actor=actor_of(request))
