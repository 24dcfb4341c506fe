"""Administration of approval: the rules of a domain, and the log of what was decided."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.db.models import ManyToManyField, QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy as _

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, actor_of, domain_for, visible
from accounts.admin_facts import FactsAdmin, moment_of, person_of, size_of
from accounts.admin_site import PAGES, Section
from accounts.forms import EXPLAINERS
from accounts.models import Account
from core.errors import ErrorKind, MailError
from mta.approval.rules import NAMED, create_rule, delete_rule, update_rule
from mta.models import Approval, ApprovalRule

DOMAIN_OF.update({ApprovalRule: "domain", Approval: "domain_id"})
PAGES += [
    (Section.REVIEW, "mta_approvalrule", _("Approval rules"), "rule"),
    (Section.REVIEW, "mta_approval", _("Approval log"), "fact_check"),
]
NAMED_SHOWN = 3


def explained(error: MailError) -> str | None:
    """Whose mail a rule can't be about."""
    if error.kind is not ErrorKind.INVALID or error.data.get("field") != "authors":
        return None
    if error.data.get("wrong") == "nobody":
        return gettext("Name at least one account or department, or choose everybody.")
    return gettext("Accounts or departments are named, so it can't be everybody: choose those, or empty both lists.")


EXPLAINERS.append(explained)


class CheckedMultiple(AutocompleteSelectMultiple):
    """Only ids are looked up when a refused form is drawn again."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """The chosen rows, when they can be some."""
        return super().optgroups(name, [text for text in value if str(text).isdecimal() and len(str(text)) < 18], attr)


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(ScopedAdmin):
    """Whose mail, which of it, who decides, by when."""

    list_display = ("name", "domain", "is_active", "position", "whose", "direction", "approver", "on_deadline")
    list_filter = ("is_active", "direction")
    list_select_related = ("domain", "approver")
    search_fields = ("name", "approver__address", "domain__name")
    autocomplete_fields = ("domain", "approver", "substitute")
    fields = (
        *("domain", "name", "position", "is_active", "authors", "accounts", "departments", "exceptions", "direction"),
        *("recipient_domains", "keywords", "file_types", "min_size_kb", "min_recipients", "approver", "substitute"),
        *("remind_after_h", "deadline_h", "on_deadline"),
    )
    export_columns = (
        *("name", "domain", "is_active", "whose", "direction", "keywords", "file_types", "approver", "substitute"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With those whom they name."""
        return super().get_queryset(request).prefetch_related("accounts", "departments")

    @admin.display(description=_("whose mail"))
    def whose(self, row: ApprovalRule) -> str:
        """Everybody's, or some names; a rule that speaks of nobody any more says so."""
        if row.authors == ApprovalRule.Authors.ALL:
            return str(ApprovalRule.Authors.ALL.label)
        people = [each for each in row.accounts.all() if each.status != Account.Status.ERASED]
        names = [*(each.name or each.address for each in people), *(each.name for each in row.departments.all())]
        if not names:
            return gettext("Nobody: all who were named are gone")
        more = len(names) - NAMED_SHOWN
        return ", ".join(names[:NAMED_SHOWN]) + (f" (+{more})" if more > 0 else "")

    def formfield_for_manytomany(self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Of the reader's own domain."""
        kwargs["queryset"] = visible(db_field.remote_field.model._default_manager.all(), actor_of(request))
        kwargs["widget"] = CheckedMultiple(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def recorded_as(self, obj: Any) -> str:
        """The domain, under which rules are recorded."""
        return str(obj.domain.name)

    def create(self, request: HttpRequest, obj: Any, form: BaseModelForm[Any]) -> Any:
        """Through the service."""
        given = {name: value for name, value in form.cleaned_data.items() if name != "domain"}
        return create_rule(domain_for(request, obj), actor=actor_of(request), **given)

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service, which compares with what is stored."""
        if changes.keys() & set(NAMED):
            changes.setdefault("authors", obj.authors)  # as the page shows it: who is taken out is not everybody
        update_rule(ApprovalRule.objects.get(pk=obj.pk), actor=actor_of(request), **changes)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        delete_rule(obj, actor=actor_of(request))


@admin.register(Approval)
class ApprovalAdmin(FactsAdmin):
    """To look at: who decided what, when."""

    list_display = ("author", "to", "subject", "sent", "decided", "decider", "state")
    list_filter = ("state",)
    search_fields = ("sender", "recipients", "approver", "subject")
    ordering = ("-requested_us", "-id")
    people = ("sender", "recipients", "approver")
    fields = (
        *("author", "to", "recipient_count", "subject", "shown_size", "rule_name", "sent", "decided"),
        *("decider", "state", "comment"),
    )
    export_columns = ("sender", "recipients", "subject", "size_bytes", "approver", "state", "comment")

    author = person_of("sender", _("sender"))
    to = person_of("recipients", _("recipients"))
    decider = person_of("approver", _("approver"))
    shown_size = size_of("size_bytes")
    sent = moment_of("requested_us", _("sent"))
    decided = moment_of("decided_us", _("decided"))
