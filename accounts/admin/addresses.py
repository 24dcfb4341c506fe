"""Every address of a domain, and aliases beside their account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _, gettext_lazy
from unfold.admin import TabularInline

from accounts.admin_base import ScopedAdmin, ServiceForm, actor_of
from accounts.forms import sentences
from accounts.models import Address
from accounts.services import add_alias, remove_alias
from accounts.services.addresses import address_in
from core.errors import MailError


class AliasForm(forms.ModelForm):  # type: ignore[type-arg]
    """The address is made whole in the account's domain before anybody looks whether it is taken."""

    class Meta:
        model = Address
        fields = ("address",)

    def clean_address(self) -> str:
        """A local part or an address of the own domain; other domains are refused unseen."""
        text = str(self.cleaned_data["address"])
        if self.instance.pk:
            return str(self.instance.address)
        try:
            return address_in(self.instance.account.domain, text) if self.instance.account_id else text
        except MailError as error:
            raise ValidationError(sentences(error)) from None


class AliasFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """Adds and removes; an alias is never changed into another."""

    def _construct_form(self, i: int, **kwargs: Any) -> AliasForm:
        form: AliasForm = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        form.instance.account = self.instance
        form.instance.domain = self.instance.domain
        form.fields["address"].disabled = form.instance.pk is not None
        return form

    def save(self, commit: bool = True) -> list[Address]:
        """Through the services, as whoever asks."""
        actor = self.actor  # type: ignore[attr-defined]
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        for form in self.deleted_forms:
            if form.instance.pk:
                remove_alias(self.instance, form.instance.address, actor=actor)
                self.deleted_objects.append(form.instance)
        for form in self.extra_forms:
            if form.has_changed() and form not in self.deleted_forms:
                self.new_objects.append(add_alias(self.instance, form.cleaned_data["address"], actor=actor))
        return self.new_objects

    def save_m2m(self) -> None:
        """Nothing is many to many."""


class AliasInline(TabularInline):
    """An account's other addresses."""

    model = Address
    form = AliasForm
    formset = AliasFormSet
    extra = 0
    verbose_name = gettext_lazy("alias")
    verbose_name_plural = gettext_lazy("aliases")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Not the account's own address."""
        return super().get_queryset(request).filter(is_alias=True)  # type: ignore[no-any-return]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset knows who asks."""
        formset = super().get_formset(request, obj, **kwargs)
        return type("AliasFormSet", (formset,), {"actor": actor_of(request)})


class AddressForm(ServiceForm):
    """As AliasForm, with the account chosen here."""

    class Meta:
        model = Address
        fields = ("account", "address")

    def clean(self) -> dict[str, Any] | None:
        """Whole before it is compared."""
        cleaned = super().clean() or self.cleaned_data
        account = cleaned.get("account")
        if account is None:
            self.add_error("account", _("This field is required."))
        elif "address" in cleaned:
            try:
                cleaned["address"] = address_in(account.domain, cleaned["address"])
            except MailError as error:
                self.add_error("address", sentences(error))
        return cleaned


@admin.register(Address)
class AddressAdmin(ScopedAdmin):
    """Looks up what an address means; adds and removes aliases."""

    form = AddressForm
    list_display = ("address", "account", "group", "is_alias", "domain")
    list_filter = ("is_alias", ("domain", admin.RelatedOnlyFieldListFilter))
    search_fields = ("address", "account__name", "group__name")
    autocomplete_fields = ("account",)
    fields = ("account", "address")
    list_select_related = ("account", "group", "domain")
    export_columns = ("address", "account", "group", "is_alias")

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Address:
        """An alias."""
        return add_alias(form.cleaned_data["account"], form.cleaned_data["address"], actor=actor_of(request))

    def recorded_as(self, obj: Any) -> str:
        """The address that its record is about."""
        return str((obj.account or obj).address)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """An alias; other addresses go with what they belong to."""
        if obj.account is not None:
            remove_alias(obj.account, obj.address, actor=actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removed and added instead."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Aliases only."""
        alias = not isinstance(obj, Address) or (obj.is_alias and obj.account_id is not None)
        return super().has_delete_permission(request, obj) and alias
