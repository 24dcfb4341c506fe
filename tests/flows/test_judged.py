"""What the MX does with mail whose origin it can and can't prove: real sockets, a name server on loopback."""

from __future__ import annotations

import email
import time
from typing import Any

import dkim as dkimpy
import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from logs_app.models import Event, Kind
from mailstore.models import Entry, Folder
from mta.authentication.letter import Letter
from mta.authentication.signing import sign
from mta.models import MailPolicy
from mta.outbound import worker
from mta.records.wanted import wanted_records
from mta.services.policy import update_mail_policy
from tests.factories import make_account, make_list
from tests.flows.test_mail_in import eventually
from tests.mta.conftest import Running
from tests.mta.names import serving
from tests.mta.sink import Sink, remote
from tests.mta.strangers import KEY, ZONE, judged, letter, send
from tests.mta.test_submit import mails

__all__ = ["judged"]


def test_what_was_found_stands_in_front_of_the_mail(judged: Running, alice: Account) -> None:
    assert send(judged, letter("boss@good.test"), sender="boss@good.test").startswith("250 2.0.0")
    [stored] = mails(alice, "inbox")
    assert stored.startswith(
        b"Return-Path: <boss@good.test>\r\n"
        b"Authentication-Results: mx.example.test;\r\n"
        b"\tspf=pass smtp.mailfrom=good.test;\r\n"
        b"\tdkim=none;\r\n"
        b"\tdmarc=pass (p=reject) header.from=good.test\r\n"
        b"Received: from client.test"
    )


def test_a_signature_proves_as_much(judged: Running, alice: Account) -> None:
    message = letter("teller@bank.test")
    signed = sign(Letter.of(message), [KEY], time.time()) + message
    assert send(judged, signed).startswith("250")
    assert b"dkim=pass header.d=bank.test header.s=s1 header.a=ed25519-sha256" in mails(alice, "inbox")[0]
    assert send(judged, signed.replace(b"Hello", b"Pay me")).startswith("550 5.7.26")


def test_a_binary_mail_is_judged_as_it_was_signed_and_kept_as_lines(judged: Running, alice: Account) -> None:
    file = b"Content-Type: image/x-any\r\nContent-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) + b"\r\n\n\0"
    message = letter("teller@bank.test").partition(b"\r\n\r\n")[0] + b"\r\nMIME-Version: 1.0\r\n" + file
    signed = sign(Letter.of(message), [KEY], time.time()) + message
    for content, answer in ((signed, "250"), (signed.replace(b"\x80\x81", b"\x80\x80"), "550 5.7.26")):
        talk = judged.talk()
        for line in ("EHLO client.test", "MAIL FROM:<> BODY=BINARYMIME", f"RCPT TO:<{alice.address}>"):
            assert talk.say(line).startswith("250")
        talk.send(b"BDAT %d LAST\r\n" % len(content) + content)
        assert talk.reply().startswith(answer)
    [kept] = mails(alice, "inbox")
    assert b"dkim=pass header.d=bank.test" in kept
    assert email.message_from_bytes(kept).get_payload(decode=True) == file.partition(b"\r\n\r\n")[2]


def test_a_forgery_is_refused_in_the_dialogue_and_recorded(judged: Running, alice: Account) -> None:
    assert send(judged, letter("ceo@bank.test")).startswith("550 5.7.26 ")
    assert not Entry.objects.exists()
    eventually(lambda: Event.objects.filter(kind=Kind.REFUSED).exists())
    event = Event.objects.get(kind=Kind.REFUSED)
    assert (event.address, event.succeeded) == ("alice@example.test", False)
    assert event.error == "dmarc bank.test: neither SPF nor DKIM passed"


def test_quarantine_is_junk_and_none_is_the_inbox(judged: Running, alice: Account) -> None:
    assert send(judged, letter("x@shop.test")).startswith("250")
    assert send(judged, letter("x@lax.test")).startswith("250")
    assert b"header.from=shop.test" in mails(alice, "junk")[0]
    assert b"dmarc=fail (p=none)" in mails(alice, "inbox")[0]
    assert Entry.objects.get(folder_id=Folder.objects.get(mailbox_id=alice.pk, role="junk").pk).verdict == 1


def test_two_authors_are_junk(judged: Running, alice: Account) -> None:
    assert send(judged, letter("x@good.test", more="From: y@bank.test\r\n"), sender="x@good.test").startswith("550")
    assert send(judged, letter("x@good.test", more="From: y@new.test\r\n"), sender="x@good.test").startswith("250")
    assert len(mails(alice, "junk")) == 1


@pytest.mark.parametrize(("wish", "code", "folder"), [("junk", "250", "junk"), ("ignore", "250", "inbox")])
def test_a_domain_may_want_less_than_the_sender_asks_for(
    judged: Running, alice: Account, wish: str, code: str, folder: str
) -> None:
    update_mail_policy(alice.domain, dmarc=wish)
    assert send(judged, letter("ceo@bank.test")).startswith(code)
    assert len(mails(alice, folder)) == 1


def test_one_domain_that_takes_it_keeps_the_mail_from_being_refused(judged: Running, alice: Account) -> None:
    other = make_account("carol@other.test")
    MailPolicy.objects.filter(domain=other.domain).update(dmarc="ignore")
    assert send(judged, letter("ceo@bank.test"), "alice@example.test", "carol@other.test").startswith("250")
    assert (len(mails(alice, "junk")), len(mails(other, "inbox"))) == (1, 1)


def test_a_proof_that_cannot_be_looked_up_now_may_come_later(judged: Running, alice: Account) -> None:
    assert send(judged, letter("x@broken.test"), sender="x@broken.test").startswith("451 4.4.3")
    assert not Entry.objects.exists()


def test_a_slow_name_server_holds_up_one_sender_alone(
    judged: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mta.authentication.inquiry.LOOKUP_S", 1.5)
    slow, quick = judged.talk(), judged.talk()
    for talk, sender in ((slow, "x@slow.test"), (quick, "x@good.test")):
        talk.say("EHLO client.test")
        talk.say(f"MAIL FROM:<{sender}>")
        talk.say("RCPT TO:<alice@example.test>")
        talk.say("DATA")
    slow.send(letter("x@slow.test") + b".\r\n")
    quick.send(letter("x@good.test") + b".\r\n")
    assert quick.reply().startswith("250")
    assert [b"good.test" in mail for mail in mails(alice, "inbox")] == [True]
    assert slow.reply().startswith("250")
    assert any(b"spf=temperror" in mail for mail in mails(alice, "inbox"))


def test_results_in_our_name_are_not_believed(judged: Running, alice: Account) -> None:
    forged = b"Authentication-Results: mx.example.test;\r\n\tdmarc=pass header.from=lax.test\r\n"
    assert send(judged, forged + letter("x@lax.test")).startswith("250")
    [stored] = mails(alice, "inbox")
    assert stored.count(b"\r\nAuthentication-Results: mx.example.test") == 1
    assert b"X-Received-Authentication-Results: mx.example.test" in stored


def test_a_list_passes_on_what_it_saw_under_its_seal(judged: Running, alice: Account, settings: Any) -> None:
    make_list(alice.domain, "list", [alice], "guest@far.test")
    message = letter("teller@bank.test")
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        send(judged, sign(Letter.of(message), [KEY], time.time()) + message, "list@example.test")
        worker.send_due()
    [taken] = sink.taken
    records = {each.name("example.test"): each.value.encode() for each in wanted_records(alice.domain)}
    chain = dkimpy.ARC(taken.content).verify(dnsfunc=lambda name, timeout=5: records.get(name.decode().rstrip(".")))
    assert chain[0] == dkimpy.CV_Pass
    sets = taken.content.partition(b"ARC-Authentication-Results: i=1;")[2]
    assert b"dmarc=pass (p=reject) header.from=bank.test" in sets.partition(b"\r\nDKIM-Signature")[0]


def test_a_header_of_a_hundred_thousand_fields_is_judged_like_any_other(judged: Running, alice: Account) -> None:
    assert send(judged, b"a:\r\n" * 100_000 + letter("ceo@bank.test")).startswith("550 5.7.26")
    assert send(judged, b"a:\r\n" * 100_000 + letter("x@good.test"), sender="x@good.test").startswith("250")


def test_who_is_trusted_is_not_judged(running: Running, alice: Account) -> None:
    with serving(ZONE) as asked:
        assert send(running, letter("ceo@bank.test")).startswith("250")
    assert b"Authentication-Results" not in mails(alice, "inbox")[0]
    assert asked == []


@pytest.mark.parametrize(
    ("author", "sender", "badge"),
    [("x@good.test", "x@good.test", "已验证"), ("x@lax.test", "y@e.test", "未通过验证"), ("x@e.test", "", "未能证实")],
)
def test_the_reading_page_says_it_in_plain_words(
    judged: Running, alice: Account, client: Client, author: str, sender: str, badge: str
) -> None:
    send(judged, letter(author), sender=sender)
    client.force_login(alice)
    entry = Entry.objects.get()
    page = client.get(reverse("message", args=[entry.folder_id, entry.pk])).content.decode()
    assert badge in page
    assert ("data-origin-note" in page) is (badge == "未通过验证")
