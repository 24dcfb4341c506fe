"""Fetching from addresses that strangers choose: one guard for every outbound HTTP request.

A name is resolved here, every address is checked, and the connection goes to the checked address itself, so
that a second answer of the DNS can't slip in between. Only ports 80 and 443, no proxies from the
environment, no cookies; redirects pass the same guard; size and time are bounded as a whole.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import httpcore
import httpx

from core.errors import ErrorKind, MailError

PORTS = frozenset({80, 443})
MAX_REDIRECTS = 4
AGENT = "Mozilla/5.0 (compatible; Globalmail)"
"""Says neither who reads nor which version runs."""

RESOLVE_S = 10.0
"""A name whose servers do not answer within this is not resolved."""
RESOLVING_MAX = 32
"""Names asked for at once by one process, those that nobody waits for any more included."""

_resolving = threading.BoundedSemaphore(RESOLVING_MAX)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: an IPv4 address in the last 32 bits."""
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
"""RFC 3056: an IPv4 address in bits 16 to 48."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclasses.dataclass(frozen=True, slots=True)
class Fetched:
    """What came back: the media type without parameters, lower-cased, and the bytes."""

    content_type: str
    content: bytes


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open Internet, seen through every way to hide an IPv4 one in it."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_is_global(each) for each in _with_embedded(parsed))


def public_addresses(host: str, port: int, *, timeout_s: float = RESOLVE_S) -> list[str]:
    """The addresses of `host`; raises MailError: INVALID when a single one is not public, UNAVAILABLE when there are none
    or the DNS does not say within `timeout_s`."""
    try:
        addresses = _resolved(host, port, timeout_s)
    except (OSError, UnicodeError):
        raise MailError(ErrorKind.UNAVAILABLE, host=host) from None
    if not addresses or not all(is_public(each) for each in addresses):
        raise MailError(ErrorKind.INVALID, host=host)
    return list(dict.fromkeys(addresses))


def _resolved(host: str, port: int, timeout_s: float) -> list[str]:
    """What the system's resolver says. It knows no time-out of ours, so it is asked on a thread that is left behind when it
    takes too long, and that nobody waits for at the end of the process; no more than RESOLVING_MAX of them. Raises OSError
    (TimeoutError too), UnicodeError."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()
    turns = _resolving

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(each[4][0]) for each in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)
        finally:
            turns.release()

    until = time.monotonic() + timeout_s
    if not turns.acquire(timeout=timeout_s):
        raise TimeoutError
    try:
        threading.Thread(target=ask, name="resolve", daemon=True).start()
    except RuntimeError as error:  # no thread to be had
        turns.release()
        raise OSError from error
    try:
        answer = answers.get(timeout=max(0.0, until - time.monotonic()))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def fetch(url: str, *, max_bytes: int, timeout_s: float, content_types: frozenset[str], follow: bool = True) -> Fetched:
    """GET `url` through the guard; redirects count as failures unless `follow`.

    Raises MailError: INVALID for an address or scheme that is not allowed, TOO_LARGE over `max_bytes`,
    UNAVAILABLE for anything the other side did (error status, other media type, too slow, not HTTP).
    """
    deadline = time.monotonic() + timeout_s
    try:
        with _client(timeout_s, follow=follow) as client, client.stream("GET", url) as response:
            content_type = _accepted_type(response, content_types)
            return Fetched(content_type, _bounded(response.iter_bytes(), max_bytes=max_bytes, deadline=deadline))
    except (httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError, httpcore.TimeoutException, ValueError) as error:
        raise MailError(ErrorKind.UNAVAILABLE, url=url, error=type(error).__name__) from None


def post(url: str, content: bytes, *, content_type: str, timeout_s: float) -> None:
    """POST `content` to an https address through the guard; redirects count as failures, the answer's body is not read.

    Raises MailError: INVALID for an address or scheme that is not allowed, UNAVAILABLE for any status but 2xx and for
    whatever else the other side did.
    """
    if not url.lower().startswith("https://"):
        raise MailError(ErrorKind.INVALID, url=url)
    try:
        headers = {"Content-Type": content_type}
        with (
            _client(timeout_s, follow=False) as client,
            client.stream("POST", url, content=content, headers=headers) as response,
        ):
            if not response.is_success:
                raise MailError(ErrorKind.UNAVAILABLE, url=url, status=response.status_code)
    except (httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError, httpcore.TimeoutException, ValueError) as error:
        raise MailError(ErrorKind.UNAVAILABLE, url=url, error=type(error).__name__) from None


class GuardedTransport(httpx.BaseTransport):
    """httpx over a connection pool whose sockets only ever go to checked addresses."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=httpx.create_ssl_context(), network_backend=GuardedBackend())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse other schemes and ports, then send."""
        _require_allowed(str(request.url))
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class GuardedBackend(httpcore.NetworkBackend):
    """Opens TCP connections to the addresses that `public_addresses` allowed, in their order."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """As httpcore asks for it; the TLS name stays the host's, only the socket gets the address."""
        patience_s = RESOLVE_S if timeout is None else min(timeout, RESOLVE_S)
        addresses = public_addresses(host, port, timeout_s=patience_s)[:2]
        for number, address in enumerate(addresses, start=1):
            try:
                return self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpcore.ConnectError(host)


class _Stream(httpx.SyncByteStream):
    """The body of an httpcore answer as httpx wants it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _client(timeout_s: float, *, follow: bool) -> httpx.Client:
    return httpx.Client(
        transport=GuardedTransport(),
        timeout=timeout_s,
        follow_redirects=follow,
        max_redirects=MAX_REDIRECTS,
        trust_env=False,
        headers={"User-Agent": AGENT},
    )


def _require_allowed(url: str) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme not in {"http", "https"} or port not in PORTS or not parts.hostname:
        raise MailError(ErrorKind.INVALID, url=url)


def _accepted_type(response: httpx.Response, content_types: frozenset[str]) -> str:
    content_type = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
    if response.status_code != httpx.codes.OK or content_type not in content_types:
        raise MailError(ErrorKind.UNAVAILABLE, status=response.status_code, content_type=content_type)
    return content_type


def _bounded(chunks: Iterator[bytes], *, max_bytes: int, deadline: float) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > max_bytes:
            raise MailError(ErrorKind.TOO_LARGE, limit=max_bytes)
        if time.monotonic() > deadline:
            raise MailError(ErrorKind.UNAVAILABLE, error="slow")
    return bytes(content)


def _with_embedded(address: IPAddress) -> list[IPAddress]:
    """The address and the IPv4 address that is hidden in it, if there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address in _SIX_TO_FOUR:
        return [address, ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)]
    return [address]


def _is_global(address: IPAddress) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved
