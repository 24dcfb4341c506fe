"""What a company wants of mail that leaves: footer, journal, forbidden files, rates and the stop, dead addresses."""

from __future__ import annotations

import dataclasses
import importlib
import io
import sys
import threading
import time
import zipfile
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import add_alias, create_group, update_account
from core.access import Access
from core.errors import ErrorKind, MailError
from logs_app.models import Event
from mailstore import blobs
from mailstore.message import Address, Outgoing, OutgoingPart, compose, read
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.company.files import check_files
from mta.company.footer import with_footer
from mta.company.policy import NO_RATES, RATES, send_policy, set_send_policy
from mta.company.rates import Spending, allow_account, count_mail, hold_if_stopped, obey, stop_account
from mta.company.suppression import SUPPRESSED, learn_bounces, suppress, suppressed, unsuppress
from mta.models import Delivery, SendCount, SendPolicy, SendStop, Submission, SuppressedAddress
from mta.outbound.queue import claim, put_back
from mta.outbound.result import Result, Verdict
from mta.outbound.settle import settle
from mta.services import queue_acts, submit
from mta.smtp_in import replies
from mta.steps import Outcome, tell_outcome
from tests.factories import make_account
from tests.mailstore.test_concurrency import at_once
from tests.mta.conftest import Running
from tests.mta.test_submit import RAW, mails, request, states

pytestmark = pytest.mark.django_db

POLICY = SendPolicy(footer_text="保密声明 & notice", footer_on="external")
ALICE = Address("Alice", "alice@example.test")


def letter(**given: Any) -> bytes:
    """A mail of the composer."""
    return compose(Outgoing(from_=ALICE, to=[Address("", "x@far.example")], subject="s", **given))


@pytest.mark.parametrize(
    "raw",
    [
        letter(text="Hello"),
        letter(html="<p>Hello</p>"),
        letter(
            html="<html><body><p>Hello</p></body></html>", attachments=[OutgoingPart("a.txt", "text/plain", b"file")]
        ),
        letter(
            html='<p>Hello</p><img src="cid:p">',
            attachments=[OutgoingPart("p.png", "image/png", b"\x89PNG", "p", True), OutgoingPart("a.bin", "x/y", b"z")],
        ),
        "Content-Type: text/plain; charset=gbk\r\n\r\n你好 Hello".encode("gbk"),
        b"Subject: no type\r\n\r\nHello",
    ],
    ids=["text", "html", "file", "picture", "gbk", "bare"],
)
def test_the_footer_stands_below_each_form_of_the_text_and_files_stay(raw: bytes) -> None:
    before, after = read(raw), read(with_footer(raw, POLICY))
    assert (after.text or "").rstrip().endswith("保密声明 & notice") and "Hello" in (after.text or "")
    if b"text/html" in raw:
        assert "保密声明 &amp; notice" in (after.html or "")
    assert [(each.filename, each.size_bytes) for each in after.attachments] == [
        (each.filename, each.size_bytes) for each in before.attachments
    ]
    assert after.subject == before.subject


SEALED = (
    b"Content-Type: multipart/signed; protocol=x/y; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    b"--b\r\nContent-Type: x/y\r\n\r\nsignature\r\n--b--\r\n"
)
FORWARDED = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\n\r\nHello\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nfile\r\n--b--\r\n"
)


@pytest.mark.parametrize("raw", [SEALED, FORWARDED])
def test_what_is_sealed_or_has_no_text_of_its_own_stays(raw: bytes) -> None:
    changed = with_footer(raw, POLICY)
    assert changed == raw


def test_people_outside_get_the_footer_the_author_and_colleagues_do_not(alice: Account, bob: Account) -> None:
    set_send_policy(alice.domain, footer_on="external", footer_text="Confidential")
    submission = submit(access_for(alice, alice.pk), request("bob@example.test", "x@far.example"))
    outside = Delivery.objects.get(submission=submission, recipient="x@far.example")
    assert outside.blob_id is not None
    assert "Confidential" in (read(blobs.get(outside.blob_id)).text or "")
    assert b"Bcc" not in blobs.get(outside.blob_id)
    assert mails(alice, "sent") == [RAW]
    assert "Confidential" not in (read(mails(bob, "inbox")[0]).text or "")
    set_send_policy(alice.domain, footer_on="all")
    submit(access_for(alice, alice.pk), request("bob@example.test"))
    assert "Confidential" in (read(mails(bob, "inbox")[1]).text or "")


def test_the_journal_has_every_mail_with_its_envelope(alice: Account, bob: Account) -> None:
    set_send_policy(alice.domain, journal_address="bob@example.test")
    submit(access_for(alice, alice.pk), request("x@far.example", "hidden@far.example"))
    (report,) = mails(bob, "inbox")
    assert "Recipient: hidden@far.example" in (read(report).text or "")
    assert read(report).attachments[0].content_type == "message/rfc822"
    set_send_policy(alice.domain, journal_address="archive@far.example")
    submit(access_for(alice, alice.pk), request("y@far.example"))
    assert Delivery.objects.filter(recipient="archive@far.example", state="queued").count() == 1


INCOMING = b"From: x@far.example\r\nTo: alice@example.test\r\nSubject: offer\r\n\r\nCheap\r\n"


@pytest.mark.django_db(transaction=True)
def test_the_journal_has_what_comes_in_where_that_is_wanted(running: Running, alice: Account, bob: Account) -> None:
    add_alias(alice, "sales")
    set_send_policy(alice.domain, journal_address="bob@example.test")
    with running.client() as client:
        client.sendmail("x@far.example", ["alice@example.test"], INCOMING)
    assert mails(bob, "inbox") == []
    set_send_policy(alice.domain, journals_incoming=True)
    with running.client() as client:
        client.sendmail("x@far.example", ["sales@example.test"], INCOMING)
    (report,) = mails(bob, "inbox")
    text = read(report).text or ""
    assert "Sender: x@far.example" in text
    assert "Recipient: alice@example.test, Expanded: sales@example.test" in text
    assert read(report).attachments[0].content_type == "message/rfc822"
    assert b"\r\n\r\nCheap" in report
    with running.client() as client:
        client.sendmail("x@far.example", ["bob@example.test"], INCOMING)
    assert len(mails(bob, "inbox")) == 2, "what is sent to the journal is not journaled"
    submit(access_for(alice, alice.pk), request("alice@example.test"))
    assert len(mails(bob, "inbox")) == 3, "a colleague's mail is there once"


@pytest.mark.django_db(transaction=True)
def test_a_journal_names_all_and_has_no_holes(running: Running, alice: Account, bob: Account) -> None:
    add_alias(bob, "archive")
    carol, dora = make_account("carol@example.test"), make_account("dora@example.test", quota_bytes=1)
    create_group(alice.domain, "team", name="Team", posting="anyone", members=[alice, carol, dora])
    set_send_policy(alice.domain, journal_address="archive@example.test", journals_incoming=True)
    raw = b"Message-ID: <one@far.example>\r\n" + INCOMING
    with running.client() as client:
        client.sendmail("x@far.example", ["archive@example.test"], INCOMING)
        assert len(mails(bob, "inbox")) == 1, "what is sent to another name of the journal is not journaled"
        update_account(bob, quota_bytes=1)
        client.sendmail("x@far.example", ["team@example.test", "alice@example.test"], raw)
    (report,) = (each for each in mails(bob, "inbox") if b"Recipient:" in each)
    text = read(report).text or ""
    for name in ("alice", "carol", "dora"):
        assert text.count(f"Recipient: {name}@example.test, Expanded: team@example.test") == 1
    assert "Message-Id: <one@far.example>" in text
    assert report.startswith(b"Return-Path: <>\r\n")
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in report


def test_what_the_system_sends_is_in_no_journal(alice: Account, bob: Account) -> None:
    set_send_policy(alice.domain, journal_address="bob@example.test")
    access = access_for(alice, alice.pk)
    submit(access, request("x@far.example", envelope_from="", save_to_sent=False, origin="system"))
    assert mails(bob, "inbox") == []


def test_another_domain_here_has_its_own_journal(alice: Account, bob: Account) -> None:
    other = make_account("dora@other.test")
    set_send_policy(other.domain, journal_address="archive@far.example", journals_incoming=True)
    submit(access_for(alice, alice.pk), request("dora@other.test", "bob@example.test"))
    row = Delivery.objects.get(recipient="archive@far.example")
    text = read(blobs.get(row.submission.wire_blob_id)).text or ""
    assert "Recipient: dora@other.test" in text
    assert "bob" not in text


@pytest.mark.django_db(transaction=True)
def test_journals_that_lead_to_each_other_come_to_an_end(running: Running, alice: Account) -> None:
    set_send_policy(alice.domain, journal_address="archive@far.example", journals_incoming=True)
    with running.client() as client:
        client.sendmail("x@far.example", ["alice@example.test"], INCOMING)
    first = Delivery.objects.get(recipient="archive@far.example")
    assert b"Received: " not in blobs.get(first.submission.wire_blob_id).partition(b"\r\n\r\n")[0]
    first.submission.delete()
    hops = b"".join(b"Received: from a by b; Mon, 30 Nov 2026 00:00:00 +0000\r\n" for _ in range(20))
    with running.client() as client:
        client.sendmail("x@far.example", ["alice@example.test"], hops + b"X-MS-Journal-Report: \r\n" + INCOMING)
    row = Delivery.objects.get(recipient="archive@far.example")
    assert blobs.get(row.submission.wire_blob_id).partition(b"\r\n\r\n")[0].count(b"Received: ") == 21


def zipped(*names: str) -> bytes:
    """An archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("filename", "content", "refused"),
    [
        ("run.EXE", b"MZ", True),
        ("run.exe. ", b"MZ", True),
        ("report.pdf", b"%PDF", False),
        ("exe", b"x", False),
        ("all.zip", zipped("a.txt", "deep/run.exe"), True),
        ("all.zip", zipped("a.txt"), False),
        ("all.zip", b"no archive", False),
    ],
)
def test_forbidden_files_are_refused_by_name_in_archives_too(filename: str, content: bytes, refused: bool) -> None:
    raw = letter(text="x", attachments=[OutgoingPart(filename, "application/octet-stream", content)])
    if not refused:
        return check_files(raw, "exe, *.bat")
    with pytest.raises(MailError) as error:
        check_files(raw, "exe, *.bat")
    assert (error.value.kind, error.value.data["field"]) == (ErrorKind.INVALID, "attachment")
    assert replies.reply_for(error.value).startswith(b"554 5.7.1")
    return None


@pytest.mark.parametrize("field", ["hourly_recipients", "daily_recipients", "daily_strangers", "pool_strangers"])
def test_rates_refuse_for_now_and_count_what_was_taken_alone(alice: Account, bob: Account, field: str) -> None:
    set_send_policy(alice.domain, **{field: 2})
    access = access_for(alice, alice.pk)
    submit(access, request("x@far.example", "y@far.example"))
    with pytest.raises(MailError) as error:
        submit(access, request("z@far.example"))
    assert (error.value.kind, error.value.data["field"]) == (ErrorKind.LIMIT, field)
    assert replies.reply_for(error.value).startswith(b"452 4.7.1")
    assert Submission.objects.count() == 1 and SendCount.objects.get().recipients == 2
    if field.endswith("strangers"):
        submit(access, request("bob@example.test"))


def test_who_has_written_before_is_no_stranger(alice: Account) -> None:
    incoming = prepare(b"From: x@far.example\r\nTo: alice@example.test\r\nMessage-ID: <q@x>\r\nSubject: q\r\n\r\nq\r\n")
    with transaction.atomic():
        store([Incoming(incoming, [Placement(alice.pk)])])
    set_send_policy(alice.domain, daily_strangers=1)
    access = access_for(alice, alice.pk)
    submit(access, request("X@far.example", "new@far.example"))
    with pytest.raises(MailError):
        submit(access, request("newer@far.example"))
    submit(access, request("x@far.example"))


def test_an_abused_account_is_stopped_its_queue_held_and_the_administrator_told(alice: Account) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    set_send_policy(alice.domain, stop_strangers=2)
    access = access_for(alice, alice.pk)
    waiting = submit(access, request("x@far.example", "y@far.example"))
    before = len(mails(boss, "inbox"))
    with pytest.raises(MailError) as error:
        submit(access, request("z@far.example"))
    for _twice in range(2):
        obey(alice.pk, error.value)
    assert SendStop.objects.get().account_id == alice.pk
    assert claim(1 << 61) == []
    assert len(mails(boss, "inbox")) == before + 1
    with pytest.raises(MailError) as error:
        submit(access, request("bob@example.test"))
    assert error.value.data["field"] == "stopped"
    with pytest.raises(MailError):
        allow_account(SendStop.objects.get(), actor=alice)
    allow_account(SendStop.objects.get(), actor=boss)
    assert set(states(waiting).values()) == {"queued"}
    assert len(claim(1 << 61)) == 2
    submit(access, request("z@far.example"))
    acts = set(Event.objects.filter(kind="admin").values_list("data__action", flat=True))
    assert {"stop_sending", "allow_sending"} <= acts


@pytest.mark.parametrize(
    ("used", "field"),
    [
        ({"recipients": 1_999}, None),
        ({"recipients": 2_000}, "hourly_recipients"),
        ({"recipients": 499, "strangers": 499}, None),
        ({"recipients": 500, "strangers": 500}, "stopped"),
    ],
    ids=["as many as people write", "too many", "as many strangers", "too many strangers"],
)
def test_a_domain_that_has_chosen_nothing_has_rates_too(
    alice: Account, used: dict[str, int], field: str | None
) -> None:
    soon = int(time.time()) // 3600 + 1  # counted whenever the hour ends
    SendCount.objects.create(account_id=alice.pk, domain_id=alice.domain_id, hour=soon, **used)
    access = access_for(alice, alice.pk)
    if field is None:
        submit(access, request("x@far.example"))
        return
    with pytest.raises(MailError) as error:
        submit(access, request("x@far.example"))
    assert error.value.data["field"] == field
    set_send_policy(alice.domain, **NO_RATES)
    submit(access, request("x@far.example"))


def test_what_is_under_way_when_its_account_is_stopped_is_held_when_the_attempt_ends(alice: Account) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    access = access_for(alice, alice.pk)
    submission = Submission.objects.get(pk=submit(access, request("x@far.example", "y@far.example", "z@far.example")))
    tried, kept, lost = claim(1 << 61)
    stop_account(alice, strangers=3)
    settle(submission, [tried], [Result(tried.recipient, Verdict.LATER, "4.2.0", "later", "mx")])
    put_back([kept], 5, 5)
    assert dict(Delivery.objects.values_list("recipient", "state")) == {
        tried.recipient: "deferred",
        kept.recipient: "queued",
        lost.recipient: "sending",
    }
    assert claim(1 << 61) == [], "nothing of it is due, whatever became of the worker"
    allow_account(SendStop.objects.get(), actor=boss)
    assert {each.id for each in claim(time.time_ns() // 1000)} == {tried.id, kept.id}
    assert [each.id for each in claim(lost.until_us) if each.id not in {tried.id, kept.id}] == [lost.id]


def test_an_operator_reaches_held_mail_whose_worker_died(alice: Account) -> None:
    submit(access_for(alice, alice.pk), request("x@far.example"))
    (lost,) = claim(1 << 61)
    stop_account(alice, strangers=3)
    assert queue_acts.release_held([lost.id]) == 0, "the worker may be at it still"
    Delivery.objects.update(claimed_until_us=1)
    assert queue_acts.release_held([lost.id]) == 1
    assert [each.id for each in claim(time.time_ns() // 1000)] == [lost.id]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("field", ["daily_recipients", "pool_strangers"])
def test_two_mails_at_once_do_not_spend_the_same_remainder(
    alice: Account, bob: Account, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_send_policy(alice.domain, **{field: 1})
    senders = [alice, alice] if field == "daily_recipients" else [alice, bob]
    mails_of = [(access_for(each, each.pk), each.address) for each in senders]
    both, refused = threading.Barrier(2), []

    def counted(*given: Any) -> Spending | None:
        spending = count_mail(*given)
        both.wait(10)
        return spending

    def write(access: Access, address: str) -> None:
        try:
            submit(access, dataclasses.replace(request("x@far.example"), envelope_from=address))
        except MailError as error:
            refused.append(error.data["field"])

    monkeypatch.setattr(sys.modules["mta.services.submit"], "count_mail", counted)
    at_once(*(partial(write, *each) for each in mails_of))
    assert refused == [field]
    assert SendCount.objects.aggregate(all=Sum("recipients"))["all"] == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_being_held_when_the_account_is_allowed_again_is_let_go_too(alice: Account) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    access = access_for(alice, alice.pk)
    submission = Submission.objects.get(pk=submit(access, request("x@far.example")))
    stop_account(alice, strangers=3)
    Delivery.objects.update(on_hold=False, next_attempt_us=0)
    held, done = threading.Event(), []

    def hold() -> None:
        with transaction.atomic():
            hold_if_stopped(submission)
            held.set()
            time.sleep(0.3)  # long enough for the other to have passed, if nothing makes it wait

    def allow() -> None:
        held.wait(10)
        allow_account(SendStop.objects.get(), actor=boss)
        done.append(True)

    at_once(hold, allow)
    assert done
    row = Delivery.objects.get()
    assert (row.on_hold, row.state) == (False, "queued")


@pytest.mark.parametrize(
    ("stored", "changed", "expected"),
    [
        ({}, {"footer_text": "x"}, 2_000),
        ({}, {"hourly_recipients": 5}, 0),
        ({"hourly_recipients": 7}, {}, 7),
        ({"stop_strangers": 1}, {}, 0),
    ],
    ids=["never chosen", "chosen and taken back", "chosen", "one of them chosen"],
)
def test_policies_of_before_the_default_rates_get_them_unless_somebody_chose(
    alice: Account, charlie: Account, stored: dict[str, int], changed: dict[str, Any], expected: int
) -> None:
    SendPolicy.objects.create(domain=alice.domain, **{**NO_RATES, **stored})
    if changed:
        set_send_policy(alice.domain, **changed)
    SendPolicy.objects.filter(pk=alice.domain_id).update(**{**NO_RATES, **stored})
    SendPolicy.objects.create(domain=charlie.domain, **NO_RATES)
    migration = importlib.import_module("mta.migrations.0029_rates_of_old_policies")
    migration.fill_in(apps, SimpleNamespace(connection=connection))
    assert SendPolicy.objects.get(pk=alice.domain_id).hourly_recipients == expected
    given = {name: getattr(SendPolicy.objects.get(pk=charlie.domain_id), name) for name in RATES}
    assert given == {name: getattr(SendPolicy(), name) for name in RATES}


def test_dead_addresses_come_back_at_once_until_they_live(alice: Account) -> None:
    access = access_for(alice, alice.pk)
    first = submit(access, request("Gone@far.example"))
    tell_outcome(Outcome(first, "Gone@far.example", "bounced", "5.1.1", "no such user"))
    tell_outcome(Outcome(first, "full@far.example", "bounced", "5.2.2", "full"))
    assert suppressed(alice.domain_id, ["GONE@far.example", "full@far.example"]) == {"gone@far.example"}
    again = submit(access, request("gone@far.example", "x@far.example"))
    assert states(again) == {"gone@far.example": "bounced", "x@far.example": "queued"}
    assert Delivery.objects.get(submission=again, state="bounced").text == SUPPRESSED[1]
    assert SuppressedAddress.objects.get().bounces == 1
    tell_outcome(Outcome(first, "gone@far.example", "accepted", "2.0.0", ""))
    assert not SuppressedAddress.objects.exists()


def test_what_an_administrator_has_written_down_no_server_takes_back(alice: Account) -> None:
    first = submit(access_for(alice, alice.pk), request("gone@far.example"))
    for by_server in ("accepted", "2.0.0"), ("bounced", "5.1.1"):
        suppress(alice.domain, "gone@far.example")
        tell_outcome(Outcome(first, "gone@far.example", *by_server, "said"))
        learn_bounces([Outcome(first, "gone@far.example", *by_server, "said", alice.domain_id)])
        entry = SuppressedAddress.objects.get()
        assert (entry.code, entry.bounces, (entry.until - entry.since).days > 3_000) == ("", 1, True)
    tell_outcome(Outcome(first, "x@far.example", "bounced", "5.1.1", "said"))
    suppress(alice.domain, "x@far.example")
    tell_outcome(Outcome(first, "x@far.example", "accepted", "2.0.0", ""))
    assert suppressed(alice.domain_id, ["x@far.example"]) == {"x@far.example"}


def test_a_mailbox_that_we_do_not_have_is_no_dead_address(alice: Account, charlie: Account) -> None:
    away = submit(access_for(alice, alice.pk), request("gone@example.test", f"gone@{charlie.domain.name}"))
    assert set(states(away).values()) == {"bounced"}
    assert not SuppressedAddress.objects.exists()


def test_other_domains_and_other_people_have_no_say(alice: Account, charlie: Account) -> None:
    entry = suppress(alice.domain, "gone@far.example")
    assert suppressed(charlie.domain_id, ["gone@far.example"]) == set()
    for act in (
        lambda: unsuppress(entry, actor=charlie),
        lambda: unsuppress(entry, actor=alice),
        lambda: suppress(alice.domain, "x@far.example", actor=alice),
        lambda: set_send_policy(alice.domain, actor=charlie, footer_on="all"),
        lambda: set_send_policy(alice.domain, footer_on="sometimes"),
        lambda: set_send_policy(alice.domain, journal_address="nobody"),
    ):
        with pytest.raises(MailError):
            act()
    assert send_policy(alice.domain_id).footer_on == "none"
