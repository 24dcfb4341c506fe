"""How many connections an account has, how long silence lasts, how many folders there are; what is said at the end."""

from __future__ import annotations

import asyncio

import pytest

from accounts.models import Account
from accounts.services import update_domain
from mailaccess.imap import connection as imap
from mailaccess.pop3 import connection as pop3
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk

LOGIN = f'LOGIN alice@example.test "{PASSWORD}"'.encode()


def popped(server: Running) -> tuple[Talk, bytes]:
    """A POP3 session and the answer to its password."""
    talk = server.talk()
    talk.send(f"USER alice@example.test\r\nPASS {PASSWORD}\r\n".encode())
    talk.line()
    return talk, talk.line()


def test_an_account_has_so_many_connections_and_others_go_on(
    imap_server: Running, alice: Account, bob: Account
) -> None:
    imap_server.server.gate.per_account = 2
    first, second, third = (imap_server.talk() for _ in range(3))
    assert [talk.say(LOGIN)[-1][:5] for talk in (first, second)] == [b"a OK "] * 2
    assert third.say(LOGIN)[-1] == b"a NO [LIMIT] Too many connections of this account"
    assert third.say(LOGIN.replace(b"alice", b"bob"))[-1].startswith(b"a OK")
    first.say(b"LOGOUT")
    assert first.is_closed()
    fourth = imap_server.talk()
    assert fourth.say(LOGIN)[-1].startswith(b"a OK")
    for talk in (second, third, fourth):
        talk.close()


def test_pop3_too(pop3_server: Running, alice: Account) -> None:
    pop3_server.server.gate.per_account = 0
    talk, answer = popped(pop3_server)
    assert answer == b"-ERR [SYS/TEMP] Too many connections of this account"
    talk.close()


def test_who_says_nothing_is_told_so(imap_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "IDLE_TIMEOUT_S", 0.2)
    member = imap_server.talk()
    member.say(LOGIN)
    assert member.line() == b"* BYE Timed out waiting for you"
    assert member.is_closed()
    monkeypatch.setattr(imap, "GUEST_TIMEOUT_S", 0.2)
    guest = imap_server.talk()
    assert guest.line() == b"* BYE Timed out waiting for you"
    assert guest.is_closed()


def test_pop3_waits_no_longer_either(pop3_server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pop3, "GUEST_TIMEOUT_S", 0.2)
    talk = pop3_server.talk()
    assert talk.line() == b"-ERR [SYS/TEMP] Timed out waiting for you"
    assert talk.is_closed()


def test_a_server_that_stops_says_goodbye(imap_server: Running, alice: Account) -> None:
    idle, waiting = imap_server.talk(), imap_server.talk()
    for talk in (idle, waiting):
        talk.say(LOGIN)
    idle.send(b"a IDLE\r\n")
    assert idle.line() == b"+ idling"
    asyncio.run_coroutine_threadsafe(imap_server.server.close(), imap_server.loop).result(20)
    for talk in (idle, waiting):
        assert talk.line() == b"* BYE [UNAVAILABLE] Server is stopping"
        assert talk.is_closed()


def test_so_many_folders_and_no_more(imap_server: Running, alice: Account) -> None:
    update_domain(alice.domain, max_folders=2)
    talk = imap_server.talk()
    talk.say(LOGIN)
    assert talk.say('CREATE "一"'.encode())[-1].startswith(b"a OK")
    assert talk.say(b"CREATE Two/Three")[-1] == b"a NO [LIMIT] There may be 2 at most"
    assert [line for line in talk.say(b'LIST "" T*') if b" Two" in line] == []
    assert talk.say(b'LIST "" "&TgA-"')[0] == b'* LIST (\\HasNoChildren) "/" &TgA-'
    talk.close()
