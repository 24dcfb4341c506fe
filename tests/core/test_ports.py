"""Ports for servers of tests."""

from __future__ import annotations

import asyncio
import socket

import pytest

from core.ports import RANGE, free_port, free_ports
from core.serving import Listeners


def test_free_ports_differ_can_be_bound_and_are_not_given_to_connections() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    lowest_given = int(RANGE.read_text().split()[0])
    for port in ports:
        assert port < lowest_given
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_a_listener_on_any_port_has_it_alone_and_one_on_a_named_port_shares_it() -> None:
    async def two(port: int) -> None:
        listeners = [Listeners(backlog=1), Listeners(backlog=1)]
        try:
            await listeners[0].bind(port, asyncio.Protocol)
            await listeners[1].bind(listeners[0].ports[0], asyncio.Protocol)
        finally:
            for each in listeners:
                each.close()

    asyncio.run(two(free_port()))
    with pytest.raises(OSError):
        asyncio.run(two(0))
