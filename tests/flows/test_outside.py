"""Judges outside: the real clamd, rspamd and spamd beside the MX, and what happens without them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.access import system_access
from core.errors import ErrorKind, MailError
from core.ports import free_port
from logs_app.models import Event, Kind
from mailstore.models import Entry
from mailstore.selectors.entries import get
from mta.company.policy import set_send_policy
from mta.models import QuarantinedMail, Submission
from mta.services import submit
from mta.services.policy import update_mail_policy
from mta.spam.finding import Rule, decode
from mta.spam.outside.peer import FAILURES, Peer
from tests.flows.test_rights import program
from tests.flows.test_spam import attached
from tests.mta.conftest import Running
from tests.mta.daemons import EICAR, WORD, clamd, rspamd, spamd
from tests.mta.names import serving
from tests.mta.strangers import ZONE, letter, send
from tests.mta.test_submit import mails, request as sending
from webmail.compose_answers import sentence


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("daemons")


@pytest.fixture(scope="session")
def scanner(folder: pathlib.Path) -> Iterator[str]:
    with clamd(folder) as address:
        yield address


def mx(settings: Any, request: pytest.FixtureRequest, **outsiders: str) -> Iterator[Running]:
    """The services with these judges, trusting nobody."""
    settings.TRUSTED_NETWORKS = []
    for name, address in outsiders.items():
        setattr(settings, name, address)
    with serving(ZONE):
        yield request.getfixturevalue("running")


@pytest.fixture
def scanned(transactional_db: None, settings: Any, request: pytest.FixtureRequest, scanner: str) -> Iterator[Running]:
    yield from mx(settings, request, CLAMD=scanner)


def words(account: Account) -> dict[Rule, tuple[str, ...]]:
    """What was found about the newest mail."""
    entry = Entry.objects.filter(mailbox_id=account.pk).latest("pk")
    return {each.rule: each.facts for each in decode(get(system_access(account.pk), entry.pk).judgement).findings}


def test_a_virus_is_quarantined_even_without_a_digest_and_for_safe_senders(scanned: Running, alice: Account) -> None:
    assert send(scanned, attached("letter.txt", EICAR), sender="x@good.test").startswith("250")
    assert send(scanned, attached("letter.txt", b"nothing"), sender="x@good.test").startswith("250")
    mail = QuarantinedMail.objects.get()
    [virus] = [each for each in decode(mail.judgement).findings if each.rule is Rule.VIRUS]
    assert (mail.kind, virus.facts) == ("virus", ("Ours.EICAR.UNOFFICIAL",))
    assert len(mails(alice, "inbox")) == 1


@pytest.mark.parametrize(("wish", "code"), [("defer", "451 4.7.1"), ("accept", "250")])
def test_what_the_scanner_refuses_is_met_as_the_policy_says(
    scanned: Running, alice: Account, wish: str, code: str
) -> None:
    update_mail_policy(alice.domain, unscanned=wish)
    large = attached("large.bin", bytes(1_200_000))  # above the StreamMaxLength of this clamd
    assert send(scanned, large, sender="x@good.test").startswith(code)


def test_without_the_scanner_mail_waits_and_comes_when_it_is_there_again(
    transactional_db: None, settings: Any, request: pytest.FixtureRequest, alice: Account
) -> None:
    for running in mx(settings, request, CLAMD=f"127.0.0.1:{free_port()}"):
        for _ in range(FAILURES + 1):
            assert send(running, letter("x@good.test"), sender="x@good.test").startswith("451 4.7.1")
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("name", "daemon", "rule"),
    [("RSPAMD", rspamd, Rule.RSPAMD), ("SPAMD", spamd, Rule.SPAMASSASSIN)],
    ids=["rspamd", "spamd"],
)
def test_a_judge_outside_speaks_in_place_of_our_rules(
    transactional_db: None,
    settings: Any,
    request: pytest.FixtureRequest,
    tmp_path: pathlib.Path,
    alice: Account,
    name: str,
    daemon: Any,
    rule: Rule,
) -> None:
    update_mail_policy(alice.domain, quarantine_score=50)
    with daemon(tmp_path) as address:
        for running in mx(settings, request, **{name: address}):
            bad = letter("x@good.test").replace(b"Subject: hi", f"Subject: {WORD}".encode())
            assert send(running, bad, sender="x@good.test").startswith("250")
            assert len(mails(alice, "junk")) == 1
            assert words(alice)[rule][1] == "OUR_WORD"
            assert Rule.NO_DATE not in words(alice)
            assert send(running, letter("x@good.test"), sender="x@good.test").startswith("250")
            assert len(mails(alice, "inbox")) == 1


def test_our_own_rules_speak_while_a_judge_does_not_answer(
    transactional_db: None, settings: Any, request: pytest.FixtureRequest, alice: Account
) -> None:
    dead = f"127.0.0.1:{free_port()}"
    for running in mx(settings, request, RSPAMD=f"http://{dead}", SPAMD=dead):
        for _ in range(FAILURES + 1):
            assert send(running, letter("x@good.test"), sender="x@good.test").startswith("250")
            assert Rule.NO_DATE in words(alice)


@pytest.mark.asyncio
async def test_a_dead_daemon_is_left_alone_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(f"127.0.0.1:{free_port()}", 5.0)
    for _ in range(FAILURES):
        assert not peer.is_quiet
        with pytest.raises(Exception, match="127"):
            async with peer.asking(), peer.connected():
                pass
    assert peer.is_quiet
    monkeypatch.setattr("mta.spam.outside.peer.time.monotonic", lambda: 1e12)
    assert not peer.is_quiet


def said_to(running: Running, alice: Account, message: bytes) -> str:
    """The answer to what a mail program of alice sends to bob."""
    with program(running, alice) as client:
        client.mail("alice@example.test")
        client.rcpt("bob@example.test")
        code, text = client.data(message)
    return f"{code} {text.decode()}"


def infected(word: bytes = EICAR) -> bytes:
    return attached("letter.txt", word, "alice@example.test")


def test_a_virus_of_our_own_people_goes_nowhere_and_is_recorded(scanned: Running, alice: Account, bob: Account) -> None:
    assert said_to(scanned, alice, infected()).startswith("554 5.7.1 A virus was found")
    assert said_to(scanned, alice, infected(b"nothing")).startswith("250")
    with pytest.raises(MailError) as refused:
        submit(access_for(alice, alice.pk), sending("bob@example.test", raw=infected()))
    assert (refused.value.kind, refused.value.data["name"]) == (ErrorKind.INVALID, "Ours.EICAR.UNOFFICIAL")
    assert "Ours.EICAR" in sentence(refused.value)
    assert len(mails(bob, "inbox")) == Submission.objects.count() == 1
    events = Event.objects.filter(kind=Kind.REFUSED, error="virus Ours.EICAR.UNOFFICIAL", account_id=alice.pk)
    assert sorted(events.values_list("protocol", flat=True)) == ["smtp", "web"]


def test_a_domain_may_do_without(scanned: Running, alice: Account, bob: Account) -> None:
    set_send_policy(alice.domain, scan_viruses=False)
    assert said_to(scanned, alice, infected()).startswith("250")
    submit(access_for(alice, alice.pk), sending("bob@example.test", raw=infected()))
    assert len(mails(bob, "inbox")) == 2


@pytest.mark.parametrize(("wish", "code"), [("defer", "451 4.7.1"), ("accept", "250")])
def test_own_mail_that_cannot_be_scanned_is_met_as_the_policy_says(
    scanned: Running, alice: Account, bob: Account, wish: str, code: str
) -> None:
    update_mail_policy(alice.domain, unscanned=wish)
    assert said_to(scanned, alice, infected(bytes(1_200_000))).startswith(code)
    large = sending("bob@example.test", raw=infected(bytes(1_200_000)))
    if wish == "accept":
        submit(access_for(alice, alice.pk), large)
    else:
        with pytest.raises(MailError) as refused:
            submit(access_for(alice, alice.pk), large)
        assert "查毒服务" in sentence(refused.value)


def test_large_mail_does_not_silence_the_scanner_for_the_others(scanned: Running, alice: Account, bob: Account) -> None:
    update_mail_policy(alice.domain, unscanned="accept")
    for _ in range(FAILURES + 1):
        assert send(scanned, attached("large.bin", bytes(3_000_000)), sender="x@good.test").startswith("250")
        assert said_to(scanned, alice, infected(bytes(3_000_000))).startswith("250")
    assert said_to(scanned, alice, infected()).startswith("554")
    send(scanned, attached("letter.txt", EICAR), sender="x@good.test")
    assert QuarantinedMail.objects.get().kind == "virus"
