"""Mail to lists that waits for approval, for administrators: let on or refused in the approver's place, recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _, ngettext, ngettext_lazy

from accounts.admin_base import DOMAIN_OF, actor_of
from accounts.admin_facts import FactsAdmin, size_of
from accounts.admin_site import PAGES, Section
from mta.models import HeldPost
from mta.services.moderation import decide_as_admin

DOMAIN_OF.update({HeldPost: "domain"})
PAGES += [(Section.REVIEW, "mta_heldpost", _("Mail to lists, for approval"), "fact_check")]
DONE = {
    True: ngettext_lazy("%d mail approved", "%d mails approved"),
    False: ngettext_lazy("%d mail rejected", "%d mails rejected"),
}
log = logging.getLogger(__name__)


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
        self._decide(request, queryset, release=True)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Refuse it."""
        self._decide(request, [obj], release=False)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[HeldPost]) -> None:
        """Refuse them."""
        self._decide(request, queryset, release=False)

    def _decide(self, request: HttpRequest, posts: Iterable[HeldPost], *, release: bool) -> None:
        """Each by itself, whatever becomes of the others, and in words what was done: others may decide meanwhile."""
        done, late, failed = 0, 0, 0
        for post in posts:
            try:
                counts = decide_as_admin(post, release=release, actor=actor_of(request))
            except Exception:  # its mail still waits
                log.exception("not decided", extra={"post": post.pk})
                failed += 1
            else:
                done, late = done + counts, late + (not counts)
        if done:
            self.message_user(request, DONE[release] % done, messages.SUCCESS)
        if late:
            text = ngettext("%d mail had been decided about before", "%d mails had been decided about before", late)
            self.message_user(request, text % late, messages.WARNING)
        if failed:
            text = ngettext(
                "%d mail could not be passed on and still waits",
                "%d mails could not be passed on and still wait",
                failed,
            )
            self.message_user(request, text % failed, messages.ERROR)

    def recorded_as(self, obj: Any) -> str:
        """Under the list's address."""
        return str(obj.address)
