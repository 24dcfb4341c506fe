"""What becomes of unwanted mail: real sockets in, mailbox or quarantine out."""

from __future__ import annotations

import datetime
import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from django.db import DatabaseError

from accounts.models import Account, Group
from accounts.selectors import access_for
from accounts.services import create_group
from core.access import system_access
from logs_app.models import Event, Kind
from mailstore.models import Entry, Folder
from mailstore.selectors.entries import get, raw
from mailstore.selectors.folders import folder_by_role
from mailstore.services.entries import move, move_back
from mta import tasks
from mta.inbound import recipients
from mta.inbound.filing import Verdict
from mta.models import Delivery, KnownSender, MailPolicy, QuarantinedMail, SpamCorpus, SpamLesson, SpamToken
from mta.quarantine.services import release, set_digest
from mta.services import SubmitRequest, submit
from mta.services.policy import update_mail_policy
from mta.services.senders import list_sender
from mta.spam import lessons, recent
from mta.spam.finding import Rule, decode
from tests.factories import make_account
from tests.flows.test_mail_in import eventually
from tests.mta.conftest import Running
from tests.mta.spam.test_files import zipped
from tests.mta.strangers import judged, letter, send
from tests.mta.test_submit import mails

__all__ = ["judged"]

BAD_LINKS = "http://192.0.2.9/a https://bank.test@evil.test/ https://t.cn/a https://t.cn/b https://t.cn/c https://xn--bnk-7cd.test/"

OLD = "Date: Mon, 1 Jan 2001 00:00:00 +0000\r\n"
OURS = b"From: alice@example.test\r\nTo: wang@partner-trading.test\r\nSubject: offer\r\nMessage-ID: <1@example.test>\r\n\r\nhi\r\n"


def spam(author: str = "x@spam.test", *, text: str = BAD_LINKS, subject: str = "BUY THIS NOW TODAY") -> bytes:
    """Above both thresholds: links of four bad kinds, no date, shouting."""
    return f"From: {author}\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()


@pytest.fixture
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What RCPT finds is asked for again by the next mail, not after a second."""
    monkeypatch.setattr(recipients, "KEEP_S", -1.0)
    monkeypatch.setattr(recent, "KEEP_S", -1.0)


def attached(name: str, content: bytes, author: str = "x@good.test") -> bytes:
    """A harmless letter with a file."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = author, "alice@example.test", "Offer"
    made["Message-ID"], made["Date"] = f"<{time.time_ns()}@good.test>", datetime.datetime.now(datetime.UTC)
    made.set_content("Please see the file.")
    made.add_attachment(content, "application", "octet-stream", filename=name)
    return made.as_bytes()


def junk(account: Account) -> Entry:
    """The one mail there."""
    return Entry.objects.get(folder_id=Folder.objects.get(mailbox_id=account.pk, role="junk").pk)


def findings(text: str) -> set[Rule]:
    return {finding.rule for finding in decode(text).findings}


def judgement_of(account: Account, role: str) -> set[Rule]:
    """What was found about the newest mail of a folder."""
    entry = Entry.objects.filter(folder_id=Folder.objects.get(mailbox_id=account.pk, role=role).pk).latest("uid")
    return findings(get(system_access(account.pk), entry.pk).judgement)


def test_suspected_spam_goes_to_junk_with_its_reasons(judged: Running, alice: Account) -> None:
    assert send(judged, letter("x@lax.test", more=OLD, text=BAD_LINKS)).startswith("250")
    assert junk(alice).verdict == Verdict.SPAM
    assert {Rule.FORGED, Rule.WRONG_DATE, Rule.LINK_NUMERIC, Rule.LINK_DISGUISED} <= judgement_of(alice, "junk")


def test_clear_spam_lies_in_quarantine_for_seven_days_of_the_domain(judged: Running, alice: Account) -> None:
    set_digest(access_for(alice, alice.pk), wanted=True)
    assert send(judged, spam()).startswith("250")
    assert not Entry.objects.exists()
    mail = QuarantinedMail.objects.get()
    assert (mail.account_id, mail.kind, mail.state, mail.subject) == (alice.pk, "spam", "held", "BUY THIS NOW TODAY")
    shanghai = mail.expires_at.astimezone(datetime.timezone(datetime.timedelta(hours=8)))
    received = mail.received_at.astimezone(shanghai.tzinfo)
    assert (shanghai.time(), (shanghai.date() - received.date()).days) == (datetime.time(), 7)
    eventually(lambda: Event.objects.filter(kind=Kind.RECEIVED).exists())
    assert Event.objects.get(kind=Kind.RECEIVED).data["put_aside"] == "spam"


def test_without_a_digest_nothing_vanishes_unseen(judged: Running, alice: Account) -> None:
    assert send(judged, spam()).startswith("250")
    assert junk(alice).verdict == Verdict.SPAM
    assert not QuarantinedMail.objects.exists()


def test_one_transaction_serves_inbox_junk_and_quarantine(judged: Running, alice: Account, bob: Account) -> None:
    carol = make_account("carol@example.test")
    create_group(alice.domain, "all-three", name="x", posting="anyone", members=[alice, bob, carol])
    set_digest(access_for(alice, alice.pk), wanted=True)
    list_sender(bob.domain, "spam.test", "safe", account=bob)
    assert send(judged, spam(), "all-three@example.test").startswith("250")
    assert QuarantinedMail.objects.get().account_id == alice.pk
    assert (len(mails(bob, "inbox")), len(mails(carol, "junk"))) == (1, 1)
    assert Rule.SAFE in judgement_of(bob, "inbox")


def test_what_all_members_put_aside_does_not_leave_for_the_others_of_a_list(judged: Running, alice: Account) -> None:
    create_group(
        alice.domain,
        "list",
        name="x",
        kind=Group.Kind.LIST,
        posting="anyone",
        members=[alice],
        externals=["g@far.test"],
    )
    assert send(judged, spam(), "list@example.test").startswith("250")
    assert not Delivery.objects.exists()
    assert send(judged, letter("x@good.test"), "list@example.test", sender="x@good.test").startswith("250")
    assert Delivery.objects.get().recipient == "g@far.test"


def test_a_quarantine_that_cannot_be_written_keeps_the_whole_mail_out(
    judged: Running, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_group(alice.domain, "both", name="x", posting="anyone", members=[alice, bob])
    set_digest(access_for(alice, alice.pk), wanted=True)

    def fail(*_args: object, **_more: object) -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr("mta.inbound.receive.quarantine", fail)
        assert send(judged, spam(), "both@example.test").startswith("451")
    assert not Entry.objects.exists()
    assert send(judged, spam(), "both@example.test").startswith("250")
    assert (QuarantinedMail.objects.count(), len(mails(bob, "junk"))) == (1, 1)


def test_thresholds_are_the_domains(judged: Running, alice: Account, nothing_kept: None) -> None:
    update_mail_policy(alice.domain, junk_score=50, quarantine_score=90)
    send(judged, spam())
    assert len(mails(alice, "inbox")) == 1
    update_mail_policy(alice.domain, junk_score=1, quarantine_score=2, digest=True)
    send(judged, spam(subject="ANOTHER ONE FOR YOU"))  # the same bytes may be the first mail again
    assert QuarantinedMail.objects.count() == 1


@pytest.mark.parametrize(("wish", "role"), [("quarantine", ""), ("junk", "junk"), ("ignore", "inbox")])
def test_a_program_is_met_as_the_policy_says(judged: Running, alice: Account, wish: str, role: str) -> None:
    update_mail_policy(alice.domain, dangerous_files=wish, digest=True)
    assert send(judged, attached("tools.zip", zipped("setup.exe")), sender="x@good.test").startswith("250")
    if role:
        assert Rule.PROGRAM in judgement_of(alice, role)
    else:
        assert QuarantinedMail.objects.get().kind == "file"


def test_a_name_made_to_look_like_ours_or_a_partners_is_named(judged: Running, alice: Account) -> None:
    submit(
        access_for(alice, alice.pk),
        SubmitRequest("alice@example.test", ["wang@partner-trading.test"], OURS),
    )
    tasks.meet_partners_task()
    assert KnownSender.objects.get(name="partner-trading.test").written == 1
    send(judged, letter("alice@examp1e.test"))
    assert Rule.LOOKALIKE_OWN in judgement_of(alice, "junk")
    send(judged, letter("wang@partner-tradlng.test"))
    assert Rule.LOOKALIKE_PARTNER in judgement_of(alice, "junk")
    send(judged, letter("wang@partner-trading.test"))
    assert Rule.KNOWN in judgement_of(alice, "inbox")
    send(judged, letter("li@partner-trading.test"))
    assert Rule.PARTNER in judgement_of(alice, "inbox")


def test_a_colleagues_name_with_a_foreign_address_is_named(judged: Running, alice: Account) -> None:
    make_account("boss@example.test", name="王建国")
    send(judged, letter("=?utf-8?b?546L5bu65Zu9?= <w123@freebox.test>"))
    assert Rule.COLLEAGUE_NAME in judgement_of(alice, "inbox")


def moved(account: Account, entry: Entry, role: str) -> list[tuple[int, int]]:
    """By the person himself."""
    access = access_for(account, account.pk)
    return move(access, [entry.pk], folder_id=folder_by_role(access, role).id).undo  # type: ignore[arg-type]


def test_moving_teaches_and_a_change_of_mind_takes_it_back(judged: Running, alice: Account) -> None:
    send(judged, letter("x@good.test", text="发票代开"), sender="x@good.test")
    entry = Entry.objects.get()
    undo = moved(alice, entry, "junk")
    tasks.learn_spam()
    corpora = {row.account_id: (row.spam, row.ham) for row in SpamCorpus.objects.all()}
    assert corpora == {0: (1, 0), alice.pk: (1, 0)}
    assert SpamToken.objects.get(account_id=alice.pk, token="发票").spam == 1
    assert KnownSender.objects.get(name="x@good.test").reported == 1
    move_back(access_for(alice, alice.pk), undo)
    tasks.learn_spam()
    tasks.learn_spam()
    assert {(row.spam, row.ham) for row in SpamCorpus.objects.all()} == {(0, 1)}
    assert (KnownSender.objects.get(name="x@good.test").reported, SpamLesson.objects.get().learnt) == (0, "ham")


def test_a_lesson_whose_worker_died_is_learnt_once(
    judged: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(judged, letter("x@good.test"), sender="x@good.test")
    moved(alice, Entry.objects.get(), "junk")
    with monkeypatch.context() as patch:
        patch.setattr(SpamLesson, "save", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tasks.learn_spam()
    assert not SpamToken.objects.exists()
    tasks.learn_spam()
    assert SpamCorpus.objects.get(account_id=alice.pk).spam == 1


def test_a_mail_that_can_not_be_learnt_keeps_no_other_from_teaching(
    judged: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        send(judged, letter(f"x{number}@good.test"), sender="x@good.test")
    first, second = Entry.objects.order_by("pk")
    moved(alice, first, "junk")
    moved(alice, second, "junk")
    real = lessons.tokens_of

    def broken(contents: object, address: str) -> list[str]:
        if address == "x0@good.test":
            raise RecursionError
        return real(contents, address)  # type: ignore[arg-type]

    monkeypatch.setattr(lessons, "tokens_of", broken)
    tasks.learn_spam()
    assert SpamCorpus.objects.get(account_id=0).spam == 1
    assert not SpamLesson.objects.exclude(learnt="spam").exists()


def test_what_was_learnt_judges_the_next_mail(judged: Running, alice: Account, nothing_kept: None) -> None:
    for number in range(6):
        send(judged, letter("seo@promo.test", text=f"cheap watches ranking lottery {number}"))
        send(judged, letter("li@firm.test", text=f"drawing of the valve, order {number}"))
    Entry.objects.update(flags=1)
    for entry in Entry.objects.all():
        if b"watches" in raw(system_access(alice.pk), entry.pk):
            moved(alice, entry, "junk")
    tasks.learn_spam()
    send(judged, letter("new@other.test", text="cheap watches ranking lottery"))
    assert Rule.WORDS_SPAM in judgement_of(alice, "junk")
    send(judged, letter("new@third.test", text="drawing of the valve, order 9"))
    assert Rule.WORDS_HAM in judgement_of(alice, "inbox")


def test_release_delivers_once_trusts_and_teaches(judged: Running, alice: Account, nothing_kept: None) -> None:
    access = access_for(alice, alice.pk)
    set_digest(access, wanted=True)
    send(judged, spam("wang@supplier.test"))
    mail = QuarantinedMail.objects.get()
    assert release(access, mail.pk, trust=True)
    assert not release(access, mail.pk)
    [stored] = mails(alice, "inbox")
    assert stored.startswith(b"Return-Path: <x@elsewhere.test>\r\nAuthentication-Results:")
    assert Entry.objects.get().verdict == Verdict.RELEASED
    assert SpamLesson.objects.get().wanted == "ham"
    send(judged, spam("wang@supplier.test", subject="AGAIN THE SAME LINKS"))
    assert len(mails(alice, "inbox")) == 2


def test_the_purge_takes_what_is_over_and_leaves_the_rest(judged: Running, alice: Account) -> None:
    set_digest(access_for(alice, alice.pk), wanted=True)
    for number in range(2):
        send(judged, spam(f"x{number}@spam.test"))
    old = QuarantinedMail.objects.earliest("pk")
    QuarantinedMail.objects.filter(pk=old.pk).update(expires_at=datetime.datetime.now(datetime.UTC))
    tasks.purge_quarantine_task()
    assert QuarantinedMail.objects.get().pk != old.pk


def test_the_record_of_senders_is_kept_behind_the_mail(judged: Running, alice: Account) -> None:
    send(judged, letter("x@good.test"), sender="x@good.test")
    eventually(lambda: KnownSender.objects.filter(name="good.test", passed=1).exists())
    assert MailPolicy.objects.get(domain=alice.domain).junk_score == 5
