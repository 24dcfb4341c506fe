"""The quarantine of a domain, for its administrators: what lies there and why, let out or thrown away, recorded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _, ngettext

from accounts.admin_base import DOMAIN_OF, actor_of
from accounts.admin_facts import FactsAdmin, size_of
from accounts.admin_site import PAGES, Section
from mta.models import QuarantinedMail
from mta.quarantine.services import delete_for, release_for
from mta.spam.finding import decode
from mta.spam.told import told

DOMAIN_OF.update({QuarantinedMail: "domain"})
PAGES += [(Section.SAFETY, "mta_quarantinedmail", _("Quarantine"), "gpp_maybe")]


@admin.register(QuarantinedMail)
class QuarantinedMailAdmin(FactsAdmin):
    """Held mail alone: what was released or deleted is in the log."""

    list_display = ("subject", "sender_address", "account", "kind", "shown_size", "received_at", "expires_at", "domain")
    list_filter = ("kind",)
    list_select_related = ("domain", "account")
    search_fields = ("subject", "sender_address", "envelope_from", "account__address")
    date_hierarchy = "received_at"
    fields = (
        "subject",
        "sender_address",
        "envelope_from",
        "account",
        "kind",
        "shown_size",
        "received_at",
        "expires_at",
        "reasons",
    )
    export_columns = ("subject", "sender_address", "account", "kind", "size", "received_at", "expires_at")
    actions = ("release_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """In scope, and still there."""
        return super().get_queryset(request).filter(state=QuarantinedMail.State.HELD)

    shown_size = size_of("size")

    @admin.display(description=_("reasons"))
    def reasons(self, mail: QuarantinedMail) -> str:
        """One line each."""
        lines = told(decode(mail.judgement))
        return format_html_join("", "<div>{} {}</div>", ((each.words, each.points) for each in lines))

    @admin.action(description=_("Release into the mailbox"))
    def release_selected(self, request: HttpRequest, queryset: QuerySet[QuarantinedMail]) -> None:
        """Viruses too: an administrator who chooses one is believed to know."""
        count = sum(release_for(mail, actor=actor_of(request)) for mail in queryset)
        text = ngettext("%d mail released", "%d mails released", count) % count
        self.message_user(request, text, messages.SUCCESS)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        delete_for(obj, actor=actor_of(request))
