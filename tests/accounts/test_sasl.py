"""The mechanisms: what is a login and what is not, SCRAM against another implementation, tokens."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import scramp
from hypothesis import given, strategies as st

from accounts.models import Account
from accounts.sasl import Door, Login, begin, mechanisms, read_bearer, read_plain, text_of
from accounts.scram import Dialogue, ScramError, client_first
from accounts.services import create_client_code, suspend_account
from accounts.sign_in import Circumstances, Reason, SignedIn, SignInError
from accounts.verifiers import SCRAM_ROUNDS, fake_salt
from logs_app.models import Event, Kind
from tests.factories import PASSWORD

HERE = Circumstances("imap", "192.0.2.7", "Thunderbird")
BINDINGS = {"tls-server-end-point": b"the hash of a certificate"}

PLAIN: list[tuple[bytes, Login | None]] = [
    (b"\0alice\0secret", Login("alice", "secret")),
    (b"alice\0alice\0secret", Login("alice", "secret")),
    (b"bob\0alice\0secret", None),
    ("\0älice\0密码".encode(), Login("älice", "密码")),
    (b"\0alice\0", Login("alice", "")),
    (b"\0\0secret", None),
    (b"alice\0secret", None),
    (b"\0alice\0sec\0ret", None),
    (b"\0alice\0\xff", None),
    (b"\0" + b"a" * 2000 + b"\0x", None),
    (b"", None),
]


@pytest.mark.parametrize(("message", "login"), PLAIN)
def test_plain_is_read_as_rfc_4616_says(message: bytes, login: Login | None) -> None:
    assert read_plain(message) == login


@given(st.binary(max_size=300))
def test_nothing_that_is_sent_raises_anything_else(message: bytes) -> None:
    read_plain(message)
    read_bearer(message)
    text_of(message)
    try:
        client_first(message, plus=False, offers_plus=False, bindings={})
    except ScramError:
        pass


BEARERS = [
    (b"n,a=al@example.test,\1host=x\1auth=Bearer abc\1\1", ("al@example.test", "abc")),
    (b"n,,\1auth=bearer abc\1\1", ("", "abc")),
    (b"user=al@example.test\1auth=Bearer abc\1\1", ("al@example.test", "abc")),
    (b"n,,\1\1", ("", "")),
    (b"user=al@example.test\1auth=Basic abc\1\1", ("al@example.test", "")),
]


@pytest.mark.parametrize(("message", "found"), BEARERS)
def test_a_bearer_is_read_as_rfc_7628_says(message: bytes, found: tuple[str, str]) -> None:
    assert read_bearer(message) == found


# SCRAM --------------------------------------------------------------------------------------------


def scram(name: str, secret: str, *, bindings: Any = {}, binding: Any = None) -> SignedIn:
    """A whole dialogue with scramp's client; its check of the server's last message is part of it."""
    mechanism = "SCRAM-SHA-256-PLUS" if binding else "SCRAM-SHA-256"
    client = scramp.ScramClient([mechanism], name, secret, channel_binding=binding)
    exchange = begin(mechanism, Door(HERE, bindings))
    assert exchange is not None
    challenge = exchange.step(client.get_client_first().encode())
    assert isinstance(challenge, bytes)
    client.set_server_first(challenge.decode())
    last = exchange.step(client.get_client_final().encode())
    assert isinstance(last, bytes)
    client.set_server_final(last.decode())
    found = exchange.step(b"")
    assert isinstance(found, SignedIn)
    return found


@pytest.mark.django_db
def test_another_implementation_signs_in(alice: Account) -> None:
    assert scram("alice@example.test", PASSWORD).account == alice
    event = Event.objects.filter(kind=Kind.SIGN_IN).get()
    assert (event.protocol, event.remote_address, event.succeeded) == ("imap", "192.0.2.7", True)
    assert event.data["program"] == "Thunderbird"


@pytest.mark.django_db
def test_it_binds_to_the_channel(alice: Account) -> None:
    right = ("tls-server-end-point", BINDINGS["tls-server-end-point"])
    assert scram("alice@example.test", PASSWORD, bindings=BINDINGS, binding=right).account == alice
    with pytest.raises(SignInError):
        scram("alice@example.test", PASSWORD, bindings=BINDINGS, binding=("tls-server-end-point", b"another's"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["alice@example.test", "nobody@example.test"])
def test_a_wrong_secret_and_nobody_look_the_same(alice: Account, name: str) -> None:
    with pytest.raises(SignInError) as error:
        scram(name, "wrong")
    assert error.value.reason is Reason.REFUSED
    assert not Event.objects.get(kind=Kind.SIGN_IN).succeeded


@pytest.mark.django_db
def test_nobody_has_a_salt_that_stays(alice: Account) -> None:
    told = set()
    for _ in range(2):
        exchange = begin("SCRAM-SHA-256", Door(HERE))
        assert exchange is not None
        challenge = exchange.step(b"n,,n=nobody@example.test,r=abc")
        assert isinstance(challenge, bytes)
        told.add(challenge.split(b",")[1])
    salt = base64.b64encode(fake_salt("nobody@example.test"))
    assert told == {b"s=" + salt}
    assert challenge.endswith(f"i={SCRAM_ROUNDS}".encode())


@pytest.mark.django_db
def test_any_code_of_an_account_proves_it(alice: Account) -> None:
    codes = [create_client_code(alice, f"Phone {number}") for number in range(3)]
    for credential, code in codes:
        assert scram("alice@example.test", code).credential_id == credential.pk
    with pytest.raises(SignInError) as error:
        scram("alice@example.test", PASSWORD)
    assert error.value.reason is Reason.NEEDS_CODE


@pytest.mark.django_db
def test_a_suspended_account_is_told_so(alice: Account) -> None:
    suspend_account(alice)
    with pytest.raises(SignInError) as error:
        scram("alice@example.test", PASSWORD)
    assert error.value.reason is Reason.SUSPENDED


@pytest.mark.parametrize(
    "message",
    [
        b"n,,n=a,r=",
        b"n,,r=abc",
        b"p=tls-exporter,,n=a,r=abc",
        b"y,,n=a,r=abc",
        b"n,,m=x,n=a,r=abc",
        b"n,,n=a,r=abc,m=x",
        b"n,,n=a,r=abc,x=y,m=x",
        b"n,,n=a=2X,r=abc",
        b"n,a=b,n=a,r=abc",
        b"\xff",
        b"n,,n=a,r=" + b"x" * 5000,
    ],
)
def test_what_is_no_first_message_is_refused(message: bytes) -> None:
    with pytest.raises(ScramError):
        client_first(message, plus=message.startswith(b"p"), offers_plus=True, bindings=BINDINGS)


def test_other_extensions_are_passed_over() -> None:
    assert client_first(b"n,,n=a,r=abc,x=y", plus=False, offers_plus=False, bindings={}).nonce == "abc"


@pytest.mark.parametrize("extension", ["m=x", "x=y,m=x"])
def test_a_mandatory_extension_of_the_last_message_is_refused(extension: str) -> None:
    first = client_first(b"n,,n=a,r=abc", plus=False, offers_plus=False, bindings={})
    dialogue = Dialogue.begin(first, salt=b"salt", rounds=4_096)
    assert dialogue.prove(f"c=biws,r={dialogue.nonce},x=y,p=AAAA".encode(), []) is None
    with pytest.raises(ScramError, match="mandatory"):
        dialogue.prove(f"c=biws,r={dialogue.nonce},{extension},p=AAAA".encode(), [])


@pytest.mark.django_db
def test_a_last_message_of_another_dialogue_is_refused(alice: Account) -> None:
    client = scramp.ScramClient(["SCRAM-SHA-256"], "alice@example.test", PASSWORD)
    exchange = begin("SCRAM-SHA-256", Door(HERE))
    assert exchange is not None
    challenge = exchange.step(client.get_client_first().encode())
    assert isinstance(challenge, bytes)
    client.set_server_first(challenge.decode())
    other = begin("SCRAM-SHA-256", Door(HERE))
    assert other is not None
    other.step(b"n,,n=alice@example.test,r=abc")
    with pytest.raises(SignInError):
        other.step(client.get_client_final().encode())


def test_names_are_unescaped() -> None:
    assert client_first(b"n,,n=a=2Cb=3Dc,r=x", plus=False, offers_plus=False, bindings={}).name == "a,b=c"


# Tokens -------------------------------------------------------------------------------------------


def tokens(token: str) -> str | None:
    """An installation's function."""
    if token == "broken":
        raise ValueError(token)
    return {"good": "alice@example.test", "elsewhere": "x@elsewhere.test"}.get(token)


@pytest.fixture
def oauth(settings: Any) -> None:
    """Turned on."""
    settings.OAUTH_VERIFIER = "tests.accounts.test_sasl.tokens"


@pytest.mark.django_db
@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_a_token_signs_in(oauth: None, alice: Account, mechanism: str) -> None:
    exchange = begin(mechanism, Door(HERE))
    assert exchange is not None
    found = exchange.step(b"user=Alice@Example.test\1auth=Bearer good\1\1")
    assert isinstance(found, SignedIn)
    assert (found.account, found.credential_id) == (alice, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["bad", "elsewhere", "broken", ""])
def test_a_bad_token_is_explained_before_it_is_refused(
    oauth: None, alice: Account, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = begin("XOAUTH2", Door(HERE))
    assert exchange is not None
    challenge = exchange.step(f"user=alice@example.test\1auth=Bearer {token}\1\1".encode())
    assert isinstance(challenge, bytes)
    assert b"invalid_token" in challenge
    with pytest.raises(SignInError):
        exchange.step(b"")


@pytest.mark.django_db
def test_a_token_of_one_person_opens_no_other(oauth: None, alice: Account, bob: Account) -> None:
    exchange = begin("XOAUTH2", Door(HERE))
    assert exchange is not None
    assert isinstance(exchange.step(b"user=bob@example.test\1auth=Bearer good\1\1"), bytes)


def test_tokens_are_off_by_default() -> None:
    assert "XOAUTH2" not in mechanisms({})
    assert begin("XOAUTH2", Door(HERE)) is None


def test_plus_is_offered_where_there_is_something_to_bind_to() -> None:
    assert mechanisms(BINDINGS) == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]
    assert begin("SCRAM-SHA-256-PLUS", Door(HERE)) is None
