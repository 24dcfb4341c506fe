"""The one base of all administration pages.

Scope: an operator sees everything, a domain's administrator the rows of his domain, everybody else nothing; that holds
for lists, related choices, completion, filters, actions, history and export, because all of them start from
`visible`. A row of another domain is 404. Writing goes through `accounts.services`; what they refuse is shown in
the form or as a message.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import BaseModelForm, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst

from accounts.admin_export import Exported
from accounts.admin_lists import QuickList
from accounts.forms import sentences
from accounts.models import (
    Account,
    AccountRights,
    Address,
    Credential,
    Department,
    Domain,
    DomainAlias,
    Group,
    GroupMember,
    MailboxGrant,
    ProgramRule,
)
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind

M = TypeVar("M", bound=Model)

DOMAIN_OF: dict[type[Model], str] = {
    Domain: "pk",
    DomainAlias: "domain",
    Department: "domain",
    Account: "domain",
    Address: "domain",
    Group: "domain",
    GroupMember: "group__domain",
    MailboxGrant: "owner__domain",
    Credential: "account__domain",
    ProgramRule: "domain",
    AccountRights: "account__domain",
    Event: "domain_id",
}
"""From a row to its domain. A model that isn't named here is invisible to all but operators."""

MAX_ID_DIGITS = 18


def actor_of(request: HttpRequest) -> Account:
    """The administrator who asks; admin_view has let nobody else in."""
    if not isinstance(request.user, Account) or not request.user.is_staff:
        raise PermissionDenied
    return request.user


def visible(rows: QuerySet[M], actor: Account) -> QuerySet[M]:
    """The rows of `actor`'s domain (all of them for an operator)."""
    if actor.is_superuser:
        return rows
    path = DOMAIN_OF.get(rows.model)
    return rows.filter(**{path: actor.domain_id}) if path else rows.none()


class CheckedAutocomplete(AutocompleteSelect):
    """Django looks up whatever was sent when it draws a refused form again; only ids are worth that."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """The chosen row, when it can be one."""
        return super().optgroups(name, [text for text in value if _is_id(str(text))], attr)


class ScopedRelations:
    """For pages and inlines: related choices come from the reader's own domain."""

    autocomplete_fields: Any
    admin_site: Any

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """What may be chosen is also what is accepted."""
        related = db_field.remote_field.model
        kwargs["queryset"] = visible(related._default_manager.all(), actor_of(request))
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = CheckedAutocomplete(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ServiceForm(ModelForm):  # type: ignore[type-arg]
    """Shows what a service refused at the field that it speaks of."""

    request: HttpRequest

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = capfirst(str(field.label or ""))  # as Django has it for fields that are not spelled out here

    def clean(self) -> dict[str, Any] | None:
        """Runs a second time after a refusal; see ScopedAdmin.changeform_view."""
        cleaned = super().clean()
        error = getattr(self.request, "mail_error", None)
        if isinstance(error, MailError):
            field = error.data.get("field")
            self.add_error(str(field) if field in self.fields else None, sentences(error))
        return cleaned


class ScopedAdmin(ScopedRelations, Exported, QuickList):
    """List, form, history and export of one model within the reader's scope."""

    form = ServiceForm
    list_per_page = 50
    show_full_result_count = False
    warn_unsaved_form = True
    operators_only = False
    """Only operators add, change and delete; administrators look."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The start of every page."""
        return visible(super().get_queryset(request), actor_of(request))

    def create(self, request: HttpRequest, obj: Any, form: BaseModelForm[Any]) -> Model:
        """Call the service that makes one; overridden by every model that can be added."""
        raise PermissionDenied

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Call the service that changes one."""
        raise PermissionDenied

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Call the service that deletes one."""
        raise PermissionDenied

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Through a service, never by saving the row."""
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
            self.update(request, obj, changes)
            return
        made = self.create(request, obj, form)
        obj.__dict__.update(made.__dict__)  # so that inlines, the log and the redirect know the new row

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Through a service."""
        self.destroy(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """One by one: every row has its own checks and its own record."""
        for obj in queryset:
            self.destroy(request, obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Only names: what hangs on a row is the service's business."""
        listed = [str(obj) for obj in objs]
        return listed, {str(self.opts.verbose_name_plural): len(listed)}, set(), []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows the request, for scope and for refusals."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        """A domain's administrator has one domain; it isn't asked for."""
        excluded = tuple(super().get_exclude(request, obj) or ())
        return excluded if actor_of(request).is_superuser else (*excluded, "domain")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """As `get_exclude`; and a row never moves to another domain."""
        hidden = {"domain"} if obj or not actor_of(request).is_superuser else set()
        return [name for name in super().get_fields(request, obj) if name not in hidden]

    def get_list_display(self, request: HttpRequest) -> Any:
        """The domain's column is worth its place to operators alone."""
        return self._without_domain(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> Any:
        """As `get_list_display`."""
        return self._without_domain(request, super().get_list_filter(request))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """A refusal of a service rolls back and shows the form again with what it says."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except MailError as error:
            _raise_unless_explainable(error)
            request.mail_error = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """A refusal inside an action becomes a message."""
        try:
            return super().changelist_view(request, extra_context)
        except MailError as error:
            return self._explained(request, error)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Only ids can be selected (Django takes whatever was sent to the database)."""
        if not all(_is_id(text) for text in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise Http404
        return super().response_action(request, queryset)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """As `changelist_view`."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except MailError as error:
            return self._explained(request, error)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The record knows more than this administration: acts of commands and of other pages are there too."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        query = urlencode({"kind__exact": Kind.ADMIN.value, "q": self.recorded_as(obj)})
        return redirect(f"{reverse('admin:logs_app_event_changelist')}?{query}")

    def recorded_as(self, obj: Any) -> str:
        """The `address` under which acts on a row are recorded."""
        return str(obj)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Recorded by the service."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Recorded by the service."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Recorded by the service."""

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Django redirects with a message; what isn't in scope simply doesn't exist."""
        raise Http404

    def _explained(self, request: HttpRequest, error: MailError) -> HttpResponse:
        _raise_unless_explainable(error)
        for sentence in sentences(error):
            self.message_user(request, sentence, messages.ERROR)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _without_domain(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        shown = actor_of(request).is_superuser
        return [name for name in names if shown or (name[0] if isinstance(name, tuple) else name) != "domain"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever administers something."""
        return _is_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows were scoped when they were read."""
        return _is_admin(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Unless the model is the operators'."""
        return self._may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Unless the model is the operators'."""
        return self._may_write(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Unless the model is the operators'."""
        return self._may_write(request)

    def _may_write(self, request: HttpRequest) -> bool:
        return _is_admin(request) and (not self.operators_only or actor_of(request).is_superuser)


def domain_for(request: HttpRequest, obj: Any) -> Domain:
    """The domain of a new row: chosen by an operator, otherwise the administrator's own."""
    actor = actor_of(request)
    return obj.domain if actor.is_superuser else actor.domain


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS


def _is_admin(request: HttpRequest) -> bool:
    return isinstance(request.user, Account) and request.user.is_staff


def _raise_unless_explainable(error: MailError) -> None:
    if error.kind is ErrorKind.NOT_FOUND and not error.data:
        raise Http404 from error
    if error.kind is ErrorKind.NO_PERMISSION:
        raise PermissionDenied from error
