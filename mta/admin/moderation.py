"""Mail to lists that waits for approval, for administrators: let on or refused in the approver's place, recorded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _, ngettext

from accounts.admin_base import DOMAIN_OF, actor_of
from accounts.admin_facts import FactsAdmin, size_of
from accounts.admin_site import PAGES, Section
from mta.models import HeldPost
from mta.services.moderation import decide_as_admin

DOMAIN_OF.update({HeldPost: "domain"})
PAGES += [(Section.REVIEW, "mta_heldpost", _("Mail to lists, for approval"), "fact_check")]


@admin.register(HeldPost)
class HeldPostAdmin(FactsAdmin):
    """What waits alone: what was decided is in the log."""

    list_display = ("subject", "sender_address", "address", "shown_size", "created_at", "expires_at", "domain")
    list_select_related = ("domain",)
    search_fields = ("subject", "sender_address", "address")
    fields = (
        "subject",
        "sender_address",
        "envelope_from",
        "address",
        "shown_size",
        "created_at",
        "expires_at",
        "preview",
    )
    export_columns = ("subject", "sender_address", "address", "size", "created_at", "expires_at")
    actions = ("release_selected",)

    shown_size = size_of("size")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """In scope, and still waiting."""
        return super().get_queryset(request).filter(state=HeldPost.State.WAITING)

    @admin.action(description=_("Approve"))
    def release_selected(self, request: HttpRequest, queryset: QuerySet[HeldPost]) -> None:
        """Each goes on to its list."""
        for post in queryset:
            decide_as_admin(post, release=True, actor=actor_of(request))
        count = len(queryset)
        self.message_user(request, ngettext("%d mail approved", "%d mails approved", count) % count, messages.SUCCESS)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Refuse it."""
        decide_as_admin(obj, release=False, actor=actor_of(request))

    def recorded_as(self, obj: Any) -> str:
        """Under the list's address."""
        return str(obj.address)
