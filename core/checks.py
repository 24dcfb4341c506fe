"""What `manage.py check` says before anything starts: a half-configured production is refused.

Errors stop every process; warnings name what will hurt later.
"""

from __future__ import annotations

import ipaddress
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning as Notice
from django.utils.module_loading import import_string

MIN_SQLITE = (3, 35, 0)
"""RETURNING; Debian 12 has 3.40."""
MIN_KEY = 32
MIN_MESSAGE_BYTES = 64 * 1024  # RFC 5321 4.5.3.1.7
MAX_SOCKET_PATH = 104
"""sun_path is 104 to 108 bytes, by system."""
PORTS = (
    "WEB_PORT",
    "MX_PORT",
    "SUBMISSION_PORT",
    "SUBMISSIONS_PORT",
    "IMAP_PORT",
    "IMAPS_PORT",
    "POP3_PORT",
    "POP3S_PORT",
)
"""Every port that `serve` opens, by the name of its setting."""


def check_data_dir() -> Iterator[CheckMessage]:
    """Somewhere to keep everything."""
    if not os.access(settings.DATA_DIR, os.W_OK | os.X_OK):
        yield Error(f"DATA_DIR {settings.DATA_DIR} can't be written.", id="core.E001")
    if settings.OWN_REDIS and len(os.fsencode(settings.REDIS_DIR / "redis.sock")) > MAX_SOCKET_PATH:
        yield Error(
            f"The path of DATA_DIR is too long for Redis's socket ({settings.REDIS_DIR}).",
            hint="Choose a shorter DATA_DIR or set REDIS_URL.",
            id="core.E002",
        )


def check_database() -> Iterator[CheckMessage]:
    """An SQLite that can do what the store asks."""
    own = settings.DATABASES["default"]["ENGINE"] == "core.sqlite"
    if own and sqlite3.sqlite_version_info < MIN_SQLITE:
        yield Error(
            f"SQLite {sqlite3.sqlite_version} is too old; {'.'.join(map(str, MIN_SQLITE))} is needed.", id="core.E003"
        )


def check_secrets() -> Iterator[CheckMessage]:
    """Keys worth their name, that nobody else reads."""
    if not settings.SECRET_KEYS or any(len(key) < MIN_KEY for key in settings.SECRET_KEYS):
        yield Error(f"Every key of SECRET_KEYS needs at least {MIN_KEY} characters.", id="core.E004")
    ring = settings.DATA_DIR / "keyring"
    if ring.exists() and stat.S_IMODE(ring.stat().st_mode) & 0o077:
        yield Error(f"Others can read {ring}.", hint=f"chmod 600 {ring}", id="core.E005")


def check_names() -> Iterator[CheckMessage]:
    """The names under which the world knows this installation."""
    url = urlsplit(settings.BASE_URL)
    if url.scheme not in {"http", "https"} or not url.hostname or url.path or url.query:
        yield Error(
            f"BASE_URL {settings.BASE_URL!r} is not http(s)://host[:port] without a slash at its end.", id="core.E006"
        )
    if _is_open() and _is_local_name(settings.PUBLIC_HOST):
        yield Notice(
            "LISTEN_HOST opens the servers to the network, but PUBLIC_HOST is not a public name.",
            hint="Links in mail, certificates and EHLO will name this machine only.",
            id="core.W001",
        )
    if not _is_local_name(settings.PUBLIC_HOST) and "." not in settings.EHLO_NAME.strip("[]"):
        yield Notice(
            f"EHLO_NAME {settings.EHLO_NAME!r} is not a full name; many servers refuse it.", id="core.W002"
        )  # RFC 5321 4.1.1.1


def check_exposure() -> Iterator[CheckMessage]:
    """Nothing secret in the clear, no tracebacks for strangers."""
    if settings.DEBUG and (settings.HTTPS or not _is_local_name(settings.PUBLIC_HOST)):
        yield Error("DEBUG shows settings and code to every visitor of a public host.", hint="DEBUG=0", id="core.E007")
    if _is_open() and not settings.HTTPS:
        yield Notice(
            "The web server is open to the network without HTTPS: passwords travel in the clear.",
            hint="Put a TLS proxy in front and set BASE_URL=https://… (and BEHIND_PROXY=1).",
            id="core.W003",
        )


def check_ports() -> Iterator[CheckMessage]:
    """Each server has a port of its own."""
    ports = [getattr(settings, name) for name in PORTS]
    ports += [settings.LMTP_PORT] if settings.LMTP_PORT else []
    if len(set(ports)) < len(ports) or not all(0 < port < 65536 for port in ports):
        yield Error(f"{', '.join(PORTS)} must be different ports between 1 and 65535.", id="core.E008")


def check_mail() -> Iterator[CheckMessage]:
    """Limits and routes that can work."""
    if settings.MESSAGE_MAX_BYTES < MIN_MESSAGE_BYTES:
        yield Error(f"MESSAGE_MAX_BYTES is below {MIN_MESSAGE_BYTES}.", id="core.E009")
    for domain, route in settings.ROUTES.items():
        host, _, port = str(route).rpartition(":")
        if not host or not port.isdecimal():
            yield Error(f"ROUTES[{domain!r}] is not host:port.", id="core.E010")


def check_strangers() -> Iterator[CheckMessage]:
    """What strangers meet at the MX."""
    if settings.REVERSE_DNS not in {"note", "demand", "off"}:
        yield Error(f"REVERSE_DNS {settings.REVERSE_DNS!r} is neither note, demand nor off.", id="core.E013")
    known = {"connections", "messages", "recipients", "unknown", "account"}
    if not set(settings.SMTP_RATES) <= known or not all(isinstance(each, int) for each in settings.SMTP_RATES.values()):
        yield Error(f"SMTP_RATES names {', '.join(sorted(known))}, each with a number.", id="core.E014")


def check_programs() -> Iterator[CheckMessage]:
    """What mail programs come through and sign in by."""
    for network in settings.PROXY_PROTOCOL_FROM:
        try:
            ipaddress.ip_network(network.strip(), strict=False)
        except ValueError:
            yield Error(f"PROXY_PROTOCOL_FROM: {network!r} is no address or network.", id="core.E011")
    if settings.OAUTH_VERIFIER:
        try:
            import_string(settings.OAUTH_VERIFIER)
        except ImportError as error:
            yield Error(f"OAUTH_VERIFIER: {error}", id="core.E012")


CHECKS: Sequence[Callable[[], Iterator[CheckMessage]]] = (
    check_data_dir,
    check_database,
    check_secrets,
    check_names,
    check_exposure,
    check_ports,
    check_mail,
    check_programs,
    check_strangers,
)


def check_installation(**_: Any) -> list[CheckMessage]:
    """All of the above, as Django runs them."""
    return [message for check in CHECKS for message in check()]


def _is_open() -> bool:
    """Whether the servers listen to more than this machine."""
    try:
        return not ipaddress.ip_address(settings.LISTEN_HOST).is_loopback
    except ValueError:
        return not _is_local_name(settings.LISTEN_HOST)


def _is_local_name(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", ""} or host.endswith((".localhost", ".test", ".local"))
