"""What servers share around a connection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from core.connection import ServerContext, ensure_certificate, own_host, server_tls


@pytest.mark.parametrize(
    ("listening", "reached"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("10.0.0.7", "10.0.0.7"),
        ("mail.example.test", "mail.example.test"),
    ],
)
def test_this_machine_reaches_its_own_servers(settings: Any, listening: str, reached: str) -> None:
    settings.LISTEN_HOST = listening
    assert own_host() == reached


def served(context: object) -> bytes:
    """The hash of the certificate that a context shows."""
    assert isinstance(context, ServerContext)
    return context.end_point


def test_a_renewed_certificate_is_used_from_the_next_connection_on(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.PUBLIC_HOST = tmp_path / "data", "mail.example.test"
    before = served(server_tls())
    assert served(server_tls()) == before
    shown = ensure_certificate(tmp_path / "data" / "certs", "mail.example.test")
    renewed = ensure_certificate(tmp_path / "elsewhere", "mail.example.test")
    os.utime(renewed[0], ns=(shown[0].stat().st_mtime_ns,) * 2)  # both made within one tick of the kernel's clock
    renewed[1].replace(shown[1])
    assert served(server_tls()) == before, "the key alone has come: the certificate before stays"
    renewed[0].replace(shown[0])
    after = served(server_tls())
    assert after != before
    shown[0].write_text("half a file")
    assert served(server_tls()) == after
    settings.DATA_DIR = tmp_path / "another"
    assert served(server_tls()) not in {before, after}
