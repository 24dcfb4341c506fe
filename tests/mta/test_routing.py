"""Where mail for a domain goes, asked of a real name server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mta.outbound import routing
from mta.outbound.routing import NO_ADDRESS, NO_ANSWER, NO_DOMAIN, NULL_MX, OURSELVES, Hop, NoRoute, find_route
from tests.mta.names import Zone, serving

ZONE: Zone = {
    ("two.example", "MX"): ["20 b.mx.example.", "10 a.mx.example."],
    ("a.mx.example", "A"): ["8.8.8.8"],
    ("a.mx.example", "AAAA"): ["2001:4860:4860::8888"],
    ("b.mx.example", "A"): ["8.8.4.4"],
    ("null.example", "MX"): ["0 ."],
    ("implicit.example", "A"): ["8.8.8.8"],
    ("private.example", "MX"): ["10 inside.example."],
    ("inside.example", "A"): ["10.0.0.1", "127.0.0.1"],
    ("inside.example", "AAAA"): ["::1", "::ffff:10.0.0.1"],
    ("mixed.example", "MX"): ["10 half.example."],
    ("half.example", "A"): ["192.168.1.1", "8.8.8.8"],
    ("broken.example", "MX"): ["SERVFAIL"],
    ("dead.example", "MX"): ["10 gone.example."],
    ("flaky.example", "MX"): ["10 shaky.example."],
    ("shaky.example", "A"): ["SERVFAIL"],
    ("nothing.example", "TXT"): ['"x"'],
    ("backup.example", "MX"): ["10 a.mx.example.", "20 us.example.", "30 b.mx.example."],
    ("circle.example", "MX"): ["10 us.example.", "20 b.mx.example."],
}

TABLE: list[tuple[str, list[str] | NoRoute]] = [
    ("two.example", ["8.8.8.8", "2001:4860:4860::8888", "8.8.4.4"]),
    ("null.example", NULL_MX),
    ("implicit.example", ["8.8.8.8"]),
    ("private.example", NO_ADDRESS),
    ("mixed.example", ["8.8.8.8"]),
    ("broken.example", NO_ANSWER),
    ("dead.example", NO_ADDRESS),
    ("flaky.example", NO_ANSWER),
    ("nothing.example", NO_ADDRESS),
    ("missing.example", NO_DOMAIN),
    ("backup.example", ["8.8.8.8", "2001:4860:4860::8888"]),
    ("circle.example", OURSELVES),
    ("[8.8.8.8]", ["8.8.8.8"]),
    ("[ipv6:2001:4860:4860::8888]", ["2001:4860:4860::8888"]),
    ("[127.0.0.1]", NO_ADDRESS),
    ("[ipv6:::1]", NO_ADDRESS),
    ("[nonsense]", NO_ADDRESS),
]


@pytest.mark.parametrize(("domain", "wanted"), TABLE)
def test_the_dns_decides(
    domain: str, wanted: list[str] | NoRoute, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROUTES, settings.EHLO_NAME = {}, "us.example"
    monkeypatch.setattr(routing, "LOOKUP_S", 2.0)
    with serving(ZONE):
        route = asyncio.run(find_route(domain))
    assert (route if isinstance(route, NoRoute) else [hop.address for hop in route]) == wanted


def test_equal_preferences_are_spread(settings: Any) -> None:
    settings.ROUTES = {}
    zone: Zone = {("even.example", "MX"): [f"10 m{number}.example." for number in range(6)]}
    zone |= {(f"m{number}.example", "A"): [f"8.8.8.{number}"] for number in range(6)}
    with serving(zone):
        firsts = set()
        for _ in range(30):
            route = asyncio.run(find_route("even.example"))
            assert not isinstance(route, NoRoute)
            firsts.add(route[0].address)
    assert len(firsts) > 1


def test_routes_come_before_the_dns_and_reach_private_addresses(settings: Any) -> None:
    settings.ROUTES = {"lab.example": "127.0.0.1:2599", "*": "[::1]:2598"}
    assert asyncio.run(find_route("lab.example")) == [Hop("127.0.0.1", "127.0.0.1", 2599)]
    assert asyncio.run(find_route("other.example")) == [Hop("::1", "::1", 2598)]
