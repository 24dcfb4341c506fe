"""Behind a proxy: the client's own address counts, whoever opened the connection."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account
from accounts.services import set_program_rule
from logs_app.models import Event, Kind
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk

HEADER = b"PROXY TCP4 203.0.113.9 192.0.2.2 4660 143\r\n"


@pytest.fixture(autouse=True)
def proxied(settings: Any) -> None:
    """The tests are the proxy."""
    settings.PROXY_PROTOCOL_FROM = ["127.0.0.1"]


def opened(port: int, *, tls: bool) -> Talk:
    """A connection that a proxy passes on."""
    talk = Talk(port, greet=False)
    talk.send(HEADER)
    if tls:
        talk.start_tls()
    talk.greeting = talk.line()
    return talk


@pytest.mark.parametrize("tls", [True, False])
def test_rules_and_the_record_see_the_client(imap_server: Running, alice: Account, tls: bool) -> None:
    set_program_rule(alice.domain, alice, networks="203.0.113.0/24")
    talk = opened(imap_server.tls if tls else imap_server.plain, tls=tls)
    if not tls:
        talk.say(b"STARTTLS")
        talk.start_tls()
    assert talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())[-1].startswith(b"a OK")
    assert Event.objects.get(kind=Kind.SIGN_IN).remote_address == "203.0.113.9"
    talk.close()


def test_pop3_too(pop3_server: Running, alice: Account) -> None:
    talk = opened(pop3_server.tls, tls=True)
    talk.send(f"USER alice@example.test\r\nPASS {PASSWORD}\r\nQUIT\r\n".encode())
    assert [talk.line()[:3] for _ in range(3)] == [b"+OK"] * 3
    assert Event.objects.get(kind=Kind.SIGN_IN).remote_address == "203.0.113.9"
    talk.close()


def test_without_a_header_nobody_is_served(imap_server: Running) -> None:
    talk = Talk(imap_server.plain, greet=False)
    talk.send(b"a CAPABILITY\r\n")
    assert talk.is_closed()


def test_a_header_from_elsewhere_is_no_header(imap_server: Running, settings: Any) -> None:
    settings.PROXY_PROTOCOL_FROM = ["10.0.0.0/8"]
    talk = Talk(imap_server.plain)
    assert talk.say(b"TCP4 203.0.113.9", tag=b"PROXY")[-1].startswith(b"PROXY BAD")
    talk.close()
