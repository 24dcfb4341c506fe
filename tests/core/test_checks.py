"""What is said before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.checks import check_installation


@pytest.fixture(autouse=True)
def sound(settings: Any, tmp_path: Path) -> None:
    """An installation without fault, on this machine only."""
    settings.DATA_DIR, settings.REDIS_DIR, settings.OWN_REDIS = tmp_path, Path("/tmp/r"), True
    settings.SECRET_KEYS, settings.DEBUG, settings.HTTPS = ["k" * 40], False, False
    settings.PUBLIC_HOST, settings.EHLO_NAME, settings.LISTEN_HOST = "localhost", "localhost", "127.0.0.1"
    settings.BASE_URL, settings.ROUTES = "http://localhost:8000", {"far.test": "127.0.0.1:2525"}


def ids() -> set[str]:
    return {str(message.id) for message in check_installation()}


def test_a_sound_installation_passes_in_silence() -> None:
    assert ids() == set()


def test_a_public_one_behind_https_passes(settings: Any) -> None:
    settings.PUBLIC_HOST, settings.EHLO_NAME, settings.LISTEN_HOST = "mail.example.com", "mail.example.com", "::"
    settings.BASE_URL, settings.HTTPS = "https://mail.example.com", True
    assert ids() == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DATA_DIR": Path("/nonexistent")}, {"core.E001"}),
        ({"REDIS_DIR": Path("/" + "x" * 120)}, {"core.E002"}),
        ({"REDIS_DIR": Path("/" + "x" * 120), "OWN_REDIS": False}, set()),
        ({"SECRET_KEYS": ["short"]}, {"core.E004"}),
        ({"SECRET_KEYS": []}, {"core.E004"}),
        ({"BASE_URL": "mail.example.com"}, {"core.E006"}),
        ({"BASE_URL": "http://localhost:8000/"}, {"core.E006"}),
        ({"DEBUG": True}, set()),
        ({"DEBUG": True, "PUBLIC_HOST": "mail.example.com", "EHLO_NAME": "mail.example.com"}, {"core.E007"}),
        ({"DEBUG": True, "HTTPS": True}, {"core.E007"}),
        ({"WEB_PORT": 2525, "MX_PORT": 2525}, {"core.E008"}),
        ({"MX_PORT": 70_000}, {"core.E008"}),
        ({"POP3_PORT": 2143}, {"core.E008"}),
        ({"MESSAGE_MAX_BYTES": 1000}, {"core.E009"}),
        ({"ROUTES": {"far.test": "nowhere"}}, {"core.E010"}),
        ({"PROXY_PROTOCOL_FROM": ["10.0.0.0/8", "nowhere"]}, {"core.E011"}),
        ({"OAUTH_VERIFIER": "nowhere.verify"}, {"core.E012"}),
        ({"LISTEN_HOST": "0.0.0.0"}, {"core.W001", "core.W003"}),
        ({"PUBLIC_HOST": "mail.example.com", "EHLO_NAME": "mail"}, {"core.W002"}),
    ],
)
def test_each_fault_has_its_message(settings: Any, changes: dict[str, Any], expected: set[str]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ids() == expected


def test_a_key_ring_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ring = tmp_path / "keyring"
    ring.write_text("x")
    ring.chmod(0o644)
    assert ids() == {"core.E005"}
    ring.chmod(0o600)
    assert ids() == set()


def test_an_old_sqlite_is_refused(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "core.sqlite")
    monkeypatch.setattr("core.checks.sqlite3.sqlite_version_info", (3, 31, 0))
    assert ids() == {"core.E003"}
