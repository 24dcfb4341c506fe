"""What a watchdog is told, through all middleware."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from accounts.domain_names import _names
from core import redis as core_redis

NOBODY = {"smtp": False, "imap": False, "pop3": False}


@pytest.fixture(autouse=True)
def no_servers(settings: Any) -> None:
    """Ports that nobody listens on (1 needs root, and is tcpmux)."""
    settings.MX_PORT = settings.IMAP_PORT = settings.POP3_PORT = 1


@pytest.fixture
def no_redis(settings: Any, tmp_path: Any) -> Any:
    """A socket that nobody listens on."""
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    core_redis.client.cache_clear()
    yield
    core_redis.client.cache_clear()


def broken(*_: Any, **__: Any) -> Any:
    """A database that doesn't answer."""
    raise OperationalError("unable to open database file")


@pytest.mark.django_db
def test_without_redis_mail_flows_so_that_is_told_but_no_failure(client: Client, no_redis: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "redis": False} | NOBODY


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["localhost", "webmail.example.test", "10.0.0.7:8000"])
def test_without_its_database_it_can_not_serve(client: Client, no_redis: None, host: str) -> None:
    _names.forget()
    with connection.execute_wrapper(broken):
        answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == 503
    assert answer.json() == {"database": False, "redis": False} | NOBODY


@pytest.mark.django_db
def test_it_tells_which_servers_listen(client: Client, no_redis: None, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as imap:
        settings.IMAP_PORT = imap.getsockname()[1]
        assert client.get("/healthz").json() == {"database": True, "redis": False} | NOBODY | {"imap": True}


@pytest.mark.django_db
def test_the_answer_is_never_kept(client: Client, no_redis: None) -> None:
    assert "no-store" in client.get("/healthz")["Cache-Control"]


@pytest.mark.django_db
def test_it_needs_no_sign_in_and_writes_nothing(client: Client, no_redis: None) -> None:
    assert client.post("/healthz").status_code == 405
    assert client.get("/healthz").cookies == {}
