"""A web server of strangers: on loopback, with a certificate, and the guard of outgoing requests is led to it."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpcore
import httpx
import pytest

from core import net
from core.connection import ensure_certificate


@contextmanager
def serving_https(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, handler: type[http.server.BaseHTTPRequestHandler]
) -> Iterator[None]:
    """Answer as `handler` says, under a certificate for `name` that clients trust."""
    certificate, key = ensure_certificate(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    plain, port = httpcore.SyncBackend(), server.server_address[1]
    monkeypatch.setattr(net.GuardedBackend, "connect_tcp", lambda *_, **__: plain.connect_tcp("127.0.0.1", port, 10))
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: ssl.create_default_context(cafile=str(certificate)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
