"""The tree of departments."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import ScopedAdmin, actor_of, domain_for
from accounts.models import Department
from accounts.services import create_department, delete_department, update_department


@admin.register(Department)
class DepartmentAdmin(ScopedAdmin):
    """Made, moved, renamed; deleted when empty."""

    list_display = ("name", "parent", "domain", "position", "is_hidden")
    list_filter = ("domain", "is_hidden")
    search_fields = ("name", "parent__name")
    fields = ("domain", "name", "parent", "position", "is_hidden")
    autocomplete_fields = ("domain", "parent")
    export_columns = ("name", "parent__name", "domain", "position", "is_hidden")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the list shows."""
        return super().get_queryset(request).select_related("parent", "domain")

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Department:
        """Below its parent."""
        given = {name: getattr(obj, name) for name in ("parent", "position", "is_hidden")}
        return create_department(domain_for(request, obj), obj.name, **given, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Rename or move."""
        update_department(obj, **changes, actor=actor_of(request))

    def recorded_as(self, obj: Any) -> str:
        """The address that its record is about."""
        return str(obj.domain.name)

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Only an empty one."""
        delete_department(obj, actor=actor_of(request))
