"""What accounts may do."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ScopedAdmin, ServiceForm, actor_of
from accounts.forms import MebibyteField
from accounts.models import AccountRights
from accounts.services import remove_rights, set_rights
from accounts.services.rights import RIGHTS_FIELDS


class RightsForm(ServiceForm):
    """Sizes in MB."""

    message_max_bytes = MebibyteField(
        label=_("size of a mail (MB)"), required=False, help_text=_("Empty: the domain's limit.")
    )
    attachment_max_bytes = MebibyteField(
        label=_("size of an attachment (MB)"), required=False, help_text=_("Empty: no limit but the mail's.")
    )


@admin.register(AccountRights)
class AccountRightsAdmin(ScopedAdmin):
    """Of those who have any of their own; the others may everything."""

    form = RightsForm
    list_display = ("account", "web", "sends_outside", "receives_outside", "max_recipients")
    list_filter = ("web", "sends_outside", "receives_outside")
    list_select_related = ("account",)
    search_fields = ("account__address", "account__name")
    autocomplete_fields = ("account",)
    fields = ("account", *RIGHTS_FIELDS)
    export_columns = fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose they are stays."""
        return ("account",) if obj else ()

    def recorded_as(self, obj: Any) -> str:
        """The account's address."""
        return str(obj.account.address)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> AccountRights:
        """Through the service."""
        fields = {name: form.cleaned_data[name] for name in RIGHTS_FIELDS}
        return set_rights(obj.account, actor=actor_of(request), **fields)

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        set_rights(obj.account, actor=actor_of(request), **changes)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        remove_rights(obj, actor=actor_of(request))
