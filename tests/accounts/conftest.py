"""Who administers, and the pages for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Domain
from tests.factories import make_account, make_domain

SECRET = "zhejiang"
"""Part of every name in the other domain: it must not show up anywhere."""


@pytest.fixture
def urlconf(settings: Any) -> None:
    """The real pages around the administration are another layer's."""
    settings.ROOT_URLCONF = "tests.accounts.urlconf"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith(("webmail.", "whitenoise."))]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    options = settings.TEMPLATES[0]["OPTIONS"]
    kept = [name for name in options["context_processors"] if not name.startswith(("webmail.", "whitenoise."))]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {**options, "context_processors": kept}}]
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def domain() -> Domain:
    return make_domain("example.test", title="Example")


@pytest.fixture
def boss(domain: Domain) -> Account:
    return make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)


@pytest.fixture
def operator() -> Account:
    return make_account("root@operators.test", role=Account.Role.OPERATOR)


@pytest.fixture
def browser(boss: Account) -> Client:
    return browser_of(boss)


def browser_of(account: Account) -> Client:
    """Signed in."""
    client = Client()
    client.force_login(account)
    return client
