"""Texts of the administration's kit, which brings no Chinese of its own: named here, so that ours is found."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

KIT = (
    _("Select record"),
    _("Select value"),
    _("Type to search"),
    _("Run"),
    _("Go back"),
    _("Toggle password visibility"),
    _("This item will be deleted."),
    _("Submit"),
    _("Select all rows"),
    _("Reset filters"),
    _("Recent searches"),
    _("Previous"),
    _("No results matching your query"),
    _("No recent searches"),
    _("No data"),
    _("Next"),
    _("More actions"),
    _("Loading more results..."),
    _("General"),
    _("Filters"),
    _("Expand row"),
    _("Click to download"),
    _("Click to cancel"),
    _("Apply Filters"),
    _("All applications"),
    _("Add row"),
)
