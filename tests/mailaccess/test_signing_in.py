"""Signing in over IMAP and POP3 alike: SCRAM bound to the channel, client codes, rules, hosts by name."""

from __future__ import annotations

import base64
import hashlib
import select
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import scramp
from cryptography import x509

from accounts import sign_in_again, verifiers
from accounts.models import Account
from accounts.services import (
    create_client_code,
    revoke_client_code,
    set_password,
    set_program_rule,
    suspend_account,
)
from accounts.sign_in_again import Asked
from core import dbthread
from core.connection import ensure_certificate
from logs_app.models import Event, Kind
from logs_app.services import NewEvent
from mailaccess import signing_in
from mailaccess.imap import session
from mailaccess.imap.commands import idle
from mailaccess.pop3 import lock
from tests.dialogue import client_tls
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk

Say = Callable[[bytes], bytes]


def bound(talk: Talk) -> tuple[str, bytes]:
    """What this connection's certificate binds to (ours are signed with SHA-256)."""
    assert isinstance(talk.socket, ssl.SSLSocket)
    return "tls-server-end-point", hashlib.sha256(talk.socket.getpeercert(binary_form=True) or b"").digest()


def scram(talk: Talk, command: bytes, *, plus: bool, prompt: bytes) -> bytes:
    """The whole dialogue; the last line."""
    mechanism = "SCRAM-SHA-256-PLUS" if plus else "SCRAM-SHA-256"
    client = scramp.ScramClient(
        [mechanism], "alice@example.test", PASSWORD, channel_binding=bound(talk) if plus else None
    )
    talk.send(command + mechanism.encode() + b"\r\n")
    assert talk.line().strip() == prompt
    talk.send(base64.b64encode(client.get_client_first().encode()) + b"\r\n")
    client.set_server_first(base64.b64decode(talk.line().removeprefix(prompt)).decode())
    talk.send(base64.b64encode(client.get_client_final().encode()) + b"\r\n")
    client.set_server_final(base64.b64decode(talk.line().removeprefix(prompt)).decode())
    talk.send(b"\r\n")
    return talk.line()


@pytest.mark.parametrize("plus", [False, True])
def test_scram_over_imap(imap_server: Running, alice: Account, plus: bool) -> None:
    talk = imap_server.talk()
    assert b"AUTH=SCRAM-SHA-256-PLUS" in talk.greeting
    assert scram(talk, b"a AUTHENTICATE ", plus=plus, prompt=b"+").startswith(b"a OK [CAPABILITY")
    talk.close()


def test_scram_after_starttls(imap_server: Running, alice: Account) -> None:
    talk = imap_server.talk(tls=False)
    assert b"AUTH=" not in talk.greeting
    talk.say(b"STARTTLS")
    talk.start_tls()
    assert scram(talk, b"a AUTHENTICATE ", plus=True, prompt=b"+").startswith(b"a OK")
    talk.close()


@pytest.mark.parametrize("plus", [False, True])
def test_scram_over_pop3(pop3_server: Running, alice: Account, plus: bool) -> None:
    talk = pop3_server.talk()
    assert scram(talk, b"AUTH ", plus=plus, prompt=b"+") == b"+OK Signed in"
    talk.close()


def imap_login(server: Running, secret: str) -> bytes:
    """The answer to LOGIN."""
    talk = server.talk()
    answer = talk.say(f'LOGIN alice@example.test "{secret}"'.encode())[-1]
    talk.close()
    return answer


def pop3_login(server: Running, secret: str) -> bytes:
    """The answer to PASS."""
    talk = server.talk()
    talk.send(f"USER alice@example.test\r\nPASS {secret}\r\nQUIT\r\n".encode())
    talk.line()
    answer = talk.line()
    talk.line()
    talk.close()
    return answer


@pytest.fixture(params=["imap", "pop3"])
def login(request: pytest.FixtureRequest, transactional_db: None) -> Callable[[str], bytes]:
    """Sign in by the one or the other, with a secret."""
    server = request.getfixturevalue(f"{request.param}_server")
    way = imap_login if request.param == "imap" else pop3_login
    return lambda secret: way(server, secret)


def test_the_password_is_refused_with_a_clear_text_once_there_is_a_code(
    login: Callable[[str], bytes], alice: Account
) -> None:
    _, code = create_client_code(alice, "Phone")
    assert b"Use a client code instead of the password" in login(PASSWORD)
    assert b"OK" in login(code)


def test_what_the_administrator_forbids_is_refused(login: Callable[[str], bytes], alice: Account) -> None:
    set_program_rule(alice.domain, alice, imap=False, pop3=False)
    assert b"The administrator does not let this account use" in login(PASSWORD)
    set_program_rule(alice.domain, alice, networks="203.0.113.0/24")
    assert b"from your address" in login(PASSWORD)
    set_program_rule(alice.domain, alice, networks="127.0.0.1")
    assert b"OK" in login(PASSWORD)
    shown = list(Event.objects.filter(kind=Kind.SIGN_IN).order_by("id").values_list("error", "remote_address"))
    assert shown == [("protocol", "127.0.0.1"), ("network", "127.0.0.1"), ("", "127.0.0.1")]


def test_the_program_is_in_the_record(imap_server: Running, alice: Account) -> None:
    talk = imap_server.talk()
    talk.say(b'ID ("name" "Foxmail" "version" "7.2")')
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    assert Event.objects.get(kind=Kind.SIGN_IN).data["program"] == "Foxmail 7.2"
    talk.close()


def named(server: Running, host: str) -> tuple[ssl.SSLSocket, Talk]:
    """A connection that names a host."""
    talk = Talk(server.plain)
    talk.say(b"STARTTLS")
    secure = client_tls().wrap_socket(talk.socket, server_hostname=host)
    talk.socket, talk.file = secure, secure.makefile("rb")
    return secure, talk


def test_a_host_has_its_own_certificate_and_names_the_domain(
    imap_server: Running, alice: Account, settings: Any
) -> None:
    folder: Path = settings.DATA_DIR / "certs"
    ensure_certificate(folder, "imap.example.test")
    secure, talk = named(imap_server, "IMAP.example.test")
    certificate = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    assert "imap.example.test" in certificate.subject.rfc4514_string()
    assert talk.say(f'LOGIN alice "{PASSWORD}"'.encode())[-1].startswith(b"a OK")
    talk.close()
    for odd in ("nobody.example.test", "a/imap.example.test"):
        secure, talk = named(imap_server, odd)
        certificate = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
        assert settings.PUBLIC_HOST in certificate.subject.rfc4514_string()
        talk.close()


def test_a_long_connection_ends_when_its_code_is_taken_back(
    imap_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "STAY_S", 0.0)
    credential, code = create_client_code(alice, "Phone")
    talk = imap_server.talk()
    assert talk.say(f'LOGIN alice@example.test "{code}"'.encode())[-1].startswith(b"a OK")
    set_password(alice, "another horse 7")
    assert talk.say(b"NOOP")[-1] == b"a OK Done"
    revoke_client_code(alice, credential.pk)
    assert talk.say(b"NOOP") == [b"* BYE You may no longer be signed in", b""]


@pytest.mark.parametrize("act", [suspend_account, lambda account: set_password(account, "another horse 7")])
def test_a_long_connection_ends_with_its_password_or_its_account(
    imap_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch, act: Callable[[Account], None]
) -> None:
    monkeypatch.setattr(session, "STAY_S", 0.0)
    monkeypatch.setattr(idle, "HERE_S", 0.05)
    monkeypatch.setattr(idle, "STAY_S", 0.0)
    talk = imap_server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    talk.send(b"a IDLE\r\n")
    assert talk.line() == b"+ idling"
    act(alice)
    while (line := talk.line()) == b"* OK Still here":
        pass
    assert line == b"* BYE You may no longer be signed in"
    assert talk.is_closed()


def test_a_long_pop3_session_ends_too(pop3_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEW_S", 0.05)
    talk = pop3_server.talk()
    talk.send(f"USER alice@example.test\r\nPASS {PASSWORD}\r\n".encode())
    assert [talk.line()[:3] for _ in range(2)] == [b"+OK"] * 2
    suspend_account(alice)
    assert talk.line() == b"-ERR [AUTH] You may no longer be signed in"
    assert talk.is_closed()


@pytest.mark.parametrize("known", [False, True])
def test_programs_that_come_at_once_share_the_commit_of_their_record_and_hear_afterwards(
    imap_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Those that were here lately share the visit to the database too."""
    count = 12
    groups: list[int] = []
    begun, go = threading.Event(), threading.Event()
    if known:
        assert imap_login(imap_server, PASSWORD).startswith(b"a OK")
        Event.objects.all().delete()
    else:
        monkeypatch.setattr(verifiers, "was_right", lambda login, secret: False)
    module = sign_in_again if known else signing_in
    write = module.record_groups

    def slow(found: Sequence[Sequence[NewEvent]]) -> list[None]:
        groups.append(sum(map(len, found)))
        begun.set()
        assert go.wait(60)
        return write(found)

    monkeypatch.setattr(module, "record_groups", slow)
    talks = [imap_server.talk() for _ in range(count)]
    secrets = [PASSWORD] * (count - 1) + [PASSWORD if known else "wrong"]
    talks[0].send(f'a LOGIN alice@example.test "{PASSWORD}"\r\n'.encode())
    assert begun.wait(60)
    for talk, secret in zip(talks[1:], secrets[1:], strict=True):
        talk.send(f'a LOGIN alice@example.test "{secret}"\r\n'.encode())
    (desk,) = [each for loop, each in signing_in._desks.items() if loop is imap_server.loop]
    line: dbthread.Gathered[Any, Any] = desk.again if known else desk.writer
    for _ in range(6_000):
        if len(line._waiting) == count - 1:
            break
        time.sleep(0.01)
    assert select.select([talks[0].socket], [], [], 0) == ([], [], [])
    assert not Event.objects.filter(kind=Kind.SIGN_IN).exists(), "nobody has heard, nothing is written"
    go.set()
    answers = [talk.answer()[-1] for talk in talks]
    assert [answer.startswith(b"a OK") for answer in answers] == [secret == PASSWORD for secret in secrets]
    assert Event.objects.filter(kind=Kind.SIGN_IN).count() == count
    assert Event.objects.filter(kind=Kind.SIGN_IN, succeeded=False).count() == secrets.count("wrong")
    assert groups == [1, count - 1]
    for talk in talks:
        talk.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["LOGIN", "PLAIN"])
@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_who_comes_again_is_asked_with_the_others_by_every_way_that_says_the_secret(
    request: pytest.FixtureRequest, alice: Account, monkeypatch: pytest.MonkeyPatch, kind: str, way: str
) -> None:
    server: Running = request.getfixturevalue(f"{kind}_server")
    command, good = (b"a AUTHENTICATE ", b"a OK") if kind == "imap" else (b"AUTH ", b"+OK")
    if way == "PLAIN":
        words = [f"\0alice@example.test\0{PASSWORD}".encode()]
    else:
        words = [b"alice@example.test", PASSWORD.encode()]

    def enter() -> bytes:
        talk = server.talk()
        talk.send(command + way.encode() + b"\r\n")
        for word in words:
            assert talk.line().startswith(b"+")
            talk.send(base64.b64encode(word) + b"\r\n")
        answer = talk.line()
        talk.send(b"a LOGOUT\r\n" if kind == "imap" else b"QUIT\r\n")
        talk.line()
        talk.close()
        return answer

    assert enter().startswith(good)
    monkeypatch.setattr(Asked, "alone", lambda _: pytest.fail("alone"))
    assert enter().startswith(good)
    assert Event.objects.filter(kind=Kind.SIGN_IN, succeeded=True, protocol=kind).count() == 2
