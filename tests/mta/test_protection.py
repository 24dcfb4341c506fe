"""DANE and MTA-STS: what the DNS and the web say of a domain, and what a connection makes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import http.server
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.asyncresolver
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mta.models import StsPolicy
from mta.outbound import security, sts
from mta.outbound.client import UnreachableError, send
from mta.outbound.protection import NOT_ALLOWED, NOT_PROVEN, protected
from mta.outbound.result import Verdict
from mta.outbound.routing import Hop, NoRoute
from mta.outbound.security import Level, Security, Tlsa
from mta.outbound.session import open_session
from tests.mta.authority import issued, pem, pem_key
from tests.mta.guarded_web import serving_https
from tests.mta.names import PROVEN, Zone, serving
from tests.mta.sink import Sink, remote
from tests.mta.test_client import MESSAGE

HOST = "mx.far.example"
HOPS = [Hop(HOST, "192.0.2.1"), Hop("mx.evil.example", "192.0.2.2")]
POLICY = "version: STSv1\nmode: enforce\nmx: mx.far.example\nmx: *.pool.example\nmax_age: 86400\n"
POLICY_READ = sts.Fetched("enforce", ("mx.far.example", "*.pool.example"), 86400)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (POLICY, sts.Fetched("enforce", ("mx.far.example", "*.pool.example"), 86400)),
        (POLICY.replace("\n", "\r\n"), sts.Fetched("enforce", ("mx.far.example", "*.pool.example"), 86400)),
        (POLICY.replace("mx.far", "MX.Far").replace("pool.example", "pool.example."), POLICY_READ),
        (POLICY.replace("86400", "9999999999"), dataclasses.replace(POLICY_READ, max_age_s=sts.LIFE_MAX_S)),
        (POLICY + "mx: a.b\n" * 500, dataclasses.replace(POLICY_READ, mx=(*POLICY_READ.mx, *["a.b"] * 98))),
        ("x: y\n" * 500 + POLICY, None),
        ("version: STSv1\nmode: none\nmax_age: 1\n", sts.Fetched("none", (), 60)),
        ("version: STSv1\nmode: testing\nmx: a.b\nmax_age: 99999999999\n", None),
        ("version: STSv1\nmode: enforce\nmax_age: 5\n", None),
        ("version: STSv2\nmode: enforce\nmx: a.b\nmax_age: 5\n", None),
        ("mode: enforce\nmx: a.b\nmax_age: 5\n", None),
        ("version: STSv1\nmode: strict\nmx: a.b\nmax_age: 5\n", None),
        ("<html>", None),
        ("", None),
    ],
)
def test_a_policy_file_is_read_or_is_none(text: str, wanted: sts.Fetched | None) -> None:
    assert sts.parse(text) == wanted


@pytest.mark.parametrize(
    ("host", "wanted"),
    [("mx.far.example", True), ("MX.far.example.", True), ("a.pool.example", True), ("a.b.pool.example", False)]
    + [("pool.example", False), (".pool.example", False), ("far.example", False), ("xmx.far.example", False)],
)
def test_a_pattern_stands_for_one_label(host: str, wanted: bool) -> None:
    assert sts.Policy("enforce", ("mx.far.example", "*.pool.example")).names(host) is wanted


class Web:
    """What https://mta-sts.far.example/.well-known/mta-sts.txt says."""

    def __init__(self) -> None:
        self.text, self.status, self.asked = POLICY, 200, 0
        self.content_type = "text/plain"


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web server on loopback that the guard is led to, with a certificate it trusts."""
    said = Web()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - the library's name
            said.asked += 1
            assert (self.headers["Host"], self.path) == ("mta-sts.far.example", "/.well-known/mta-sts.txt")
            self.send_response(said.status)
            self.send_header("Content-Type", said.content_type)
            self.send_header("Location", "https://elsewhere.example/")
            self.end_headers()
            self.wfile.write(said.text.encode())

        def log_message(self, *args: object) -> None:
            pass

    with serving_https(tmp_path, monkeypatch, "mta-sts.far.example", Handler):
        yield said


def asked(zone: Zone) -> sts.Policy | None:
    """The policy of far.example as `zone` lets it be found."""
    with serving(zone):
        return asyncio.run(sts.policy_of("far.example"))


def published(policy_id: str) -> Zone:
    """A zone with an MTA-STS record."""
    return {("_mta-sts.far.example", "TXT"): [f'"v=STSv1; id={policy_id};"']}


@pytest.mark.django_db(transaction=True)
def test_a_policy_is_fetched_once_for_each_id_and_outlives_dns(web: Web) -> None:
    policy = sts.Policy("enforce", ("mx.far.example", "*.pool.example"))
    assert asked({}) is None
    assert [asked(published("1")), asked(published("1"))] == [policy, policy]
    assert web.asked == 1
    assert asked({}) == policy, "who hides the record does not switch the policy off"
    web.text = POLICY.replace("enforce", "testing")
    assert asked(published("2")) == sts.Policy("testing", policy.mx)
    web.status = 404
    assert asked(published("3")) == sts.Policy("testing", policy.mx)
    assert asked(published("3")) == sts.Policy("testing", policy.mx)
    assert web.asked == 3, "what failed is not asked again at once"
    StsPolicy.objects.update(expires_us=1)
    assert asked(published("3")) is None


@pytest.mark.django_db(transaction=True)
def test_a_policy_whose_time_is_over_is_fetched_anew_for_as_long_as_it_says(web: Web) -> None:
    assert asked(published("1"))
    before = time.time_ns() // 1000
    StsPolicy.objects.update(expires_us=before, failed_us=1)
    assert asked(published("1"))
    row = StsPolicy.objects.get()
    assert (web.asked, row.failed_us) == (2, 0)
    assert before <= row.expires_us - 86_400_000_000 <= time.time_ns() // 1000


@pytest.mark.django_db(transaction=True)
def test_a_domain_that_wants_none_any_more_has_none(web: Web) -> None:
    assert asked(published("1"))
    web.text = "version: STSv1\nmode: none\nmax_age: 86400\n"
    assert asked(published("2")) is None
    assert StsPolicy.objects.get().mode == "none"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "records",
    [
        ['"v=STSv1; id=1;"', '"v=STSv1; id=2;"'],
        ['"v=STSv1; id=1!"'],
        ['"v=STSv1; id=1; x" "; id=2!"', '"v=STSv1;"'],
        ['"v=STSv1;"'],
        ['"x v=STSv1; id=1;"'],
        ['"v=STSv1; id=' + "a" * 33 + '"'],
    ],
    ids=["two", "no id", "two, one cut", "none", "another record", "too long"],
)
def test_a_record_that_says_nothing_sure_is_none(web: Web, records: list[str]) -> None:
    assert asked({("_mta-sts.far.example", "TXT"): records}) is None
    assert web.asked == 0


@pytest.mark.django_db(transaction=True)
def test_a_record_may_have_more_than_an_id_and_others_beside_it(web: Web) -> None:
    assert asked({("_mta-sts.far.example", "TXT"): ['"v=STSv1; x=y; " "id=1; z=1"', '"v=spf1 -all"']})
    assert StsPolicy.objects.get().policy_id == "1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("text", "content_type"),
    [(POLICY, "text/html"), (POLICY + "x: y\n" * 20_000, "text/plain")],
    ids=["a page", "too much"],
)
def test_what_is_no_policy_file_is_none(web: Web, text: str, content_type: str) -> None:
    web.text, web.content_type = text, content_type
    assert asked(published("1")) is None
    assert web.asked == 1


@pytest.mark.django_db(transaction=True)
def test_a_redirect_is_no_policy(web: Web) -> None:
    web.status = 302
    assert asked(published("1")) is None


def protect(zone: Zone, settings: Any, *, dane: bool = False) -> Any:
    """What `protected` makes of two servers."""
    with serving(zone):
        resolver = dns.asyncresolver.default_resolver
        assert resolver is not None
        settings.DNSSEC_RESOLVER = f"127.0.0.1:{resolver.port}" if dane else ""
        return asyncio.run(protected("far.example", HOPS))


@pytest.mark.django_db(transaction=True)
def test_an_enforced_policy_leaves_its_servers_alone_and_a_testing_one_all(web: Web, settings: Any) -> None:
    (only,) = protect(published("1"), settings)
    assert (only.name, only.security.level, only.security.policy) == (HOST, Level.VERIFIED, "sts")
    web.text = POLICY.replace("mx.far.example", "mx.other.example")
    assert protect(published("2"), settings) == NOT_ALLOWED
    web.text = POLICY.replace("enforce", "testing")
    found = protect(published("3"), settings)
    assert [hop.security.level for hop in found] == [Level.OPPORTUNISTIC] * 2
    assert [hop.security.is_named for hop in found] == [True, False]


DANE: Zone = {
    ("far.example", "MX"): ["10 mx.far.example.", "20 mx.evil.example.", PROVEN],
    (HOST, "A"): ["192.0.2.1", PROVEN],
    (f"_25._tcp.{HOST}", "TLSA"): ["3 1 1 " + "ab" * 32, PROVEN],
    ("mx.evil.example", "A"): ["192.0.2.2"],
    ("_25._tcp.mx.evil.example", "TLSA"): ["3 1 1 " + "cd" * 32],
}


def changed(key: tuple[str, str], *records: str) -> Zone:
    """The zone with other records at one place."""
    return DANE | {key: list(records)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("zone", "levels"),
    [
        (DANE, [Level.DANE, Level.OPPORTUNISTIC]),
        (changed(("far.example", "MX"), "10 mx.far.example."), [Level.OPPORTUNISTIC] * 2),
        (changed((HOST, "A"), "192.0.2.1"), [Level.OPPORTUNISTIC] * 2),
        (changed((f"_25._tcp.{HOST}", "TLSA"), "3 1 1 " + "ab" * 32), [Level.OPPORTUNISTIC] * 2),
        (changed((f"_25._tcp.{HOST}", "TLSA"), "1 1 1 " + "ab" * 32, PROVEN), [Level.ENCRYPTED, Level.OPPORTUNISTIC]),
        (changed((f"_25._tcp.{HOST}", "TLSA"), "SERVFAIL", PROVEN), [Level.OPPORTUNISTIC]),
        (changed((HOST, "A"), "SERVFAIL") | {(HOST, "AAAA"): ["SERVFAIL"]}, [Level.OPPORTUNISTIC]),
        (changed((HOST, "A"), "SERVFAIL") | {(HOST, "AAAA"): [PROVEN]}, [Level.OPPORTUNISTIC]),
        (changed(("far.example", "MX"), "10 mx.far.example.", PROVEN), [Level.DANE]),
    ],
    ids=["proven", "MX not proven", "address not proven", "TLSA not proven", "unusable", "no answer"]
    + ["no addresses", "no address of one kind", "a server that the proven domain does not name"],
)
def test_only_what_dnssec_proves_is_believed(settings: Any, zone: Zone, levels: list[Level]) -> None:
    found = protect(zone, settings, dane=True)
    assert [hop.security.level for hop in found] == levels


@pytest.mark.django_db(transaction=True)
def test_when_the_dns_says_nothing_about_any_server_the_mail_waits(settings: Any) -> None:
    zone = changed((f"_25._tcp.{HOST}", "TLSA"), "SERVFAIL")
    zone |= {("mx.evil.example", "A"): ["192.0.2.2", PROVEN], ("_25._tcp.mx.evil.example", "TLSA"): ["SERVFAIL"]}
    assert protect(zone, settings, dane=True) == NOT_PROVEN


@pytest.mark.django_db(transaction=True)
def test_a_domain_whose_servers_the_dns_does_not_tell_is_not_taken_for_one_without_dnssec(settings: Any) -> None:
    assert protect(changed(("far.example", "MX"), "SERVFAIL"), settings, dane=True) == NOT_PROVEN


ALIAS: Zone = {
    ("far.example", "MX"): ["10 mx.far.example.", PROVEN],
    (HOST, "CNAME"): ["mail.host.example.", PROVEN],
    ("mail.host.example", "A"): ["192.0.2.1", PROVEN],
    ("_25._tcp.mail.host.example", "TLSA"): ["3 1 1 " + "ab" * 32, PROVEN],
    (f"_25._tcp.{HOST}", "TLSA"): ["3 1 1 " + "cd" * 32, PROVEN],
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("changes", "base"),
    [
        ({}, "mail.host.example"),
        ({("_25._tcp.mail.host.example", "TLSA"): [PROVEN]}, HOST),
        ({("_25._tcp.mail.host.example", "TLSA"): ["3 1 1 " + "ab" * 32]}, HOST),
        ({("mail.host.example", "A"): ["192.0.2.1"]}, HOST),
        ({(HOST, "CNAME"): ["mail.host.example."]}, ""),
        ({(f"_25._tcp.{HOST}", "TLSA"): [PROVEN]}, "mail.host.example"),
        ({("_25._tcp.mail.host.example", "TLSA"): ["SERVFAIL"]}, None),
    ],
    ids=["proven to its end", "no TLSA at the end", "TLSA at the end not proven", "the end not proven"]
    + ["the alias not proven", "TLSA at the end alone", "no answer for the end"],
)
def test_an_alias_leads_to_the_name_where_tlsa_is(settings: Any, changes: Zone, base: str | None) -> None:
    found = protect(ALIAS | changes, settings, dane=True)
    assert (None if isinstance(found, NoRoute) else found[0].security.base) == base


@pytest.mark.django_db(transaction=True)
def test_a_certificate_may_be_for_the_domain_and_for_what_it_is_an_alias_of(settings: Any) -> None:
    zone = ALIAS | {
        ("far.example", "CNAME"): ["real.example.", PROVEN],
        ("real.example", "MX"): ALIAS["far.example", "MX"],
    }
    del zone["far.example", "MX"]
    (hop,) = protect(zone, settings, dane=True)
    assert hop.security.names == ("far.example", "real.example")


def test_the_server_is_asked_for_the_name_where_tlsa_is(tmp_path: Path) -> None:
    authority = issued("authority.example")
    good, key = issued("mail.host.example", by=authority)
    demanded = Security(Level.DANE, (Tlsa(2, 0, 1, whole(authority[0])),), base="mail.host.example")
    with secured(tmp_path, pem(good, authority[0]), pem_key(key)) as (sink, port):
        names: list[str] = []
        sink.tls.sni_callback = lambda _tls, name, _context: names.append(name)  # type: ignore[union-attr]
        assert outcome(port, demanded) == "accepted"
    assert names == ["mail.host.example"]


# Certificates ---------------------------------------------------------------------------------------


@contextmanager
def secured(tmp_path: Path, chain: bytes, key: bytes) -> Iterator[tuple[Sink, int]]:
    """A server with TLS."""
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    sink = Sink()
    sink.tls = context
    with remote(sink, tls=context) as port:
        yield sink, port


def whole(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()


def outcome(port: int, demanded: Security) -> str:
    """`accepted`, or why no mail was sent."""
    hop = Hop(HOST, "127.0.0.1", port, security=demanded)
    try:
        (result,) = asyncio.run(send(hop, "a@example.test", ["b@far.example"], MESSAGE))
    except UnreachableError as error:
        return error.failure
    assert result.verdict is Verdict.ACCEPTED
    return "accepted"


def test_tlsa_decides_whose_certificate_is_right(tmp_path: Path) -> None:
    authority = issued("authority.example")
    good, key = issued(HOST, by=authority)
    other, _ = issued("other.example")
    spki = good.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with secured(tmp_path, pem(good, authority[0]), pem_key(key)) as (sink, port):
        records = {
            "spki": Tlsa(3, 1, 1, hashlib.sha256(spki).digest()),
            "spki whole": Tlsa(3, 1, 0, spki),
            "sha512": Tlsa(3, 1, 2, hashlib.sha512(spki).digest()),
            "certificate": Tlsa(3, 0, 1, whole(good)),
            "anchor": Tlsa(2, 0, 1, whole(authority[0])),
            "another's": Tlsa(3, 0, 1, whole(other)),
            "anchor is a leaf": Tlsa(2, 0, 1, whole(other)),
        }
        found = {name: outcome(port, Security(Level.DANE, (record,))) for name, record in records.items()}
    wanted = dict.fromkeys(["spki", "spki whole", "sha512", "certificate", "anchor"], "accepted")
    assert found == wanted | dict.fromkeys(["another's", "anchor is a leaf"], "validation-failure")
    assert all(taken.tls for taken in sink.taken)


def test_a_certificate_that_can_not_be_read_is_not_the_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, key = issued(HOST)

    def unreadable(_encoded: bytes) -> x509.Certificate:
        raise ValueError("odd")

    with secured(tmp_path, pem(good), pem_key(key)) as (sink, port):
        monkeypatch.setattr(security.x509, "load_der_x509_certificate", unreadable)
        assert outcome(port, Security(Level.DANE, (Tlsa(3, 0, 1, whole(good)),))) == "validation-failure"
    assert not sink.taken


def test_an_anchor_vouches_for_the_servers_name_alone(tmp_path: Path) -> None:
    authority = issued("authority.example")
    stranger, key = issued("stranger.example", by=authority)
    anchor = Tlsa(2, 0, 1, whole(authority[0]))
    with secured(tmp_path, pem(stranger, authority[0]), pem_key(key)) as (sink, port):
        assert outcome(port, Security(Level.DANE, (anchor,))) == "validation-failure"
        assert outcome(port, Security(Level.DANE, (anchor,), ("stranger.example",))) == "accepted"
    assert len(sink.taken) == 1


def test_a_policy_wants_a_certificate_of_a_known_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = issued("authority.example")
    good, key = issued(HOST, by=authority)
    with secured(tmp_path, pem(good), pem_key(key)) as (sink, port):
        assert outcome(port, security.VERIFIED) == "certificate-not-trusted"
        trusting = ssl.create_default_context(cadata=pem(authority[0]).decode())
        monkeypatch.setattr("mta.outbound.session.context_for", lambda *, checked: trusting)
        assert outcome(port, security.VERIFIED) == "accepted"
        monkeypatch.setattr("tests.mta.test_protection.HOST", "elsewhere.example")
        assert outcome(port, security.VERIFIED) == "certificate-host-mismatch"
    assert len(sink.taken) == 1


@pytest.mark.parametrize("level", [Level.ENCRYPTED, Level.VERIFIED, Level.DANE])
def test_without_starttls_nothing_strict_is_sent(level: Level) -> None:
    sink = Sink()
    with remote(sink) as port:
        assert outcome(port, Security(level)) == "starttls-not-supported"
    assert not sink.taken


# Policies in testing (RFC 8461 5) -------------------------------------------------------------------

TESTING = Security(policy="sts", is_testing=True)


def noted(port: int, security: Security = TESTING) -> tuple[str, bool]:
    """What a report is told of a connection, and whether it is encrypted all the same."""

    async def opened() -> tuple[str, bool]:
        session = await open_session(Hop(HOST, "127.0.0.1", port, security=security))
        found = session.failure, session.wire.tls is not None
        await session.leave()
        return found

    return asyncio.run(opened())


def test_a_policy_in_testing_refuses_nothing_and_tells_what_it_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = issued("authority.example")
    good, key = issued(HOST, by=authority)
    with secured(tmp_path, pem(good), pem_key(key)) as (sink, port):
        assert noted(port) == ("certificate-not-trusted", True)
        assert noted(port, dataclasses.replace(TESTING, is_named=False)) == ("validation-failure", True)
        assert outcome(port, TESTING) == "accepted"
        assert sink.taken[-1].tls
        trusting = ssl.create_default_context(cadata=pem(authority[0]).decode())
        plain = security.context_for(checked=False)
        monkeypatch.setattr("mta.outbound.session.context_for", lambda *, checked: trusting if checked else plain)
        assert noted(port) == ("", True)
        monkeypatch.setattr("tests.mta.test_protection.HOST", "elsewhere.example")
        assert noted(port) == ("certificate-host-mismatch", True)


def test_a_policy_in_testing_tells_of_a_server_without_tls() -> None:
    sink = Sink()
    with remote(sink) as port:
        assert noted(port) == ("starttls-not-supported", False)
        assert outcome(port, TESTING) == "accepted"
