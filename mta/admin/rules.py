"""Administration of what recipients have ruled: filters and their runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, actor_of
from accounts.admin_site import PAGES, Section
from accounts.forms import EXPLAINERS
from core.errors import ErrorKind, MailError
from core.times import moment
from mta.admin.filter_lines import FilterForm, FilterRunForm, Names
from mta.models import Filter, FilterRun
from mta.rules.terms import actions_of, conditions_of
from mta.rules.words import action_words, condition_words, explained
from mta.services.filter_runs import cancel_run, start_run
from mta.services.filters import create_filter, delete_filter, troubles_of, update_filter

DOMAIN_OF.update({Filter: "account__domain", FilterRun: "account__domain"})
PAGES += [
    (Section.RULES, "mta_filter", pgettext_lazy("of mail", "Filters"), "filter_alt"),
    (Section.RULES, "mta_filterrun", _("Runs of filters"), "play_circle"),
]
EXPLAINERS.append(explained)

TROUBLES = {
    "folder": _("The folder is gone: mail stays in the inbox."),
    "label": _("The label is gone."),
    "form": _("The filter can't be read."),
}

RUN_TROUBLES = {
    ErrorKind.NO_PERMISSION.value: _("Mail can't be moved into the folder that a filter names, or out of this one."),
    ErrorKind.OVER_QUOTA.value: _("The mailbox is full."),
}


class OfAccount(ScopedAdmin):
    """Rows that belong to one account and stay with it."""

    list_select_related: tuple[str, ...] = ("account__domain",)
    autocomplete_fields: tuple[str, ...] = ("account",)

    def recorded_as(self, obj: Any) -> str:
        """The account's address."""
        return str(obj.account.address)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is stays."""
        fixed = tuple(super().get_readonly_fields(request, obj))
        return ("account", *fixed) if obj else fixed


@admin.register(Filter)
class FilterAdmin(OfAccount):
    """Of every account of the domain."""

    form = FilterForm
    list_display = ("name", "account", "position", "is_active", "asks", "does", "troubles")
    list_filter = ("is_active",)
    search_fields = ("name", "account__address")
    fields = ("account", "name", "position", "is_active", "joined", "conditions", "actions", "stops")
    export_columns = ("account", "name", "position", "is_active", "joined", "conditions", "actions", "stops")

    @admin.display(description=_("conditions"))
    def asks(self, row: Filter) -> str:
        """In words."""
        try:
            return "; ".join(map(condition_words, conditions_of(row.conditions)))
        except MailError:
            return "?"

    @admin.display(description=_("actions"))
    def does(self, row: Filter) -> str:
        """In words."""
        try:
            return "; ".join(map(action_words, actions_of(row.actions)))
        except MailError:
            return "?"

    @admin.display(description=_("problems"))
    def troubles(self, row: Filter) -> str:
        """What no longer works."""
        return " ".join(str(TROUBLES[each]) for each in troubles_of(row))

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Filter:
        """Through the service."""
        names = ("position", "is_active", "joined", "stops")
        more = {name: form.cleaned_data[name] for name in names if name in form.changed_data}
        return create_filter(
            obj.account, obj.name, conditions=obj.conditions, actions=obj.actions, actor=actor_of(request), **more
        )

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        update_filter(Filter.objects.get(pk=obj.pk), actor=actor_of(request), **changes)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        delete_filter(obj, actor=actor_of(request))


@admin.register(FilterRun)
class FilterRunAdmin(OfAccount):
    """Started here, watched, stopped by deleting."""

    form = FilterRunForm
    list_display = ("account", "created_at", "state", "progress", "matched", "trouble")
    list_filter = ("state",)
    search_fields = ("account__address",)
    fields = ("account", "folder", "filters")
    export_columns = ("account", "created_at", "state", "total", "seen", "matched")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What was started is looked at by other names than what is to be started."""
        shown = ("account", "folder", "names", "created_at", "state", "progress", "matched", "trouble")
        return shown if obj else super().get_fields(request, obj)

    @admin.display(description=_("folder"))
    def folder(self, row: FilterRun) -> str:
        """Where it works."""
        return Names(row.account).folder(row.folder_id)

    @admin.display(description=pgettext_lazy("of mail", "Filters"))
    def names(self, row: FilterRun) -> str:
        """Those that are still there."""
        found = Filter.objects.filter(pk__in=row.filters, account=row.account_id)
        return "; ".join(found.order_by("position", "pk").values_list("name", flat=True))

    @admin.display(description=_("progress"))
    def progress(self, row: FilterRun) -> str:
        """How far it is."""
        return gettext("%(seen)d of %(total)d") % {"seen": row.seen, "total": max(row.seen, row.total)}

    @admin.display(description=_("problems"))
    def trouble(self, row: FilterRun) -> str:
        """Why it does not come on, and when it is tried again."""
        if not row.error:
            return ""
        why = str(RUN_TROUBLES.get(row.error, _("A mistake of the system; the log of the worker says which.")))
        if row.state != FilterRun.State.WAITING:
            return why
        at = formats.date_format(timezone.localtime(moment(row.claimed_until_us)), "SHORT_DATETIME_FORMAT")
        return gettext("%(why)s It is tried again at %(at)s.") % {"why": why, "at": at}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A run is as it was started."""
        return False

    def create(self, request: HttpRequest, obj: Any, form: Any) -> FilterRun:
        """Through the service; workers do the rest."""
        return start_run(obj.account, obj.folder_id, filter_ids=obj.filters or [], actor=actor_of(request))

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """It stops before its next slice, and is forgotten."""
        cancel_run(obj, actor=actor_of(request))
        obj.delete()
