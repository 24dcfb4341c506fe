"""TLS reports: what was seen is told once, to who asks for it."""

from __future__ import annotations

import datetime
import email
import gzip
import json
from typing import Any

import pytest

from accounts.models import Account
from mailstore import blobs
from mta.daily_reports import KEPT_DAYS
from mta.models import Submission, TlsOutcome
from mta.outbound.routing import Hop
from mta.outbound.security import VERIFIED, Security
from mta.tls_reports.observed import Observations
from mta.tls_reports.sending import send_reports
from tests.mta.names import serving

TOMORROW = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
RECORD = {("_smtp._tls.far.example", "TXT"): ['"v=TLSRPTv1; rua=https://x.example/,mailto:tls@far.example"']}


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
        assert send_reports(TOMORROW) == 1
        assert send_reports(TOMORROW) == 0
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
@pytest.mark.parametrize("records", [{}, {("_smtp._tls.far.example", "TXT"): ['"v=TLSRPTv1; rua=https://x/"']}])
def test_who_asks_for_nothing_is_told_nothing(alice: Account, records: Any) -> None:
    seen()
    with serving(records):
        assert send_reports(TOMORROW) == 0
    assert not TlsOutcome.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_report_waits_for_the_dns_and_not_for_ever(alice: Account) -> None:
    seen()
    with serving({("_smtp._tls.far.example", "TXT"): ["SERVFAIL"]}):
        assert send_reports(TOMORROW) == 0
        assert TlsOutcome.objects.count() == 2
        assert send_reports(TOMORROW + datetime.timedelta(days=KEPT_DAYS)) == 0
    assert not TlsOutcome.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.django_db
def test_today_is_not_over(alice: Account) -> None:
    seen()
    assert send_reports(TOMORROW - datetime.timedelta(days=1)) == 0
    assert TlsOutcome.objects.count() == 2
