"""Django's admin with our site (named in INSTALLED_APPS, so it must not import models)."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class GlobalmailAdminConfig(AdminConfig):
    default_site = "accounts.admin_site.Site"
