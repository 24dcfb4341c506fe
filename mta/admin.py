"""Administration of how mail travels, in the scope that `accounts.admin_base` gives every page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, actor_of
from accounts.admin_site import PAGES
from mta.models import MailPolicy
from mta.services.policy import update_mail_policy

DOMAIN_OF[MailPolicy] = "domain"
PAGES.append(("mta_mailpolicy", _("Mail policies"), "policy"))


@admin.register(MailPolicy)
class MailPolicyAdmin(ScopedAdmin):
    """One for each domain: looked at and changed."""

    list_display = ("name", "dmarc")
    search_fields = ("domain__name",)
    export_columns = ("domain", "dmarc")
    list_select_related = ("domain",)

    @admin.display(description=_("domain"), ordering="domain__name")
    def name(self, policy: MailPolicy) -> str:
        """Whose policy it is."""
        return policy.domain.name

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        update_mail_policy(obj.domain, actor=actor_of(request), **changes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """It comes with its domain."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It goes with its domain."""
        return False
