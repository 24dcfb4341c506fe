"""Aggregate reports from the judged mail to the domain that asked, and from others into our administration."""

from __future__ import annotations

import base64
import datetime
import gzip
from email import message_from_bytes
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Address
from accounts.services import create_account
from logs_app.models import Event, Kind
from mta import tasks
from mta.dmarc_reports import reading, xml
from mta.dmarc_reports.sending import send_reports
from mta.models import DkimKey, DmarcObservation, DmarcReport
from mta.outbound import worker
from tests.factories import make_domain
from tests.flows.test_mail_in import eventually
from tests.mta.conftest import Running
from tests.mta.dmarc_reports.test_xml import written
from tests.mta.names import txt
from tests.mta.sink import Sink, remote
from tests.mta.strangers import ZONE as JUDGED_ZONE, judged, letter, send
from tests.mta.test_submit import mails

__all__ = ["judged"]

ASKING = {
    ("_dmarc.good.test", "TXT"): [txt("v=DMARC1; p=reject; rua=mailto:us@good.test,mailto:agent@reports.test!10m")],
    ("_dmarc.shop.test", "TXT"): [txt("v=DMARC1; p=quarantine; rua=mailto:agent@stranger.test")],
    ("good.test._report._dmarc.reports.test", "TXT"): [txt("v=DMARC1")],
}


def tomorrow() -> datetime.date:
    """Asked when it is wanted: a run may begin before midnight."""
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch, judged: Running) -> Running:
    """Domains that want reports."""
    for key, records in ASKING.items():
        monkeypatch.setitem(JUDGED_ZONE, key, records)
    return judged


def seen(count: int) -> None:
    """The observations are written behind the answers."""
    eventually(lambda: sum(DmarcObservation.objects.values_list("count", flat=True)) == count)


def test_a_domain_that_asks_is_told_the_next_day_what_came_in_its_name(
    asking: Running, alice: Account, settings: Any
) -> None:
    for _ in range(2):
        assert send(asking, letter("boss@good.test"), sender="boss@good.test").startswith("250")
    assert send(asking, letter("boss@good.test"), sender="thief@evil.test").startswith("550")
    seen(3)
    assert DmarcObservation.objects.count() == 2
    assert send_reports(DmarcObservation.objects.latest("day").day) == 0  # today is not over
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        assert send_reports(tomorrow()) == 1
        worker.send_due()
        assert send_reports(tomorrow()) == 0
    reached = sorted(address for taken in sink.taken for address in taken.recipients)
    assert reached == ["agent@reports.test", "us@good.test"]
    mail = message_from_bytes(sink.taken[0].content)
    assert mail["From"] == "DMARC <dmarc-reports@example.test>"
    assert " ".join(mail["Subject"].split()).startswith(
        "Report Domain: good.test Submitter: mx.example.test Report-ID: <"
    )
    assert "d=example.test" in mail["DKIM-Signature"]
    [attached] = [part for part in mail.walk() if part.get_content_type() == "application/gzip"]
    assert attached.get_filename().startswith("mx.example.test!good.test!")  # type: ignore[union-attr]
    report = xml.read(attached.get_payload(decode=True))  # type: ignore[arg-type]
    assert report is not None
    assert sorted((row.count, row.disposition, row.spf, row.passed) for row in report.rows) == [
        (1, "reject", "fail", False),
        (2, "none", "pass", True),
    ]


def test_an_address_that_has_not_agreed_gets_nothing(asking: Running, alice: Account) -> None:
    send(asking, letter("x@shop.test"))
    seen(1)
    assert DmarcObservation.objects.get().facts["outcome"] == "quarantine"
    assert send_reports(tomorrow()) == 0
    assert not DmarcObservation.objects.exists()


def test_what_no_database_holds_is_left_out_and_holds_nothing_up(asking: Running, alice: Account) -> None:
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; d=good.test; s=x\0y; h=from; bh=AAAA; b=AAAA\r\n"
    assert send(asking, signature + letter("boss@good.test"), sender="boss@good.test").startswith("250")
    assert send(asking, letter("boss@good.test"), sender="boss@good.test").startswith("250")
    seen(2)
    assert "\0" not in str([row.facts for row in DmarcObservation.objects.all()])
    eventually(lambda: Event.objects.filter(kind=Kind.RECEIVED).count() == 2)


def test_nothing_is_counted_when_reports_are_switched_off(asking: Running, alice: Account, settings: Any) -> None:
    settings.DMARC_REPORTS = False
    send(asking, letter("x@lax.test"))
    send(asking, letter("x@good.test"), sender="x@good.test")
    assert len(mails(alice, "inbox")) == 2
    assert not DmarcObservation.objects.exists()


def attached(content: bytes, *, name: str = "report.xml.gz") -> bytes:
    return (
        b"From: noreply@big.test\r\nTo: dmarc-reports@example.test\r\nSubject: Report Domain: example.test\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
        b"A report\r\n--b\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="'
        + name.encode()
        + b'"\r\n\r\n'
        + base64.encodebytes(content).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )


def about(domain: str) -> bytes:
    return gzip.compress(written().replace(b"<domain>good.test<", f"<domain>{domain}<".encode()))


def test_a_report_about_us_is_read_shown_and_put_away(running: Running, alice: Account, client: Client) -> None:
    contents = (about("example.test"), about("example.test"), about("other.test"), b"no report")
    for number, content in enumerate(contents):
        answer = send(running, attached(content, name=f"{number}.gz"), "dmarc-reports@example.test")
        assert answer.startswith("250")
    tasks.exchange_dmarc_reports()
    report = DmarcReport.objects.get()
    assert (report.organisation, report.passed, report.failed) == ("mx.us.test", 3, 0)
    assert report.rows[0]["address"] == "192.0.2.1"
    system = Account.objects.get(domain=alice.domain, kind=Account.Kind.SYSTEM)
    assert (len(mails(system, "inbox")), len(mails(system, "trash"))) == (1, 3)
    boss = create_account(alice.domain, "boss", name="Boss", password="correct horse 9", role=Account.Role.DOMAIN_ADMIN)
    client.force_login(boss)
    assert "mx.us.test" in client.get(reverse("admin:mta_dmarcreport_changelist")).content.decode()
    assert "192.0.2.1 · 3" in client.get(reverse("admin:mta_dmarcreport_change", args=[report.pk])).content.decode()


def test_mail_that_is_no_report_does_not_hold_up_those_that_are(
    running: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAILS_MAX", 2)
    send(running, attached(about("example.test")), "dmarc-reports@example.test")
    for number in range(3):
        send(running, attached(b"no report", name=f"{number}.gz"), "dmarc-reports@example.test")
    for _ in range(2):
        tasks.exchange_dmarc_reports()
    assert DmarcReport.objects.count() == 1
    system = Account.objects.get(domain=alice.domain, kind=Account.Kind.SYSTEM)
    assert (len(mails(system, "inbox")), len(mails(system, "trash"))) == (3, 1)


def test_older_domains_get_their_address_by_the_task(alice: Account) -> None:
    Address.objects.filter(address="dmarc-reports@example.test").delete()
    DkimKey.objects.all().delete()
    tasks.turn_keys()
    assert Address.objects.get(address="dmarc-reports@example.test").account.kind == "system"  # type: ignore[union-attr]
    assert make_domain("new.test").pk
    assert Address.objects.filter(address="dmarc-reports@new.test").exists()
