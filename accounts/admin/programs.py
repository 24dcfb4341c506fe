"""Mail programs: their codes, and what they may do."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy as _

from accounts.admin_base import ScopedAdmin, actor_of, domain_for
from accounts.models import Credential, ProgramRule
from accounts.services import (
    create_client_code,
    remove_program_rule,
    revoke_client_code,
    set_program_rule,
)

RULED = ("imap", "pop3", "smtp", "networks")


@admin.register(Credential)
class ClientCodeAdmin(ScopedAdmin):
    """Made, shown once, taken back; the secrets themselves are on no page."""

    list_display = ("account", "label", "created_at", "last_used_at")
    search_fields = ("account__address", "account__name", "label")
    autocomplete_fields = ("account",)
    fields = ("account", "label")
    readonly_fields = ("created_at", "last_used_at")
    list_select_related = ("account",)
    export_columns = ("account", "label", "created_at", "last_used_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Not the passwords."""
        return super().get_queryset(request).filter(kind=Credential.Kind.CLIENT_CODE)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Credential:
        """The code is in the message on the next page, and nowhere else."""
        credential, code = create_client_code(obj.account, obj.label, actor=actor_of(request))
        text = gettext(
            "The code of %(account)s is %(code)s. It is shown only now; mail programs use it as the password."
        )
        self.message_user(request, text % {"account": obj.account.address, "code": code}, messages.WARNING)
        return credential

    def recorded_as(self, obj: Any) -> str:
        """The address that its record is about."""
        return str(obj.account.address)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Programs that use it are refused from now on."""
        revoke_client_code(obj.account, obj.pk, actor=actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Taken back and made again instead."""
        return False


@admin.register(ProgramRule)
class ProgramRuleAdmin(ScopedAdmin):
    """Of one account, or of everybody without a rule of his own."""

    list_display = ("applies_to", "domain", "imap", "pop3", "smtp", "networks")
    list_filter = (("domain", admin.RelatedOnlyFieldListFilter), "imap", "pop3", "smtp")
    search_fields = ("account__address", "account__name", "domain__name")
    autocomplete_fields = ("account", "domain")
    fields = ("domain", "account", *RULED)
    list_select_related = ("account", "domain")
    export_columns = ("account", "domain", *RULED)

    @admin.display(description=_("applies to"))
    def applies_to(self, rule: ProgramRule) -> str:
        """An address, or the whole domain."""
        return (
            rule.account.address if rule.account else gettext("everybody of %(domain)s") % {"domain": rule.domain.name}
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A rule stays with whom it was made for."""
        return ("account",) if obj else ()

    def create(self, request: HttpRequest, obj: Any, form: Any) -> ProgramRule:
        """For the account's domain, whatever else was chosen."""
        domain = obj.account.domain if obj.account else domain_for(request, obj)
        ruled = {name: form.cleaned_data[name] for name in RULED}
        return set_program_rule(domain, obj.account, **ruled, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """All of it is written, what changed is recorded."""
        ruled = {name: getattr(obj, name) for name in RULED} | changes
        set_program_rule(obj.domain, obj.account, **ruled, actor=actor_of(request))

    def recorded_as(self, obj: Any) -> str:
        """The address or domain that its record is about."""
        return str(obj)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """The domain's rule, or none, counts again."""
        remove_program_rule(obj, actor=actor_of(request))
