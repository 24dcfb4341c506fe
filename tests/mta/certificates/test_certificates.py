"""Certificates of hosts: checked, kept, served by name, watched; and had by ACME."""

from __future__ import annotations

import datetime
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Domain
from core.errors import MailError
from logs_app.models import Event
from mailstore.message import read
from mta.certificates import acme
from mta.certificates.files import write_all
from mta.certificates.selectors import days_left, hosts_of
from mta.certificates.services import remove_certificate, set_certificate, warn_of_expiry
from mta.models import AcmeAccount, AcmeChallenge, AcmeFailure, HostCertificate
from tests.dialogue import client_tls
from tests.factories import make_account, make_domain
from tests.mta import names
from tests.mta.authority import issued, pem, pem_key
from tests.mta.certificates.acme_server import Authority, serving
from tests.mta.conftest import Running
from tests.mta.test_submit import mails

HOST = "imap.example.test"
ROOT = issued("authority.example")
GOOD, KEY = issued(HOST, by=ROOT)


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    """Certificates of one test are not another's."""
    settings.DATA_DIR = tmp_path


def offered(name: str) -> tuple[str, str]:
    """Chain and key as somebody might paste them."""
    good, key = pem(GOOD, ROOT[0]).decode(), pem_key(KEY).decode()
    locked = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    ).decode()
    return {
        "garbage": ("nonsense", key),
        "no key": (good, "nonsense"),
        "locked key": (good, locked),
        "another's key": (good, pem_key(ROOT[1]).decode()),
        "weak key": (good, pem_key(rsa.generate_private_key(public_exponent=65537, key_size=1024)).decode()),
        "odd key": (good, pem_key(ed25519.Ed25519PrivateKey.generate()).decode()),
        "expired": _pair(issued(HOST, by=ROOT, days=-1)),
        "another host": _pair(issued("imap.elsewhere.test", by=ROOT)),
        "wrong order": (pem(GOOD, GOOD).decode(), key),
        "huge": (good * 200, key),
    }[name]


def _pair(made: tuple[x509.Certificate, Any]) -> tuple[str, str]:
    return pem(made[0]).decode(), pem_key(made[1]).decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "field", "reason"),
    [
        ("garbage", "chain", "unreadable"),
        ("no key", "key", "unreadable"),
        ("locked key", "key", "encrypted"),
        ("another's key", "key", "mismatch"),
        ("weak key", "key", "weak"),
        ("odd key", "key", "unreadable"),
        ("expired", "chain", "expired"),
        ("another host", "chain", "other_host"),
        ("wrong order", "chain", "wrong_order"),
        ("huge", "chain", "unreadable"),
    ],
)
def test_what_servers_could_not_use_is_refused(alice: Account, name: str, field: str, reason: str) -> None:
    with pytest.raises(MailError) as raised:
        set_certificate(alice.domain, HOST, *offered(name))
    assert (raised.value.data["field"], raised.value.data["reason"]) == (field, reason)
    assert not HostCertificate.objects.exists()


@pytest.mark.django_db
def test_a_host_must_be_the_domains_own(alice: Account, charlie: Account) -> None:
    with pytest.raises(MailError) as raised:
        set_certificate(charlie.domain, HOST, *_pair((GOOD, KEY)))
    assert raised.value.data["reason"] == "not_ours"


@pytest.mark.django_db(transaction=True)
def test_a_certificate_is_served_to_who_names_its_host_and_goes_with_its_row(running: Running, alice: Account) -> None:
    def shown(host: str) -> bytes:
        plain = socket.create_connection(("127.0.0.1", running.submissions), 10)
        with client_tls().wrap_socket(plain, server_hostname=host) as secure:
            found = secure.getpeercert(binary_form=True)
            assert found
            return found

    row = set_certificate(alice.domain, HOST, *_pair((GOOD, KEY)))
    ours = GOOD.public_bytes(serialization.Encoding.DER)
    assert shown(HOST) == ours
    assert shown("smtp.example.test") != ours
    assert write_all() == 0, "nothing to do"
    assert b"PRIVATE" not in bytes(row.key)
    remove_certificate(row)
    assert shown(HOST) != ours
    assert Event.objects.filter(data__action="remove_certificate", address=HOST).exists()


@pytest.mark.django_db(transaction=True)
def test_administrators_are_told_once_for_each_step(alice: Account) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    before = len(mails(boss, "inbox"))
    row = set_certificate(alice.domain, HOST, *_pair((GOOD, KEY)))
    end = row.expires_at
    assert warn_of_expiry(end - datetime.timedelta(days=25)) == 0
    days = (20, 19, 6, 5, 0, -3)
    assert [warn_of_expiry(end - datetime.timedelta(days=each, hours=1)) for each in days] == [1, 0, 1, 0, 1, 0]
    letters = mails(boss, "inbox")[before:]
    assert len(letters) == 3
    assert HOST in (read(letters[0]).subject or "")
    assert 29 < days_left()[HOST] < 30


@pytest.mark.django_db
def test_the_page_takes_a_pair_and_says_in_words_what_is_wrong(client: Client) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    client.force_login(boss)
    chain, key = _pair((GOOD, KEY))
    wrong = {"host": HOST, "chain": chain, "private_key": pem_key(ROOT[1]).decode()}
    answer = client.post(reverse("admin:mta_hostcertificate_add"), wrong, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert not HostCertificate.objects.exists()
    assert client.post(reverse("admin:mta_hostcertificate_add"), wrong | {"private_key": key}).status_code == 302
    row = HostCertificate.objects.get()
    page = client.get(reverse("admin:mta_hostcertificate_change", args=[row.pk])).content.decode()
    assert "PRIVATE KEY" not in page


# ACME -----------------------------------------------------------------------------------------------


@pytest.fixture
def authority(transactional_db: None, settings: Any) -> Iterator[Authority]:
    """An ACME server that reads challenges through our own pages, and a name server that leads some hosts here."""

    def fetched(host: str, token: str) -> str | None:
        answer = Client().get(f"/.well-known/acme-challenge/{token}", headers={"host": host})
        return answer.content.decode() if answer.status_code == 200 else None

    zone: names.Zone = {
        (settings.PUBLIC_HOST, "A"): ["192.0.2.1"],
        (settings.PUBLIC_HOST, "AAAA"): ["2001:db8::1"],
        (HOST, "CNAME"): [f"{settings.PUBLIC_HOST}."],
        ("webmail.example.test", "A"): ["192.0.2.9"],
        ("smtp.example.test", "A"): ["192.0.2.1"],
        ("smtp.example.test", "AAAA"): ["2001:db8::9"],
        ("pop.example.test", "A"): ["192.0.2.1"],
        ("pop.example.test", "AAAA"): ["SERVFAIL"],
    }
    with names.serving(zone), serving(fetched) as (found, directory):
        settings.ACME_DIRECTORY = directory
        yield found


def test_hosts_that_lead_here_get_certificates_that_are_renewed(authority: Authority, alice: Account) -> None:
    assert acme.renew_all() == 1
    row = HostCertificate.objects.get()
    assert (row.host, row.source, row.issuer) == (HOST, "acme", "authority.example")
    assert acme.renew_all() == 0, "it is good for long"
    HostCertificate.objects.update(expires_at=timezone.now() + datetime.timedelta(days=20))
    assert acme.renew_all() == 1
    assert AcmeAccount.objects.count() == 1
    assert authority.asked.count("account") == 1, "the account is kept"
    HostCertificate.objects.update(expires_at=timezone.now() + datetime.timedelta(days=1), source="upload")
    assert acme.renew_all() == 0, "an administrator's own is his"


def test_a_name_server_that_is_silent_keeps_no_other_host_waiting(
    authority: Authority, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acme, "LOOKING_S", 2.0)
    silent = make_domain("silent.test")
    zone: names.Zone = {(host, kind): ["SILENT"] for host in hosts_of(silent) for kind in ("A", "AAAA")}
    zone |= {(settings.PUBLIC_HOST, "A"): ["192.0.2.1"], (HOST, "A"): ["192.0.2.1"]}
    with names.serving(zone) as asked:
        assert [host for _, host in acme.wanted()] == [HOST]
    assert ("imap.silent.test", "AAAA") in asked


def test_what_fails_is_left_alone_for_a_while(authority: Authority, alice: Account) -> None:
    fetched, authority.read = authority.read, lambda host, token: "something else"
    assert acme.renew_all() == 0
    assert AcmeFailure.objects.get().host == HOST
    asked = len(authority.asked)
    assert acme.renew_all() == 0
    assert len(authority.asked) == asked
    longer = acme.AGAIN.total_seconds() + 60
    AcmeFailure.objects.update(failed_us=int((time.time() - longer) * 1_000_000))
    authority.read = fetched
    assert acme.renew_all() == 1, "for a while alone"
    assert not AcmeFailure.objects.exists()


def test_a_host_that_leads_elsewhere_too_and_a_domain_that_is_suspended_get_none(
    authority: Authority, alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading = {settings.PUBLIC_HOST: {"192.0.2.1", "2001:db8::1"}, HOST: {"192.0.2.1", "192.0.2.9"}}

    async def found(hosts: Sequence[str]) -> dict[str, set[str]]:
        return {host: leading[host] for host in hosts if host in leading}

    monkeypatch.setattr(acme, "_addresses", found)
    assert list(acme.wanted()) == []
    leading[HOST] = {"192.0.2.1"}
    assert [host for _domain, host in acme.wanted()] == [HOST]
    Domain.objects.update(is_active=False)
    assert list(acme.wanted()) == []


def test_a_certificate_is_renewed_a_month_before_its_end(authority: Authority, alice: Account) -> None:
    row = set_certificate(alice.domain, HOST, *_pair((GOOD, KEY)), source="acme")
    now = timezone.now()
    for days, wanted in ((31, []), (29, [HOST])):
        HostCertificate.objects.filter(pk=row.pk).update(expires_at=now + datetime.timedelta(days=days))
        assert [host for _domain, host in acme.wanted()] == wanted


def test_our_account_is_kept_locked_and_challenges_for_an_hour(
    authority: Authority, alice: Account, settings: Any
) -> None:
    settings.ACME_EMAIL = "operator@example.test"
    AcmeChallenge.objects.create(token="old", answer="x", created_us=1)
    assert acme.renew_all() == 1
    assert authority.contacts == ["mailto:operator@example.test"]
    assert b"kty" not in bytes(AcmeAccount.objects.get().key)
    (fresh,) = AcmeChallenge.objects.all()
    assert acme.challenge_answer(fresh.token) == fresh.answer
    assert acme.challenge_answer("old") is None


def test_what_is_proven_already_is_not_proven_again_and_another_kind_of_proof_is_a_failure(
    authority: Authority, alice: Account
) -> None:
    authority.offers = "dns-01"
    assert acme.renew_all() == 0
    assert "HTTP-01" in AcmeFailure.objects.get().text
    assert "finalize" not in authority.asked
    AcmeFailure.objects.all().delete()
    authority.knows = True
    assert acme.renew_all() == 1
    assert "challenge" not in authority.asked


@pytest.mark.parametrize(
    "outcome",
    [("nonsense", "nonsense"), acme.errors.Error("a\0b" + "x" * 600), OSError("no route"), ValueError("odd")],
    ids=["no certificate", "the authority", "the network", "an answer"],
)
def test_whatever_becomes_of_one_host_is_written_down_and_the_next_is_tried(
    authority: Authority, alice: Account, monkeypatch: pytest.MonkeyPatch, outcome: Any
) -> None:
    def order(host: str) -> tuple[str, str]:
        if host != HOST:
            return _pair(issued(host, by=ROOT))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def found(hosts: Sequence[str]) -> dict[str, set[str]]:
        return dict.fromkeys(hosts, {"192.0.2.1"})

    monkeypatch.setattr(acme, "_addresses", found)
    monkeypatch.setattr(acme, "order", order)
    hosts = len(list(acme.wanted()))
    assert hosts > 1
    assert acme.renew_all() == hosts - 1
    assert set(HostCertificate.objects.values_list("source", flat=True)) == {"acme"}
    failure = AcmeFailure.objects.get()
    assert (failure.host, "\0" in failure.text, len(failure.text) <= 500) == (HOST, False, True)


@pytest.mark.django_db
def test_without_a_directory_nobody_is_asked(alice: Account, settings: Any) -> None:
    settings.ACME_DIRECTORY = ""
    assert acme.renew_all() == 0


def test_one_run_orders_a_few_whatever_becomes_of_them(
    settings: Any, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    settings.ACME_DIRECTORY = "https://authority.example/directory"
    tried: list[str] = []
    monkeypatch.setattr(acme, "wanted", lambda: ((None, f"{number}.example.test") for number in range(30)))
    monkeypatch.setattr(acme, "_try", lambda domain, host: bool(tried.append(host)))
    assert acme.renew_all() == 0
    assert len(tried) == acme.AT_ONCE
