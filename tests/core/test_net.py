"""The guard of outbound requests: nothing of ours is reachable through it, however it is written."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from core import net
from core.errors import ErrorKind, MailError

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
TYPES = frozenset({"image/png"})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "not an address",
    ],
)
def test_an_address_that_is_not_of_the_open_internet_is_refused(address: str) -> None:
    assert not net.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert net.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x.png",
        "http://localhost/x.png",
        "http://0x7f000001/x.png",
        "http://2130706433/x.png",
        "http://[::1]/x.png",
        "http://[::ffff:127.0.0.1]/x.png",
        "http://example.com:22/x.png",
        "http://example.com:8000/x.png",
        "ftp://example.com/x.png",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http:///x.png",
        "http://exa mple/\x00",
        "",
    ],
)
def test_fetching_what_is_not_allowed_raises_a_mail_error(url: str) -> None:
    with pytest.raises(MailError) as caught:
        net.fetch(url, max_bytes=1000, timeout_s=2, content_types=TYPES)
    assert caught.value.kind in {ErrorKind.INVALID, ErrorKind.UNAVAILABLE}


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **kind: Any) -> list[Any]:
        return [(0, 0, 0, "", (each, port)) for each in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(MailError) as caught:
        net.public_addresses("rebinding.test", 80)
    assert caught.value.kind is ErrorKind.INVALID


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, asked = threading.Event(), threading.Semaphore(0)

    def resolve(host: str, port: int, **kind: Any) -> list[Any]:
        asked.release()
        answered.wait(20)
        return [(0, 0, 0, "", ("8.8.8.8", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(net, "_resolving", threading.BoundedSemaphore(2))
    for _ in range(3):  # the third finds two threads that still wait, and is asked for by none
        with pytest.raises(MailError) as caught:
            net.public_addresses("silent.test", 80, timeout_s=0.05)
        assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert [asked.acquire(timeout=20), asked.acquire(timeout=20), asked.acquire(blocking=False)] == [True, True, False]
    answered.set()
    assert net.public_addresses("silent.test", 80, timeout_s=20) == ["8.8.8.8"]


class Handler(http.server.BaseHTTPRequestHandler):
    seen: list[tuple[str, dict[str, str]]] = []  # noqa: RUF012 - one list for the one server of a test

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        status, headers, body = ANSWERS[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/x.png": (200, {"Content-Type": "image/png; charset=binary", "Set-Cookie": "a=b"}, PNG),
    "/large.png": (200, {"Content-Type": "image/png"}, PNG * 100),
    "/page": (200, {"Content-Type": "text/html"}, b"<script>"),
    "/gone": (404, {"Content-Type": "image/png"}, PNG),
    "/away": (302, {"Location": "/x.png"}, b""),
    "/inside": (302, {"Location": "http://169.254.169.254/latest"}, b""),
    "/loop": (302, {"Location": "/loop"}, b""),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine that the guard takes for a public one, on a port that it allows."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    monkeypatch.setattr(net, "PORTS", frozenset({running.server_address[1]}))
    allowed = net.is_public
    monkeypatch.setattr(net, "is_public", lambda address: address == "127.0.0.1" or allowed(address))
    Handler.seen.clear()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


def test_an_image_is_fetched_with_its_media_type_and_without_cookies(server: str) -> None:
    fetched = net.fetch(f"{server}/away", max_bytes=1000, timeout_s=60, content_types=TYPES)
    assert fetched == net.Fetched("image/png", PNG)
    assert all("Cookie" not in headers and "Referer" not in headers for _, headers in Handler.seen)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/large.png", ErrorKind.TOO_LARGE),
        ("/page", ErrorKind.UNAVAILABLE),
        ("/gone", ErrorKind.UNAVAILABLE),
        ("/inside", ErrorKind.INVALID),
        ("/loop", ErrorKind.UNAVAILABLE),
    ],
)
def test_an_answer_that_is_no_small_image_is_refused(server: str, path: str, kind: ErrorKind) -> None:
    with pytest.raises(MailError) as caught:
        net.fetch(server + path, max_bytes=1000, timeout_s=60, content_types=TYPES)
    assert caught.value.kind is kind


def test_nothing_is_posted_in_the_clear(server: str) -> None:
    with pytest.raises(MailError) as caught:
        net.post(f"{server}/x.png", b"x", content_type="text/plain", timeout_s=60)
    assert caught.value.kind is ErrorKind.INVALID
    assert not Handler.seen


def test_the_clock_bounds_the_whole_body() -> None:
    with pytest.raises(MailError) as caught:
        net._bounded(iter([b"a"]), max_bytes=10, deadline=0)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
