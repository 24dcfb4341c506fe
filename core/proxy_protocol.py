"""The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): whose connection a proxy passes on.

Only proxies named by PROXY_PROTOCOL_FROM are believed, and of them the header is demanded: a connection of theirs without
one would be counted as the proxy's own.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import ipaddress
import os
import socket
import struct

from django.conf import settings

HEADER_TIMEOUT_S = 10.0
"""A proxy writes its header at once."""
POLL_S = 0.02
V1_MAX = 107
V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2_HEAD = 16
V2_MAX = 4_096
"""Addresses and extensions; haproxy writes some hundred bytes."""


class ProxyError(Exception):
    """What came is no header."""


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """`address` is the client's, empty when the proxy speaks for itself; `size` bytes of the stream were read."""

    address: str
    size: int


def is_proxy(address: str) -> bool:
    """Whether a connection from here begins with a header."""
    networks = _networks(tuple(settings.PROXY_PROTOCOL_FROM))
    try:
        return bool(networks) and any(ipaddress.ip_address(address) in network for network in networks)
    except ValueError:
        return False


def read_header(data: bytes) -> Header | None:
    """The header at the beginning of a stream, None while it isn't whole; raises ProxyError."""
    if data[: len(V2_SIGNATURE)] == V2_SIGNATURE[: len(data)]:
        return _version_2(data) if len(data) >= V2_HEAD else None
    end = data.find(b"\r\n", 0, V1_MAX)
    if end < 0:
        if len(data) >= V1_MAX or not b"PROXY ".startswith(data[:6]):
            raise ProxyError
        return None
    return Header(_version_1(data[:end]), end + 2)


def _version_1(line: bytes) -> str:
    words = line.decode("ascii", "replace").split(" ")
    if words[:2] == ["PROXY", "UNKNOWN"]:
        return ""
    if len(words) != 6 or words[0] != "PROXY" or words[1] not in {"TCP4", "TCP6"}:
        raise ProxyError
    try:
        found = ipaddress.ip_address(words[2])
    except ValueError:
        raise ProxyError from None
    if found.version != int(words[1][-1]):
        raise ProxyError
    return str(found)


def _version_2(data: bytes) -> Header | None:
    command, family, size = struct.unpack("!BBH", data[12:V2_HEAD])
    if command >> 4 != 2 or command & 15 > 1 or size > V2_MAX:
        raise ProxyError
    if len(data) < V2_HEAD + size:
        return None
    width = {1: 4, 2: 16}.get(family >> 4, 0)
    if not command & 15 or not width:
        return Header("", V2_HEAD + size)  # LOCAL (a health check), or a family without addresses
    if size < 2 * width + 4:
        raise ProxyError
    return Header(str(ipaddress.ip_address(data[V2_HEAD : V2_HEAD + width])), V2_HEAD + size)


@functools.lru_cache(maxsize=8)
def _networks(named: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(name.strip(), strict=False) for name in named)


async def take_header(transport: asyncio.BaseTransport) -> Header:
    """Read the header off a connection whose transport reads nothing yet, and not a byte more: TLS may follow at once.

    Raises ProxyError when it does not come whole within HEADER_TIMEOUT_S.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + HEADER_TIMEOUT_S
    original = transport.get_extra_info("socket")
    with socket.socket(fileno=os.dup(original.fileno())) as peeking:
        peeking.setblocking(False)
        while loop.time() < deadline:
            try:
                data = peeking.recv(V2_HEAD + V2_MAX, socket.MSG_PEEK)
            except BlockingIOError:
                await _readable(peeking, deadline - loop.time())
                continue
            except OSError:
                raise ProxyError from None
            found = read_header(data) if data else None
            if found is not None:
                peeking.recv(found.size)
                return found
            if not data:
                raise ProxyError
            await asyncio.sleep(POLL_S)  # the socket stays readable while the header is not whole
    raise ProxyError


async def _readable(peeking: socket.socket, timeout_s: float) -> None:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()
    loop.add_reader(peeking, _note, arrived)
    try:
        await asyncio.wait([arrived], timeout=timeout_s)
    finally:
        loop.remove_reader(peeking)


def _note(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)
