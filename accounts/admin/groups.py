"""Group addresses with their members."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin_base import (
    ScopedAdmin,
    ScopedRelations,
    ServiceForm,
    actor_of,
    domain_for,
)
from accounts.models import Group, GroupMember
from accounts.services import (
    add_member,
    create_group,
    delete_group,
    remove_member,
    update_group,
)
from accounts.services.groups import address_of
from accounts.steps import losses_of


class NewGroupForm(ServiceForm):
    """With the address that the group will have."""

    local_part = forms.CharField(
        label=_("address"), help_text=_("The part before @"), max_length=320, widget=UnfoldAdminTextInputWidget()
    )


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Exactly one of the three."""

    class Meta:
        model = GroupMember
        fields = ("account", "subgroup", "external")

    def clean(self) -> dict[str, Any]:
        """Said before the database says it."""
        cleaned = super().clean() or self.cleaned_data
        named = [name for name in ("account", "subgroup", "external") if cleaned.get(name)]
        if self.has_changed() and len(named) != 1:
            raise ValidationError(_("Choose one: an account, a group, or an external address."))
        return cleaned

    @property
    def member(self) -> Any:
        """What was chosen."""
        data = self.cleaned_data
        return data.get("account") or data.get("subgroup") or data.get("external")


class MemberFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """Adds and removes; a change is both."""

    def save(self, commit: bool = True) -> list[GroupMember]:
        """Through the services, as whoever asks."""
        actor = self.actor  # type: ignore[attr-defined]
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        for form in self.initial_forms:
            if form in self.deleted_forms or form.has_changed():
                remove_member(GroupMember.objects.get(pk=form.instance.pk), actor=actor)
                self.deleted_objects.append(form.instance)
        forms_here: list[Any] = self.forms
        for form in forms_here:
            if form.has_changed() and form not in self.deleted_forms and form.member:
                self.new_objects.append(add_member(self.instance, form.member, actor=actor))
        return self.new_objects

    def save_m2m(self) -> None:
        """Nothing is many to many."""


class MemberInline(ScopedRelations, TabularInline):
    """The members of a list."""

    model = GroupMember
    fk_name = "group"
    form = MemberForm
    formset = MemberFormSet
    fields = ("account", "subgroup", "external")
    autocomplete_fields = ("account", "subgroup")
    extra = 0
    tab = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset knows who asks."""
        formset = super().get_formset(request, obj, **kwargs)
        return type("MemberFormSet", (formset,), {"actor": actor_of(request)})


@admin.register(Group)
class GroupAdmin(ScopedAdmin):
    """all@, departments and lists."""

    list_display = ("name", "shown_address", "kind", "posting", "domain")
    list_filter = (("domain", admin.RelatedOnlyFieldListFilter), "kind", "posting")
    search_fields = ("name", "addresses__address")
    autocomplete_fields = ("domain", "department", "approver")
    inlines = (MemberInline,)
    export_columns = ("shown_address", "name", "kind", "posting", "department__name", "description")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the list shows."""
        rows = super().get_queryset(request).select_related("domain", "department")
        return rows.prefetch_related("addresses")

    @admin.display(description=_("address"))
    def shown_address(self, group: Group) -> str:
        """Its own address."""
        return next((row.address for row in group.addresses.all()), "")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The address is given once."""
        first = ("shown_address",) if obj else ("domain", "local_part")
        more = ("posters", "needs_approval", "approver")
        names = (*first, "name", "kind", "department", "posting", *more, "description")
        return [name for name in names if name != "domain" or actor_of(request).is_superuser]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """As `get_fields`."""
        return ("shown_address",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A new group needs an address."""
        if obj is None:
            kwargs["form"] = NewGroupForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Only lists have members of their own."""
        return self.inlines if obj is not None and obj.kind == Group.Kind.LIST else ()

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Group:
        """With its address."""
        names = ("name", "kind", "department", "posting", "posters", "needs_approval", "approver", "description")
        given = {name: form.cleaned_data[name] for name in names}
        domain = domain_for(request, obj)
        return create_group(domain, form.cleaned_data["local_part"], **given, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Everything but the address."""
        update_group(obj, **changes, actor=actor_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With what goes with each."""
        _names, *others = super().get_deleted_objects(objs, request)
        return ([part for group in objs for part in (str(group), losses_of(group)) if part], *others)

    def recorded_as(self, obj: Any) -> str:
        """The address that its record is about."""
        return str(address_of(obj))

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """With its address."""
        delete_group(obj, actor=actor_of(request))
