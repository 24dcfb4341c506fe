"""`/metrics`: what was counted, how the queue stands, and for whom; and what stands under /.well-known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.test import Client

from accounts.models import Account
from core import metrics
from tests.administered import waiting_delivery

pytestmark = pytest.mark.django_db


class Kept:
    """As much of Redis as the counters use."""

    def __init__(self) -> None:
        self.sums: dict[bytes, float] = {}

    def pipeline(self, *, transaction: bool) -> Kept:
        return self

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def hincrbyfloat(self, key: str, field: str, amount: float) -> None:
        self.sums[field.encode()] = self.sums.get(field.encode(), 0) + amount

    def execute(self) -> None:
        pass

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return {field: str(amount).encode() for field, amount in self.sums.items()}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """A Redis of the test's own."""
    found = Kept()
    monkeypatch.setattr(metrics, "client", lambda: found)
    metrics._amounts.clear()
    yield found
    metrics._amounts.clear()


def test_figures_of_all_processes_and_of_the_queue(kept: Kept, client: Client, alice: Account) -> None:
    waiting_delivery(alice, "x@far.example")
    metrics.count("deliveries", state="accepted")
    metrics.flush()
    metrics.count("deliveries", 2, state="accepted")
    metrics.observe("send_seconds", 0.02)
    metrics.observe("send_seconds", 1000.0)
    page = client.get("/metrics").content.decode()
    assert 'globalmail_deliveries_total{state="accepted"} 3.0' in page
    assert 'globalmail_send_seconds_bucket{le="0.025"} 1.0' in page
    assert 'globalmail_send_seconds_bucket{le="+Inf"} 2.0' in page
    assert 'globalmail_queue{state="deferred"} 1.0' in page
    assert "globalmail_index_waiting 0.0" in page


def test_what_cant_be_written_waits_and_the_page_says_that_redis_is_gone(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> redis.Redis:
        raise redis.ConnectionError

    monkeypatch.setattr(metrics, "client", gone)
    metrics._amounts.clear()
    metrics.count("deliveries", state="accepted")
    metrics.flush()
    assert metrics._amounts
    assert "globalmail_redis_up 0.0" in client.get("/metrics").content.decode()
    metrics._amounts.clear()


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "192.0.2.1", 404),
        ({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 404),
        ({"Authorization": "Bearer secret"}, "192.0.2.1", 200),
        ({"Authorization": "Bearer wrong"}, "127.0.0.1", 404),
    ],
    ids=["own", "stranger", "through a proxy", "token", "wrong token"],
)
def test_strangers_see_no_figures(
    kept: Kept, client: Client, settings: Any, headers: dict[str, str], address: str, status: int
) -> None:
    settings.METRICS_TOKEN = "secret"
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status


def test_the_policy_of_mta_sts_is_said_by_its_own_host(client: Client, alice: Account, settings: Any) -> None:
    settings.MX_HOSTS, settings.MTA_STS_MODE = ["mx1.example.test", "mx2.example.test"], "enforce"
    answer = client.get("/.well-known/mta-sts.txt", headers={"host": "mta-sts.example.test"})
    assert answer["Content-Type"].startswith("text/plain")
    assert answer.content.decode().split("\r\n")[:4] == [
        "version: STSv1",
        "mode: enforce",
        "mx: mx1.example.test",
        "mx: mx2.example.test",
    ]
    assert client.get("/.well-known/mta-sts.txt", headers={"host": "webmail.example.test"}).status_code == 404
    settings.MTA_STS_MODE = "none"
    assert client.get("/.well-known/mta-sts.txt", headers={"host": "mta-sts.example.test"}).status_code == 404


def test_programs_find_their_settings(client: Client, alice: Account, settings: Any) -> None:
    answer = client.get("/mail/config-v1.1.xml", headers={"host": "autoconfig.example.test"})
    assert answer["Content-Type"].startswith("text/xml")
    assert f"<port>{settings.IMAPS_PORT}</port>" in answer.content.decode()
    assert '<emailProvider id="example.test">' in answer.content.decode()


def test_nobody_has_a_challenge_that_was_not_given(client: Client) -> None:
    assert client.get("/.well-known/acme-challenge/nonsense").status_code == 404
