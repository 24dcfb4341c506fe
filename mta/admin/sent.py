"""Administration of sent mail: the log of deliveries (19.1.3 of the manual) for the domain, and an administrator's recall."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, gettext_lazy as _, ngettext
from unfold.decorators import action

from accounts.admin_base import DOMAIN_OF, actor_of
from accounts.admin_facts import FactsAdmin, moment_of, person_of
from accounts.admin_site import PAGES, Section
from core.errors import ErrorKind, MailError
from mta.models import OPEN, Delivery, Recall, RecallOutcome, Submission
from mta.selectors.deliveries import ON_HOLD, Outline, outlines
from mta.services.recall import recall_as_admin

DOMAIN_OF.update({Submission: "domain_id"})
PAGES += [(Section.SENDING, "mta_submission", _("Sent mail"), "outbox")]

SHOWN_MAX = 500


@admin.register(Submission)
class SubmissionAdmin(FactsAdmin):
    """To look at, newest first; what a policy lets administrators recall goes by a button."""

    list_display = ("sent", "author", "subject", "addressed", "states")
    list_display_links = ("sent", "subject")
    list_filter = ("origin",)
    search_fields = ("envelope_from", "subject", "deliveries__recipient")
    ordering = ("-created_us", "-id")
    people = ("envelope_from",)
    fields = ("sent", "author", "subject", "origin", "recipients", "recalls")
    export_columns = ("created_us", "envelope_from", "subject", "origin")
    actions_detail = ("recall",)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Knows how far the mails of its page have come."""
        found = super().get_changelist_instance(request)
        known = outlines([row.pk for row in found.result_list])
        for row in found.result_list:
            row.outline = known.get(row.pk, Outline())
        return found

    sent = moment_of("created_us", _("time"))
    author = person_of("envelope_from", _("sender"))

    @admin.display(description=_("recipients"))
    def addressed(self, row: Submission) -> str:
        """The first of them, and how many more."""
        outline: Outline = row.outline  # type: ignore[attr-defined]  # the list's
        more = outline.total - 1
        said = ngettext(" and %(n)d more", " and %(n)d more", more) % {"n": more} if more > 0 else ""
        return format_html("{}{}", outline.first, said)

    @admin.display(description=_("delivery status"))
    def states(self, row: Submission) -> str:
        """Each state that there is, and of how many where there are several recipients."""
        outline: Outline = row.outline  # type: ignore[attr-defined]  # the list's
        labels = {**dict(Delivery.State.choices), ON_HOLD: _("On hold")}
        one = outline.total == 1
        lines = ((labels[state], "" if one else f" {count:,}") for state, count in outline.counts.items())
        return format_html_join("", '<div class="whitespace-nowrap">{}{}</div>', lines)

    @admin.display(description=_("recipients"))
    def recipients(self, row: Submission) -> str:
        """Each with what its server said."""
        found = Delivery.objects.filter(submission=row).order_by("pk")[:SHOWN_MAX]
        lines = ((each.recipient, _state(each), f"{each.code} {each.text}".strip()) for each in found)
        return format_html_join("", "<div><b>{}</b> · {} <small>{}</small></div>", lines)

    @admin.display(description=_("recall"))
    def recalls(self, row: Submission) -> str:
        """What came of recalls."""
        found = RecallOutcome.objects.filter(recall__submission=row).order_by("pk")[:SHOWN_MAX]
        return format_html_join("", "<div>{} · {}</div>", ((each.address, each.get_result_display()) for each in found))

    @action(description=_("Recall, also where it was read"), url_path="recall", icon="undo")
    def recall(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Where the domain's mail policy lets administrators; recorded."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        title = _("Recall, also where it was read")
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "title": title, "subtitle": str(row), "opts": self.opts}
            return TemplateResponse(request, "admin/ask.html", context)
        try:
            recall_as_admin(row, actor_of(request))
        except MailError as error:
            self.message_user(request, _why_not(error), messages.ERROR)
        else:
            gone = RecallOutcome.objects.filter(recall=Recall.objects.filter(submission=row).latest("pk"))
            count = gone.filter(result=RecallOutcome.Result.RECALLED).count()
            said = ngettext("Taken out of %(n)d mailbox.", "Taken out of %(n)d mailboxes.", count) % {"n": count}
            self.message_user(request, said)
        return redirect("admin:mta_submission_change", object_id)


def _state(delivery: Delivery) -> str:
    return gettext("On hold") if delivery.on_hold and delivery.state in OPEN else delivery.get_state_display()


def _why_not(error: MailError) -> str:
    if error.kind is ErrorKind.NO_PERMISSION:
        return gettext("The domain's mail policy does not let administrators recall mail.")
    if error.kind is ErrorKind.IN_USE:
        return gettext("It has not been sent yet.")
    raise error
