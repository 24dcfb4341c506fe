"""Accounts: people, shared mailboxes, and the system's own (which are only looked at)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _, ngettext
from unfold.decorators import action

from accounts.addressing import canonical_local_part
from accounts.admin.addresses import AliasInline
from accounts.admin_base import ScopedAdmin, ServiceForm, actor_of, domain_for
from accounts.forms import (
    MebibyteField,
    NewPassword,
    SetPasswordForm,
    TimeZoneField,
    password_field,
)
from accounts.models import Account
from accounts.services import (
    create_account,
    erase_account,
    restore_account,
    set_password,
    suspend_account,
    update_account,
)
from accounts.steps import losses_of_account
from core.errors import MailError

PROFILE = ("department", "title", "kind", "role", "language", "time_zone", "quota_bytes", "valid_until", "is_hidden")


class AccountForm(ServiceForm):
    """Only an operator may make operators, and system accounts come with their domain."""

    quota_bytes = MebibyteField(label=_("mailbox space (MB)"), required=False)
    time_zone = TimeZoneField(label=_("time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not actor_of(self.request).is_superuser:
            self._leave_out("role", Account.Role.OPERATOR)
        self._leave_out("kind", Account.Kind.SYSTEM)

    def _leave_out(self, name: str, value: str) -> None:
        if name in self.fields:
            choices = self.fields[name].choices  # type: ignore[attr-defined]
            kept = [choice for choice in choices if choice[0] != value]
            self.fields[name].choices = kept  # type: ignore[attr-defined]


class NewAccountForm(AccountForm, NewPassword):
    """With a first password; a shared mailbox can do without."""

    password1 = password_field(_("Password"), required=False)
    password2 = password_field(_("Password again"), required=False)

    def clean_local_part(self) -> str:
        """In canonical form, or said to be impossible."""
        try:
            return canonical_local_part(self.cleaned_data["local_part"])
        except MailError:
            self.add_error("local_part", _("Use letters, digits, dots, hyphens and underscores."))
            return ""

    def clean(self) -> dict[str, Any]:
        """The password is judged knowing the name."""
        cleaned = super().clean() or self.cleaned_data
        shared = cleaned.get("kind") == Account.Kind.SHARED
        if not (shared and not cleaned.get("password1") and not cleaned.get("password2")):
            local_part = str(cleaned.get("local_part") or "")
            self.checked(Account(address=local_part, name=str(cleaned.get("name") or "")))
        return cleaned


@admin.register(Account)
class AccountAdmin(ScopedAdmin):
    """Everything about who has mail here."""

    form = AccountForm
    list_display = ("address", "name", "department", "domain", "kind", "role", "status", "created_at")
    list_filter = (
        ("domain", admin.RelatedOnlyFieldListFilter),
        "status",
        "role",
        "kind",
        ("department", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("address", "name", "title", "addresses__address")
    autocomplete_fields = ("domain", "department")
    readonly_fields = ("address", "status", "created_at", "last_login")
    inlines = (AliasInline,)
    actions = ("suspend", "restore")
    actions_detail = ("password",)
    export_columns = (
        "address",
        "name",
        "title",
        "department__name",
        "kind",
        "role",
        "status",
        "quota_bytes",
        "created_at",
    )
    add_fieldsets = (
        (None, {"fields": ("domain", "local_part", "name", "password1", "password2")}),
        (_("Details"), {"fields": PROFILE}),
    )
    fieldsets = (
        (None, {"fields": ("address", "name", "status", "created_at", "last_login")}),
        (_("Details"), {"fields": PROFILE}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the list shows."""
        return super().get_queryset(request).select_related("domain", "department")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Completion offers whoever can still be chosen."""
        if request.path.endswith("/autocomplete/"):
            queryset = queryset.filter(status=Account.Status.ACTIVE).exclude(kind=Account.Kind.SYSTEM)
        return super().get_search_results(request, queryset, search_term)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the domain when there is only one."""
        chosen = self.fieldsets if obj else self.add_fieldsets
        if actor_of(request).is_superuser:
            return chosen
        return tuple(
            (title, {"fields": tuple(f for f in options["fields"] if f != "domain")}) for title, options in chosen
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those of the fieldsets."""
        return [name for _title, options in self.get_fieldsets(request, obj) for name in options["fields"]]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A new account has a name and a password to be given."""
        if obj is None:
            kwargs["form"] = NewAccountForm
        return super().get_form(request, obj, change, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the domain says about new accounts."""
        domain = actor_of(request).domain
        initial = {
            "language": domain.language,
            "time_zone": domain.time_zone,
            "quota_bytes": domain.default_quota_bytes,
        }
        return initial | dict(super().get_changeform_initial_data(request))

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Aliases come after the account."""
        return self.inlines if obj is not None and obj.status != Account.Status.ERASED else ()

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Account:
        """With address, mailbox and password."""
        profile = {name: form.cleaned_data[name] for name in PROFILE}
        return create_account(
            domain_for(request, obj),
            obj.local_part,
            name=obj.name,
            password=form.cleaned_data["password1"] or None,
            actor=actor_of(request),
            **profile,
        )

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """An empty quota keeps what was."""
        if changes.get("quota_bytes", 0) is None:
            del changes["quota_bytes"]
        update_account(obj, **changes, actor=actor_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With what goes with each."""
        _names, *others = super().get_deleted_objects(objs, request)
        return ([part for each in objs for part in (str(each), losses_of_account(each)) if part], *others)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Erased: addresses and secrets go, the name stays reserved."""
        erase_account(obj, actor=actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """System and erased accounts are only looked at; an operator's is changed by operators."""
        if not super().has_change_permission(request, obj):
            return False
        if not isinstance(obj, Account):
            return True
        lives = obj.kind != Account.Kind.SYSTEM and obj.status != Account.Status.ERASED
        return lives and (actor_of(request).is_superuser or not obj.is_operator)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As changing; and nobody erases himself."""
        own = isinstance(obj, Account) and obj.pk == actor_of(request).pk
        return self.has_change_permission(request, obj) and not own

    @admin.action(description=_("Suspend selected accounts"), permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        """They can't sign in; their mail is kept and still arrives."""
        for account in queryset:
            suspend_account(account, actor=actor_of(request))
        self._say_done(request, len(queryset))

    @admin.action(description=_("Let selected accounts sign in again"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        """Undo a suspension."""
        for account in queryset:
            restore_account(account, actor=actor_of(request))
        self._say_done(request, len(queryset))

    @action(description=_("Set password"), url_path="password", icon="key")
    def password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page of its own; one's own password is changed where the old one is asked for."""
        account = self.get_object(request, unquote(object_id))
        if account is None:
            raise Http404
        if account.pk == actor_of(request).pk:
            return redirect("admin:password_change")
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        form = SetPasswordForm(account, request.POST or None)
        if form.is_valid():
            set_password(account, form.cleaned_data["password1"], actor=actor_of(request))
            self.message_user(request, _("The password is set; all sessions of this account have ended."))
            return redirect("admin:accounts_account_change", account.pk)
        return self._password_page(request, account, form)

    def _password_page(self, request: HttpRequest, account: Account, form: SetPasswordForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Set password"),
            "subtitle": account.address,
            "opts": self.opts,
            "original": account,
            "form": form,
        }
        return TemplateResponse(request, "admin/auth/user/change_password.html", context)

    def _say_done(self, request: HttpRequest, count: int) -> None:
        text = ngettext("%(count)d account changed.", "%(count)d accounts changed.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)
