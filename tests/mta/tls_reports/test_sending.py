"""TLS reports: what was seen is told once, to who asks for it."""

from __future__ import annotations

import datetime
import email
import gzip
import http.server
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore
import pytest

from accounts.models import Account
from mailstore import blobs
from mta import daily_reports
from mta.daily_reports import KEPT_DAYS
from mta.models import StsPolicy, Submission, TlsOutcome
from mta.outbound.routing import Hop
from mta.outbound.security import VERIFIED, Security
from mta.tls_reports import sending
from mta.tls_reports.observed import Observations
from mta.tls_reports.sending import content, send_reports
from tests.mta.guarded_web import serving_https
from tests.mta.names import Zone, serving

RECORD = {("_smtp._tls.far.example", "TXT"): ['"v=TLSRPTv1; rua=mailto:tls@far.example"']}


def tomorrow() -> datetime.date:
    """Asked when it is wanted: a run may begin before midnight."""
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)


def seen() -> None:
    """Two good connections, three bad ones, and what is not told."""
    observations = Observations()
    hop = Hop("mx.far.example", "192.0.2.1", security=Security(policy="sts"))
    for _ in range(2):
        observations.note("far.example", hop, "", is_tls=True)
    for _ in range(3):
        observations.note("far.example", hop, "certificate-expired")
    observations.note("far.example", Hop("mx.far.example", "192.0.2.1"), "", is_tls=False)
    observations.note("far.example", Hop("smart", "192.0.2.2", security=VERIFIED, login=("a", "b")), "x")
    observations.write()
    observations.write()


@pytest.mark.django_db(transaction=True)
def test_a_report_says_what_was_seen_and_is_sent_once(alice: Account) -> None:
    seen()
    with serving(RECORD):
        assert send_reports(tomorrow()) == 1
        assert send_reports(tomorrow()) == 0
    submission = Submission.objects.get()
    assert submission.deliveries.get().recipient == "tls@far.example"
    mail = email.message_from_bytes(blobs.get(submission.wire_blob_id))
    assert mail["TLS-Report-Domain"] == "far.example"
    (part,) = [each for each in mail.walk() if each.get_content_type() == "application/tlsrpt+gzip"]
    packed: Any = part.get_payload(decode=True)
    (policy,) = json.loads(gzip.decompress(packed))["policies"]
    assert policy["policy"]["policy-type"] == "sts"
    assert policy["summary"] == {"total-successful-session-count": 2, "total-failure-session-count": 3}
    assert policy["failure-details"][0]["result-type"] == "certificate-expired"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "records",
    [
        {},
        {("_smtp._tls.far.example", "TXT"): ['"v=TLSRPTv1; rua=http://x/"']},
        {
            ("_smtp._tls.far.example", "TXT"): [
                *RECORD["_smtp._tls.far.example", "TXT"],
                '"v=TLSRPTv1; rua=mailto:b@far.example"',
            ]
        },
    ],
    ids=["none", "no address", "two records"],
)
def test_who_asks_for_nothing_is_told_nothing(alice: Account, records: Any) -> None:
    seen()
    with serving(records):
        assert send_reports(tomorrow()) == 0
    assert not TlsOutcome.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_report_waits_for_the_dns_and_not_for_ever(alice: Account) -> None:
    seen()
    with serving({("_smtp._tls.far.example", "TXT"): ["SERVFAIL"]}):
        assert send_reports(tomorrow()) == 0
        assert TlsOutcome.objects.count() == 2
        assert send_reports(tomorrow() + datetime.timedelta(days=KEPT_DAYS)) == 0
    assert not TlsOutcome.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_reports_nothing_sends_and_keeps_nothing(alice: Account, settings: Any) -> None:
    seen()
    settings.TLS_REPORTS = False
    with serving(RECORD):
        assert send_reports(tomorrow()) == 0
    assert not TlsOutcome.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.django_db
def test_a_report_says_all_that_rfc_8460_asks_for(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen()
    settings.EHLO_NAME = "mx.example.test"
    StsPolicy.objects.create(domain="far.example", mode="enforce", mx=["mx.far.example", "*.far.example"])
    rows = list(TlsOutcome.objects.order_by("-count"))
    assert content(datetime.date(2026, 11, 30), "far.example", rows) == {
        "organization-name": "mx.example.test",
        "date-range": {"start-datetime": "2026-11-30T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"},
        "contact-info": "tls-reports@example.test",
        "report-id": "2026-11-30.far.example@mx.example.test",
        "policies": [
            {
                "policy": {
                    "policy-type": "sts",
                    "policy-domain": "far.example",
                    "policy-string": ["version: STSv1", "mode: enforce", "mx: mx.far.example", "mx: *.far.example"],
                    "mx-host": ["mx.far.example", "*.far.example"],
                },
                "summary": {"total-successful-session-count": 2, "total-failure-session-count": 3},
                "failure-details": [
                    {
                        "result-type": "certificate-expired",
                        "receiving-mx-hostname": "mx.far.example",
                        "receiving-ip": "192.0.2.1",
                        "failed-session-count": 3,
                    }
                ],
            },
        ],
    }


@pytest.mark.django_db(transaction=True)
def test_the_most_frequent_are_told_and_the_next_day_waits(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    seen()
    monkeypatch.setattr(sending, "ROWS_MAX", 1)
    later = TlsOutcome.objects.latest("pk")
    TlsOutcome.objects.create(
        day=later.day + datetime.timedelta(days=1), domain="far.example", digest=b"x", facts=later.facts, count=9
    )
    with serving(RECORD):
        assert sending.send_report(later.day, "far.example")
    assert [row.count for row in TlsOutcome.objects.all()] == [9]
    mail = email.message_from_bytes(blobs.get(Submission.objects.get().wire_blob_id))
    (part,) = [each for each in mail.walk() if each.get_content_type() == "application/tlsrpt+gzip"]
    told: Any = part.get_payload(decode=True)
    (policy,) = json.loads(gzip.decompress(told))["policies"]
    assert policy["summary"]["total-failure-session-count"] == 3
    assert policy["summary"]["total-successful-session-count"] == 0


class Web:
    """What https://x.example/tls was given, and what it answers."""

    def __init__(self) -> None:
        self.status = 201
        self.taken: list[tuple[str, str, bytes]] = []


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web server on loopback that the guard is led to, with a certificate it trusts."""
    said = Web()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said.taken.append((self.path, self.headers["Content-Type"], body))
            self.send_response(said.status)
            self.send_header("Location", "https://x.example/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:  # noqa: N802 - the library's name
            said.taken.append((self.path, "", b""))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with serving_https(tmp_path, monkeypatch, "x.example", Handler):
        yield said


def asking(rua: str) -> Zone:
    """The record of far.example."""
    return {("_smtp._tls.far.example", "TXT"): [f'"v=TLSRPTv1; rua={rua}"']}


@pytest.mark.django_db(transaction=True)
def test_a_report_is_posted_and_sent_where_both_are_named(alice: Account, web: Web) -> None:
    seen()
    with serving(asking("https://x.example/tls,mailto:tls@far.example")):
        assert send_reports(tomorrow()) == 1
    ((path, media_type, packed),) = web.taken
    assert (path, media_type) == ("/tls", "application/tlsrpt+gzip")
    assert json.loads(gzip.decompress(packed))["policies"][0]["policy"]["policy-type"] == "sts"
    assert Submission.objects.get().deliveries.get().recipient == "tls@far.example"
    assert not TlsOutcome.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_mail_goes_though_nobody_took_the_post(alice: Account, web: Web) -> None:
    seen()
    web.status = 503
    with serving(asking("https://x.example/tls,mailto:tls@far.example")):
        assert send_reports(tomorrow()) == 1
    assert len(web.taken) == 1
    assert Submission.objects.get().deliveries.get().recipient == "tls@far.example"
    assert not TlsOutcome.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_addresses_of_a_record_are_bounded(alice: Account, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    seen()
    most = 2
    monkeypatch.setattr(daily_reports, "ADDRESSES_MAX", most)
    uris = [f"https://x.example/{number},mailto:{number}@far.example" for number in range(most + 1)]
    with serving(asking(",".join(uris))):
        assert send_reports(tomorrow()) == 1
    assert [path for path, _, _ in web.taken] == [f"/{number}" for number in range(most)]
    assert Submission.objects.get().deliveries.count() == most


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [302, 404, 503])
def test_what_nobody_took_is_told_later(alice: Account, web: Web, status: int) -> None:
    seen()
    web.status = status
    with serving(asking("https://x.example/tls")):
        assert send_reports(tomorrow()) == 0
        assert TlsOutcome.objects.count() == 2
        web.status = 200
        assert send_reports(tomorrow()) == 1
    assert len(web.taken) == 2
    assert web.taken[0] == web.taken[1]
    assert not TlsOutcome.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", ["https://127.0.0.1/tls", "https://[::1]/", "https://x.example:8443/"])
def test_no_report_is_posted_to_our_neighbours(alice: Account, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    seen()
    opened: list[object] = []
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda *given, **_: opened.append(given))
    with serving(asking(url)):
        assert send_reports(tomorrow()) == 0
    assert not opened


@pytest.mark.django_db
def test_today_is_not_over(alice: Account) -> None:
    seen()
    assert send_reports(TlsOutcome.objects.latest("day").day) == 0
    assert TlsOutcome.objects.count() == 2
