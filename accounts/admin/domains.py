"""Domains and their other names."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.addressing import display_domain
from accounts.admin_base import ScopedAdmin, ServiceForm, actor_of
from accounts.forms import MebibyteField, TimeZoneField
from accounts.models import Account, Domain, DomainAlias
from accounts.models.domains import MEBIBYTE
from accounts.services import (
    add_domain_alias,
    create_domain,
    remove_domain_alias,
    set_catch_all,
    update_domain,
)
from accounts.services.domains import OPERATORS_FIELDS

NEW_FIELDS = ("name", "title", "brand_colour", "language", "time_zone")


class DomainForm(ServiceForm):
    """Sizes in MB; the catch-all is one of the domain's own mailboxes."""

    default_quota_bytes = MebibyteField(label=_("mailbox space of a new account (MB)"), required=False)
    message_max_bytes = MebibyteField(label=_("largest message (MB)"), required=False)
    time_zone = TimeZoneField(label=_("time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not actor_of(self.request).is_superuser:
            for name in OPERATORS_FIELDS & self.fields.keys():
                del self.fields[name]
        if "catch_all" in self.fields:
            choices = Account.objects.filter(domain=self.instance.pk, status=Account.Status.ACTIVE)
            self.fields["catch_all"].queryset = choices  # type: ignore[attr-defined]


@admin.register(Domain)
class DomainAdmin(ScopedAdmin):
    """Operators make domains; each domain's administrator keeps his own."""

    form = DomainForm
    list_display = ("shown_name", "title", "accounts_count", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "title", "aliases__name")
    export_columns = ("name", "title", "is_active", "language", "time_zone", "created_at")
    fieldsets: Any = (
        (None, {"fields": ("name", "title", "brand_colour", "language", "time_zone", "is_active")}),
        (_("Mail"), {"fields": ("catch_all", "message_max_bytes", "max_recipients")}),
        (_("Deleted mail"), {"fields": ("recovery_days", "empty_trash_days", "empty_junk_days")}),
        (
            _("Limits"),
            {"fields": ("default_quota_bytes", "max_aliases", "max_folders", "max_folder_depth", "max_labels")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of accounts that people use."""
        used = Q(accounts__status=Account.Status.ACTIVE) & ~Q(accounts__kind=Account.Kind.SYSTEM)
        rows = super().get_queryset(request).annotate(used_accounts=Count("accounts", filter=used))
        return rows.order_by("name")  # type: ignore[no-any-return]

    @admin.display(description=_("domain"), ordering="name")
    def shown_name(self, domain: Domain) -> str:
        """In its own script."""
        return display_domain(domain.name)

    @admin.display(description=_("accounts"), ordering="used_accounts")
    def accounts_count(self, domain: Domain) -> int:
        """People and shared mailboxes."""
        return int(domain.used_accounts)  # type: ignore[attr-defined]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new domain takes its limits from the defaults; who can't change a size reads it in MB."""
        if obj is None:
            return ((None, {"fields": NEW_FIELDS}),)
        if actor_of(request).is_superuser:
            return self.fieldsets
        return tuple((title, {"fields": tuple(map(_to_read, options["fields"]))}) for title, options in self.fieldsets)

    @admin.display(description=_("mailbox space of a new account (MB)"))
    def default_quota_mb(self, domain: Domain) -> int:
        """To read."""
        return domain.default_quota_bytes // MEBIBYTE

    @admin.display(description=_("largest message (MB)"))
    def message_max_mb(self, domain: Domain) -> int:
        """To read."""
        return domain.message_max_bytes // MEBIBYTE

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those of the fieldsets."""
        return [name for _title, options in self.get_fieldsets(request, obj) for name in options["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A name never changes; what is sold is the operator's."""
        if obj is None:
            return ()
        return ("name",) if actor_of(request).is_superuser else ("name", *map(_to_read, OPERATORS_FIELDS))

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Domain:
        """With its system account, postmaster@ and all@."""
        return create_domain(**{name: form.cleaned_data[name] for name in NEW_FIELDS}, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """The catch-all is a step of its own."""
        if "catch_all" in changes:
            set_catch_all(obj, changes.pop("catch_all"), actor=actor_of(request))
        update_domain(obj, **changes, actor=actor_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators."""
        return super().has_add_permission(request) and actor_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a domain with mail is suspended, not deleted."""
        return False


def _to_read(field: str) -> str:
    return field.replace("_bytes", "_mb")


@admin.register(DomainAlias)
class DomainAliasAdmin(ScopedAdmin):
    """Other names; operators see to it that a name belongs to who asks for it."""

    operators_only = True
    list_display = ("name", "domain")
    search_fields = ("name", "domain__name")
    export_columns = ("name", "domain")
    list_select_related = ("domain",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Both, always: the domain is what it is about."""
        return ("name", "domain")

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        """As `get_fields`."""
        return ()

    def create(self, request: HttpRequest, obj: Any, form: Any) -> DomainAlias:
        """Its name is free everywhere or refused."""
        return add_domain_alias(obj.domain, obj.name, actor=actor_of(request))

    def recorded_as(self, obj: Any) -> str:
        """The domain that its record is about."""
        return str(obj.domain.name)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Mail to it is refused from now on."""
        remove_domain_alias(obj, actor=actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Taken away and made again instead."""
        return False
