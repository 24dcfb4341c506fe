"""The PROXY header: read, waited for, refused."""

from __future__ import annotations

import ipaddress
import struct
from typing import Any

import pytest
from hypothesis import given, strategies as st

from core.proxy_protocol import V2_SIGNATURE, Header, ProxyError, is_proxy, read_header


def v2(command: int, family: int, body: bytes) -> bytes:
    """A header of version 2."""
    return V2_SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


FOUR = ipaddress.ip_address("192.0.2.1").packed + ipaddress.ip_address("192.0.2.2").packed + b"\x12\x34\0\x8f"
SIX = ipaddress.ip_address("2001:db8::1").packed * 2 + b"\x12\x34\0\x8f"
HEADERS = [
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 4660 143\r\n", "192.0.2.1"),
    (b"PROXY TCP6 2001:db8::1 2001:db8::2 4660 143\r\n", "2001:db8::1"),
    (b"PROXY UNKNOWN\r\n", ""),
    (b"PROXY UNKNOWN ffff::1 ffff::1 1 1\r\n", ""),
    (v2(0x21, 0x11, FOUR), "192.0.2.1"),
    (v2(0x21, 0x11, FOUR + b"\x04\0\x03abc"), "192.0.2.1"),
    (v2(0x21, 0x21, SIX), "2001:db8::1"),
    (v2(0x20, 0x11, FOUR), ""),
    (v2(0x20, 0, b""), ""),
    (v2(0x21, 0x31, b"x" * 216), ""),
]


@pytest.mark.parametrize(("header", "address"), HEADERS)
def test_a_header_is_read_however_it_is_cut(header: bytes, address: str) -> None:
    for end in range(len(header)):
        assert read_header(header[:end]) is None
    assert read_header(header + b"a NOOP\r\n") == Header(address, len(header))


@pytest.mark.parametrize(
    "data",
    [
        b"a LOGIN x y\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 4660\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 4660 143\r\n",
        b"PROXY TCP4 nowhere 192.0.2.2 4660 143\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 4660 143\r\n",
        b"PROXY " + b"x" * 200,
        b"\x16\x03\x01",
        v2(0x31, 0x11, FOUR),
        v2(0x22, 0x11, FOUR),
        v2(0x21, 0x11, FOUR[:8]),
        v2(0x21, 0x11, b"x" * 5_000),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ProxyError):
        read_header(data)


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_raise_anything_else(data: bytes, begun: bool) -> None:
    try:
        read_header((V2_SIGNATURE if begun else b"") + data)
    except ProxyError:
        pass


def test_only_named_proxies_are_believed(settings: Any) -> None:
    assert not is_proxy("127.0.0.1")
    settings.PROXY_PROTOCOL_FROM = ["10.0.0.0/8", " 127.0.0.1 "]
    assert [is_proxy(each) for each in ("127.0.0.1", "10.9.9.9", "192.0.2.1", "", "::1")] == [
        True,
        True,
        False,
        False,
        False,
    ]
