"""Administration pages, one file per subject; importing registers them."""

from django.contrib import admin
from django.contrib.auth.models import Group as PermissionGroup

from accounts.admin import (
    accounts,
    addresses,
    departments,
    domains,
    events,
    grants,
    groups,
    programs,
    rights,
)

__all__ = ["accounts", "addresses", "departments", "domains", "events", "grants", "groups", "programs", "rights"]

admin.site.unregister(PermissionGroup)  # Django's groups of permissions mean nothing here
