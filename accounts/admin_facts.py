"""The base of administration pages that only show: rows that the service itself makes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import ScopedAdmin
from core.times import moment


class FactsAdmin(ScopedAdmin):
    """Listed, searched, looked at and exported. Nobody adds or changes any; they can be taken away only where `destroy`
    says what that means."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """As listed."""
        return self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of it."""
        return self.fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come by themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the class says."""
        return type(self).destroy is not ScopedAdmin.destroy and super().has_delete_permission(request, obj)


def moment_of(name: str, description: Any) -> Callable[[Any, Any], datetime.datetime | None]:
    """A column that shows the field `name`, in microseconds, as a moment; empty for 0."""

    @admin.display(description=description, ordering=name)
    def column(_page: Any, row: Any) -> datetime.datetime | None:
        return moment(us) if (us := getattr(row, name)) else None

    return column
