"""The base of administration pages that only show: rows that the service itself makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _, pgettext

from accounts.admin_base import ScopedAdmin
from accounts.event_words import SYSTEM
from accounts.rows import Named
from accounts.selectors import named
from core.times import moment

COUNTED_MAX = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than one past COUNTED_MAX: there can be millions of rows, and nobody leafs to the last."""

    @cached_property
    def count(self) -> int:
        """How many can be leafed through."""
        rows: Any = self.object_list
        return int(rows.order_by()[: COUNTED_MAX + 1].count())


class FactsAdmin(ScopedAdmin):
    """Listed, searched, looked at and exported. Nobody adds or changes any; they can be taken away only where `destroy`
    says what that means."""

    paginator = BoundedPaginator
    people: ClassVar[tuple[str, ...]] = ()
    """Fields that hold addresses whose names `person_of` shows."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Says when there are more rows than it counts, and knows the names on its page."""
        found = super().get_changelist_instance(request)
        if self.people:
            name_people(found.result_list, self.people)
        if request.method == "GET" and found.result_count > COUNTED_MAX:
            text = _("There are more than %(count)s rows. Search or filter to see those that are not listed.")
            messages.info(request, text % {"count": f"{COUNTED_MAX:,}"})
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With its names."""
        found = super().get_object(request, object_id, from_field)
        if self.people and found is not None:
            name_people([found], self.people)
        return found

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


def moment_text(us: int | None) -> str:
    """A moment in microseconds as lists and forms write moments, in the reader's zone; empty for none."""
    return date_format(localtime(moment(us)), "DATETIME_FORMAT") if us else ""


def moment_of(name: str, description: Any) -> Callable[[Any, Any], str]:
    """A column that shows the field `name`, in microseconds, as a moment; empty for 0."""

    @admin.display(description=description, ordering=name)
    def column(_page: Any, row: Any) -> str:
        return moment_text(getattr(row, name))

    return column


def name_people(rows: Iterable[Any], fields: Sequence[str]) -> None:
    """Look up who has the addresses in `fields`, in the domains of the rows alone; one query for all."""
    rows = list(rows)
    addresses = {each for row in rows for field in fields for each in str(getattr(row, field)).split(", ")}
    domains = {row.domain_id for row in rows if row.domain_id is not None}
    names = named(sorted(addresses), domains, hidden=True)
    for row in rows:
        row.people_named = names


def person(address: str, names: Mapping[str, Named]) -> str:
    """Name and department above the address; the address alone where nobody is known."""
    if address == SYSTEM:
        return pgettext("actor", "System")
    found = names.get(address.lower())
    if found is None or not found.name:
        return address
    who = f"{found.name} · {found.department}" if found.department else found.name
    return format_html('<span class="person">{}<small>{}</small></span>', who, address)


def person_of(name: str, description: Any) -> Callable[[Any, Any], str]:
    """A column that shows who is behind the field `name`, which is one of `people` and may hold several addresses."""

    @admin.display(description=description, ordering=name)
    def column(_page: Any, row: Any) -> str:
        names = getattr(row, "people_named", {})
        return format_html_join("", "{}", ((person(each, names),) for each in str(getattr(row, name)).split(", ")))

    return column


def size_of(name: str) -> Callable[[Any, Any], str]:
    """A column that shows the field `name`, in bytes, as people read sizes."""

    @admin.display(description=_("size"), ordering=name)
    def column(_page: Any, row: Any) -> str:
        return format_html('<span class="whitespace-nowrap">{}</span>', filesizeformat(getattr(row, name)))

    return column
