"""What servers share around a connection."""

from __future__ import annotations

from typing import Any

import pytest

from core.connection import own_host


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
