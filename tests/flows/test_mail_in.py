"""The journey of a message from a stranger into mailboxes, over real sockets."""

from __future__ import annotations

import asyncio
import smtplib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts.models import Account, Group
from accounts.services import (
    add_alias,
    add_domain_alias,
    create_group,
    set_catch_all,
    suspend_account,
    update_account,
)
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore.models import Entry, Folder
from mta.inbound import receive
from mta.models import Accepted, Delivery
from mta.steps import BEFORE_STORE, BeforeStore, register_before_store
from tests.dialogue import client_tls
from tests.mta.conftest import Running
from tests.mta.test_submit import mails

LETTER = (
    b"From: x@far.example\r\nTo: alice@example.test\r\nMessage-ID: <m1@far.example>\r\nSubject: hi\r\n\r\n.Hello\r\n"
)


def send(running: Running, *recipients: str, message: bytes = LETTER, sender: str = "x@far.example") -> None:
    """Send through the MX port with smtplib."""
    with running.client() as client:
        client.sendmail(sender, list(recipients), message)


def code_of(running: Running, recipient: str, sender: str = "x@far.example") -> str:
    """Code and enhanced code that RCPT is answered with."""
    talk = running.talk()
    talk.say("EHLO far.example")
    talk.say(f"MAIL FROM:<{sender}>")
    answer = talk.say(f"RCPT TO:<{recipient}>")
    talk.say("QUIT")
    talk.close()
    return " ".join(answer.split()[:2])


def eventually(condition: Callable[[], bool]) -> None:
    """Poll, at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_letter_lies_in_the_inbox_when_it_is_answered(running: Running, alice: Account) -> None:
    send(running, "alice@example.test")
    (stored,) = mails(alice, "inbox")
    trace = stored.removesuffix(LETTER)
    assert stored.endswith(LETTER)
    assert trace.startswith(b"Return-Path: <x@far.example>\r\nReceived: from ")
    assert b"with ESMTP\r\n" in trace
    assert b"alice" not in trace
    entry = Entry.objects.get()
    assert (entry.flags, entry.matched_address) == (0, "")
    assert Folder.objects.get(pk=entry.folder_id).unread == 1


def test_over_tls_the_trace_says_so(running: Running, alice: Account) -> None:
    with running.client() as client:
        client.starttls(context=client_tls())
        client.sendmail("x@far.example", ["alice@example.test"], LETTER)
    assert b"with ESMTPS (TLSv1.3 " in mails(alice, "inbox")[0]


def test_the_null_sender_is_welcome(running: Running, alice: Account) -> None:
    send(running, "alice@example.test", sender="")
    assert mails(alice, "inbox")[0].startswith(b"Return-Path: <>\r\n")


def test_every_name_of_a_mailbox_leads_to_it_and_the_entry_keeps_which(running: Running, alice: Account) -> None:
    add_alias(alice, "boss@example.test")
    add_domain_alias(alice.domain, "example.alias")
    for name in ("boss@example.test", "alice@example.alias", "ALICE+tag@example.test", '"alice"@Example.Test.'):
        send(running, name)
    matched = list(Entry.objects.order_by("uid").values_list("matched_address", flat=True))
    assert len(mails(alice, "inbox")) == 4
    assert matched[0] == "boss@example.test"


def test_one_person_reached_twice_gets_one(running: Running, alice: Account, bob: Account) -> None:
    add_alias(alice, "boss@example.test")
    send(running, "alice@example.test", "boss@example.test", "bob@example.test")
    assert len(mails(alice, "inbox")) == len(mails(bob, "inbox")) == 1


def test_unknown_suspended_full_and_foreign_are_told_apart(running: Running, alice: Account, bob: Account) -> None:
    suspend_account(alice)
    update_account(bob, quota_bytes=0)
    assert code_of(running, "nobody@example.test") == "550 5.1.1"
    assert code_of(running, "alice@example.test") == "550 5.2.1"
    assert code_of(running, "bob@example.test") == "452 4.2.2"
    assert code_of(running, "victim@far.example") == "550 5.7.1"


def test_a_catch_all_takes_what_nobody_has(running: Running, alice: Account) -> None:
    set_catch_all(alice.domain, alice)
    send(running, "whoever@example.test")
    assert len(mails(alice, "inbox")) == 1
    assert Entry.objects.get().matched_address == "whoever@example.test"


def test_postmaster_without_a_domain_is_somebody(running: Running, alice: Account) -> None:
    assert code_of(running, "postmaster") == "250 2.1.5"


def test_a_list_reaches_members_once_and_outsiders_by_the_system(
    running: Running, alice: Account, bob: Account
) -> None:
    create_group(
        alice.domain,
        "list",
        name="List",
        kind=Group.Kind.LIST,
        posting=Group.Posting.ANYONE,
        members=[alice, bob],
        externals=["guest@far.example"],
    )
    send(running, "list@example.test", "bob@example.test")
    assert len(mails(alice, "inbox")) == len(mails(bob, "inbox")) == 1
    delivery = Delivery.objects.select_related("submission").get()
    assert (delivery.recipient, delivery.state) == ("guest@far.example", "queued")
    assert delivery.submission.envelope_from == "mailer-daemon@example.test"


def test_nobody_outside_can_claim_to_be_a_colleague_to_a_closed_list(running: Running, alice: Account) -> None:
    assert code_of(running, "all@example.test", sender="alice@example.test") == "550 5.7.1"
    assert code_of(running, "all@example.test", sender="x@far.example") == "550 5.7.1"


def test_a_mail_whose_answer_was_lost_comes_once(running: Running, alice: Account) -> None:
    talk = running.talk()
    for line in ("EHLO far.example", "MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>", "DATA"):
        talk.say(line)
    talk.send(LETTER.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    eventually(lambda: Entry.objects.count() == 1)
    talk.socket.close()
    talk.file.close()
    send(running, "alice@example.test")
    assert len(mails(alice, "inbox")) == 1
    assert Accepted.objects.count() == 1


def test_a_mail_that_is_slowly_taken_and_meanwhile_sent_again_comes_once(
    running: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_go_on = threading.Event(), threading.Event()
    deliver = receive.deliver_async

    async def slowly_the_first(item: Any) -> Any:
        if not began.is_set():
            began.set()
            await asyncio.to_thread(may_go_on.wait, 60)
        return await deliver(item)

    monkeypatch.setattr(receive, "deliver_async", slowly_the_first)
    talk = running.talk()
    for line in ("EHLO far.example", "MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>", "DATA"):
        talk.say(line)
    talk.send(LETTER.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    assert began.wait(60)
    talk.socket.close()
    talk.file.close()
    send(running, "alice@example.test")
    afterwards = running.server.afterwards
    asyncio.run_coroutine_threadsafe(afterwards.flush(), running.loop).result(60)
    assert Accepted.objects.count() == 1, "its answer was read, but the first is still being taken"
    may_go_on.set()
    eventually(lambda: not Accepted.objects.exists())
    assert len(mails(alice, "inbox")) == 1


def test_the_same_bytes_sent_again_on_purpose_are_another_mail(running: Running, alice: Account) -> None:
    send(running, "alice@example.test")
    eventually(lambda: not Accepted.objects.exists())
    send(running, "alice@example.test")
    assert len(mails(alice, "inbox")) == 2


def test_a_database_that_cannot_write_defers_and_nothing_is_lost(
    running: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise MailError(ErrorKind.UNAVAILABLE)

    with monkeypatch.context() as patch:
        patch.setattr(receive, "remember_all", fail)
        with pytest.raises(smtplib.SMTPDataError) as caught:
            send(running, "alice@example.test")
    assert caught.value.smtp_code == 451
    assert mails(alice, "inbox") == []
    send(running, "alice@example.test")
    assert len(mails(alice, "inbox")) == 1


@pytest.mark.parametrize("error", ["database is locked", "database or disk is full", "disk I/O error"])
def test_a_locked_database_and_a_full_disk_defer(
    running: Running, alice: Account, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    def refuse(items: object) -> object:
        raise OperationalError(error)

    with monkeypatch.context() as patch:
        patch.setattr("mailstore.writer.store_group", refuse)
        with pytest.raises(smtplib.SMTPDataError) as caught:
            send(running, "alice@example.test")
    assert caught.value.smtp_code == 451
    send(running, "alice@example.test")
    assert len(mails(alice, "inbox")) == 1


def test_an_account_erased_between_rcpt_and_data_defers(running: Running, alice: Account) -> None:
    talk = running.talk()
    for line in ("EHLO far.example", "MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>"):
        talk.say(line)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM mailstore_mailbox WHERE id = %s", [alice.pk])
    assert talk.say("DATA").startswith("354")
    assert talk.say("Subject: x\r\n\r\n.").startswith("451 4.3.0")


def test_a_step_decides_where_a_mail_goes_and_a_broken_one_is_passed_over(
    running: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mta.steps.BEFORE_STORE", dict(BEFORE_STORE))
    register_before_store(BeforeStore("junk", lambda mail, account, placement: placement.__class__(
        placement.mailbox, role="junk", matched_address=placement.matched_address
    )))  # fmt: skip
    register_before_store(BeforeStore("broken", lambda mail, account, placement: 1 / 0))  # type: ignore[arg-type, return-value]
    send(running, "alice@example.test")
    assert len(mails(alice, "junk")) == 1
    register_before_store(BeforeStore("policy", lambda *args: 1 / 0, is_policy=True))  # type: ignore[arg-type, return-value]
    with pytest.raises(smtplib.SMTPDataError) as caught:
        send(running, "alice@example.test", message=LETTER.replace(b"m1", b"m2"))
    assert caught.value.smtp_code == 451


HOSTILE = {
    "nothing": b"",
    "no header": b"\r\njust a body\r\n",
    "no body": b"Subject: x\r\n",
    "nul": b"Subject: x\r\n\r\na\0b\r\n",
    "eight bits": b"Subject: \xff\xfe\r\nFrom: \xd6\xd0\r\n\r\n\xff\r\n",
    "broken base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!=\r\n",
    "unknown charset": b"Content-Type: text/plain; charset=klingon\r\n\r\nx\r\n",
    "a line of a megabyte": b"Subject: x\r\n\r\n" + b"a" * 1_000_000 + b"\r\n",
    "a thousand parts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000)
    ),
    "a header of 400 KB": b"X: " + b"a" * 400_000 + b"\r\n\r\nx\r\n",
    "a big attachment": b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 60_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_comes_is_stored_to_the_byte(running: Running, alice: Account, name: str) -> None:
    message = HOSTILE[name]
    talk = running.talk()
    for line in ("EHLO far.example", "MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>", "DATA"):
        talk.say(line)
    talk.send((b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
    assert talk.reply().startswith("250 2.0.0")
    assert mails(alice, "inbox")[0].endswith(message)


def test_ten_megabytes_of_header_and_a_loop_are_refused(running: Running, alice: Account) -> None:
    for message, code in (
        (b"X: " + b"a" * 10_000_000 + b"\r\n\r\nx\r\n", b"552"),
        (b"Received: from a by b; now\r\n" * 51 + b"\r\nx\r\n", b"554"),
    ):
        with pytest.raises(smtplib.SMTPDataError) as caught:
            send(running, "alice@example.test", message=message)
        assert str(caught.value.smtp_code).encode() == code
    assert mails(alice, "inbox") == []


def test_what_was_received_is_in_the_log(running: Running, alice: Account) -> None:
    send(running, "alice@example.test")
    eventually(lambda: Event.objects.filter(kind=Kind.RECEIVED).exists())
    event = Event.objects.get(kind=Kind.RECEIVED)
    assert (event.account_id, event.remote_address) == (alice.pk, "127.0.0.1")
    assert event.data["from"] == "x@far.example"
    assert event.data["subject"] == "hi"
