"""Black lists on the real road: in the dialogue, in Junk, among colleagues."""

from __future__ import annotations

import smtplib

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import add_member, create_group
from logs_app.models import Event, Kind
from mailstore import blobs
from mailstore.models import Entry, Folder
from mta.inbound.filing import Verdict
from mta.models import Delivery, QuarantinedMail
from mta.quarantine.services import set_digest
from mta.services.senders import list_sender
from mta.services.submit import submit
from tests.flows.test_mail_in import eventually
from tests.mta.conftest import Running
from tests.mta.test_submit import RAW, mails, request

pytestmark = pytest.mark.django_db(transaction=True)


def dialogue(running: Running, *recipients: str, sender: str, author: str) -> list[str]:
    """The answers to each RCPT, and to the message when somebody is left."""
    talk = running.talk()
    talk.say("EHLO client.test")
    talk.say(f"MAIL FROM:<{sender}>")
    answers = [talk.say(f"RCPT TO:<{recipient}>") for recipient in recipients]
    if any(answer.startswith("250") for answer in answers):
        talk.say("DATA")
        talk.send(
            f"From: {author}\r\nTo: x@y.test\r\nSubject: hi\r\nMessage-ID: <{author}>\r\n\r\nHello\r\n.\r\n".encode()
        )
        answers.append(talk.reply())
    talk.say("QUIT")
    talk.close()
    return answers


def junk(account: Account) -> Entry:
    """The one mail there."""
    folder = Folder.objects.get(mailbox_id=account.pk, role="junk")
    return Entry.objects.get(folder_id=folder.pk)


def test_an_envelope_sender_is_refused_for_the_one_who_blocks_him(
    running: Running, alice: Account, bob: Account
) -> None:
    list_sender(alice.domain, "pest.test", "block", account=alice)
    answers = dialogue(running, alice.address, bob.address, sender="a@mail.pest.test", author="a@mail.pest.test")
    assert answers[0] == "550 5.7.1 The recipient does not accept mail from you"
    assert [answer[:3] for answer in answers[1:]] == ["250", "250"]
    assert (len(mails(alice, "inbox")), len(mails(bob, "inbox"))) == (0, 1)


def test_an_author_behind_another_envelope_goes_to_junk_with_the_reason(
    running: Running, alice: Account, client: Client
) -> None:
    list_sender(alice.domain, "pest@news.test", "block")  # for the whole company
    assert dialogue(running, alice.address, sender="bounce@sender.test", author="Pest@news.test")[-1].startswith("250")
    entry = junk(alice)
    assert entry.verdict == Verdict.BLOCKED
    client.force_login(alice)
    page = client.get(reverse("message", args=[entry.folder_id, entry.pk])).content.decode()
    assert "发件人在黑名单中" in page


def test_who_is_on_the_white_list_is_not_blocked_by_his_domain(running: Running, alice: Account) -> None:
    list_sender(alice.domain, "news.test", "block")
    list_sender(alice.domain, "wang@news.test", "safe", account=alice)
    assert dialogue(running, alice.address, sender="wang@news.test", author="wang@news.test")[-1].startswith("250")
    assert len(mails(alice, "inbox")) == 1


def test_a_member_of_a_list_gets_it_in_junk(running: Running, alice: Account, bob: Account) -> None:
    group = create_group(alice.domain, "sales", name="Sales", posting="anyone")
    for member in (alice, bob):
        add_member(group, member)
    list_sender(alice.domain, "pest.test", "block", account=alice)
    assert dialogue(running, "sales@example.test", sender="a@pest.test", author="a@pest.test")[-1].startswith("250")
    assert junk(alice).verdict == Verdict.BLOCKED
    assert len(mails(bob, "inbox")) == 1


def test_a_list_knows_a_mail_that_a_member_sends_back_to_it(running: Running, alice: Account, bob: Account) -> None:
    externals = ["x@far.example", "y@far.example"]
    create_group(alice.domain, "sales", name="Sales", posting="anyone", members=[alice], externals=externals)
    create_group(alice.domain, "crew", name="Crew", posting="anyone", externals=["z@far.example"])
    for by_colleague in (False, True):
        if by_colleague:
            submit(access_for(bob, bob.pk), request("sales@example.test", envelope_from=bob.address))
        else:
            dialogue(running, "sales@example.test", sender="a@far.example", author="a@far.example")
        rows = Delivery.objects.filter(recipient="x@far.example").select_related("submission")
        left = blobs.get(rows.latest("pk").submission.wire_blob_id)
        count, got = Delivery.objects.count(), len(mails(alice, "inbox"))
        with running.client() as client:
            with pytest.raises(smtplib.SMTPDataError, match=r"5\.4\.6") as refused:
                client.sendmail("x@far.example", ["sales@example.test"], left)
            assert refused.value.smtp_code == 554
            client.sendmail("x@far.example", ["Sales@Example.test", bob.address, "crew@example.test"], left)
        assert (Delivery.objects.count() - count, len(mails(alice, "inbox")) - got) == (1, 0), "crew's alone"
    assert len(mails(bob, "inbox")) == 2, "others get it"


def test_a_colleague_is_told_by_a_report(running: Running, alice: Account, bob: Account) -> None:
    list_sender(alice.domain, bob.address, "block", account=alice)
    submit(
        access_for(bob, bob.pk), request(alice.address, envelope_from=bob.address, raw=RAW.replace(b"alice@", b"bob@"))
    )
    assert not mails(alice, "inbox")
    assert b"5.7.1" in mails(bob, "inbox")[0]


def test_a_blocked_author_is_quarantined_and_logged_for_who_gets_the_digest(running: Running, alice: Account) -> None:
    set_digest(access_for(alice, alice.pk), wanted=True)
    list_sender(alice.domain, "pest.test", "block", account=alice)
    assert dialogue(running, alice.address, sender="bounce@other.test", author="a@pest.test")[-1].startswith("250")
    assert not Entry.objects.exists()
    assert QuarantinedMail.objects.get().kind == "blocked"
    eventually(lambda: Event.objects.filter(kind=Kind.RECEIVED, data__put_aside="blocked").exists())
