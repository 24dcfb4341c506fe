"""A list of the administration as a spreadsheet reads it: CSV of the columns that its page names."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

MAX_EXPORT = 50_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell (OWASP, CSV injection)."""


class Exported:
    """For pages: an Export above the list. `export_columns` are fields, `a__b`, or methods of the page."""

    actions_list: ClassVar = ["export"]
    export_columns: ClassVar[tuple[str, ...]] = ()
    opts: Any
    has_view_permission: Any
    get_changelist_instance: Any

    @action(description=_("Export CSV"), url_path="export", icon="download")  # type: ignore[untyped-decorator]
    def export(self, request: HttpRequest) -> HttpResponse:
        """The list as it is filtered now, as a spreadsheet reads it; at most MAX_EXPORT rows."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset[:MAX_EXPORT]
        except IncorrectLookupParameters:
            return redirect(request.path)
        return self._csv(rows)

    def _csv(self, rows: Iterable[Any]) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        day = timezone.localdate().isoformat()
        response["Content-Disposition"] = f'attachment; filename="{self.opts.model_name}-{day}.csv"'
        response.write("\ufeff")  # without it spreadsheets take UTF-8 for the system's charset
        writer = csv.writer(response)
        writer.writerow([self._heading(column) for column in self.export_columns])
        writer.writerows([cell(self._exported(row, column)) for column in self.export_columns] for row in rows)
        return response

    def _heading(self, column: str) -> str:
        names = {field.name: getattr(field, "verbose_name", field.name) for field in self.opts.get_fields()}
        own = getattr(getattr(self, column, None), "short_description", None)
        if own is not None:
            return str(own)
        return str(names.get(column.partition("__")[0], column))

    def _exported(self, row: Any, column: str) -> object:
        """A column of the page's own before one of the row."""
        own = getattr(self, column, None)
        return own(row) if callable(own) else _value(row, column)


def cell(value: object) -> str:
    """A value as text that no spreadsheet runs."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _value(row: Any, column: str) -> object:
    """Follow `a__b`; call what can be called; choices by their label."""
    for name in column.split("__"):
        label = getattr(row, f"get_{name}_display", None)
        row = label() if label else getattr(row, name, None)
        row = row() if callable(row) else row
    return row
