"""发信审批: whom rules catch, who decides, once; what the clock decides; nothing lost, nothing sent twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import (
    create_department,
    delete_department,
    erase_account,
    grant_mailbox,
    suspend_account,
    update_account,
)
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore.models import Draft
from mailstore.selectors import drafts as drafts_read
from mailstore.services import drafts
from mta.approval import deciding
from mta.approval.asking import HOUR_US, NO_DEADLINE_H
from mta.approval.deciding import decide, tick
from mta.approval.matching import Facts, fits, rule_for
from mta.approval.rules import create_rule, delete_rule, update_rule
from mta.models import Approval, ApprovalRule, Delivery, Submission
from mta.outbound import worker
from mta.selectors.approvals import approval_log, pending_for
from mta.selectors.log_pages import Where
from mta.services import submit, take_back
from mta.services.release import release
from tests.factories import make_account, make_domain
from tests.mta.test_schedule import later_us
from tests.mta.test_submit import RAW, mails, request, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(alice: Account) -> Account:
    """Who must agree."""
    return make_account("boss@example.test", language="en")


@pytest.fixture
def rule(alice: Account, boss: Account) -> ApprovalRule:
    """All that leaves the company."""
    return create_rule(alice.domain, name="outside", approver=boss)


def send(author: Account, *recipients: str, **changes: Any) -> Approval:
    """A mail of a draft that a rule catches."""
    access = access_for(author, author.pk)
    draft = drafts.create_draft(access, identity=author.address)
    drafts.snapshot_draft(access, draft.id, RAW)
    return Approval.objects.get(submission=submit(access, request(*recipients, draft_id=draft.id, **changes)))


@pytest.mark.django_db(transaction=True)
def test_it_waits_and_leaves_when_the_approver_agrees(
    alice: Account, bob: Account, boss: Account, rule: ApprovalRule
) -> None:
    approval = send(alice, "bob@example.test", "x@far.example")
    assert set(states(approval.submission_id).values()) == {"approval"}
    assert mails(bob, "inbox") == mails(alice, "drafts") == mails(alice, "sent") == []
    (notice,) = mails(boss, "inbox")
    assert b"postmaster@example.test" in notice and b"/approve/" in notice.replace(b"=\r\n", b"")
    worker.send_due()
    assert mails(bob, "inbox") == []
    assert [each.pk for each in pending_for(boss)] == [approval.pk]
    decide(approval.pk, boss, agrees=True)
    assert states(approval.submission_id) == {"bob@example.test": "delivered", "x@far.example": "queued"}
    assert len(mails(bob, "inbox")) == len(mails(alice, "sent")) == 1
    assert not Draft.objects.exists()
    approval.refresh_from_db()
    assert (approval.state, approval.approver) == ("approved", "boss@example.test")
    record = Event.objects.get(kind=Kind.APPROVAL)
    assert (record.actor, record.address) == ("boss@example.test", "alice@example.test")
    with pytest.raises(MailError) as error:
        decide(approval.pk, boss, agrees=False)
    assert error.value.kind is ErrorKind.IN_USE
    assert len(mails(bob, "inbox")) == 1


def test_refused_it_is_a_draft_again_and_the_author_is_told(
    alice: Account, bob: Account, boss: Account, rule: ApprovalRule
) -> None:
    approval = send(alice, "bob@example.test", "x@far.example")
    decide(approval.pk, boss, agrees=False, comment="wrong price")
    assert set(states(approval.submission_id).values()) == {"cancelled"}
    assert mails(alice, "drafts") == [RAW] and len(mails(alice, "inbox")) == 1
    assert mails(bob, "inbox") == []
    again = send(alice, "x@far.example")
    assert again.state == "pending"


def test_mail_of_programs_waits_too_and_comes_back_whole(alice: Account, boss: Account, rule: ApprovalRule) -> None:
    raw = RAW.replace(b"Bcc: secret@far.example\r\n", b"")
    submission = submit(
        access_for(alice, alice.pk), request("bob@example.test", "x@far.example", origin="smtp", raw=raw)
    )
    approval = Approval.objects.get(submission=submission)
    decide(approval.pk, boss, agrees=False)
    draft = drafts_read.get_draft(access_for(alice, alice.pk), Draft.objects.get().pk)
    assert (draft.to, draft.bcc) == ("bob@example.test", "x@far.example")


def test_the_author_withdraws(alice: Account, boss: Account, rule: ApprovalRule) -> None:
    approval = send(alice, "x@far.example")
    take_back(access_for(alice, alice.pk), approval.submission_id)
    approval.refresh_from_db()
    assert approval.state == "withdrawn" and mails(alice, "drafts") == [RAW]
    with pytest.raises(MailError) as error:
        decide(approval.pk, boss, agrees=True)
    assert error.value.kind is ErrorKind.IN_USE
    assert pending_for(boss) == []


def test_nobody_decides_about_his_own_mail(alice: Account, bob: Account, boss: Account, rule: ApprovalRule) -> None:
    admin = make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN)
    raw = RAW.replace(b"alice@", b"boss@")
    approval = send(boss, "x@far.example", envelope_from="boss@example.test", raw=raw)
    assert approval.approver_id == admin.pk
    update_rule(rule, substitute=bob)
    approval = send(boss, "x@far.example", envelope_from="boss@example.test", raw=raw)
    assert approval.approver_id == bob.pk
    for actor in (boss, alice, admin):
        with pytest.raises(MailError) as error:
            decide(approval.pk, actor, agrees=True)
        assert error.value.kind is ErrorKind.NOT_FOUND
    decide(approval.pk, bob, agrees=True)
    assert states(approval.submission_id) == {"x@far.example": "queued"}


def test_a_substitute_decides_as_well(alice: Account, bob: Account, rule: ApprovalRule) -> None:
    update_rule(rule, substitute=bob)
    approval = send(alice, "x@far.example")
    decide(approval.pk, bob, agrees=True)
    approval.refresh_from_db()
    assert (approval.state, approval.approver) == ("approved", "bob@example.test")


@pytest.mark.parametrize(
    ("on_deadline", "state", "delivery"), [("pass", "passed", "queued"), ("refuse", "expired", "cancelled")]
)
def test_the_clock_reminds_once_and_decides_at_the_deadline(
    alice: Account, boss: Account, rule: ApprovalRule, on_deadline: str, state: str, delivery: str
) -> None:
    update_rule(rule, on_deadline=on_deadline)
    approval = send(alice, "x@far.example")
    tick(approval.requested_us)
    assert len(mails(boss, "inbox")) == 1
    for _again in range(2):
        tick(approval.remind_us)
    assert len(mails(boss, "inbox")) == 2
    for _again in range(2):
        tick(approval.deadline_us)
    approval.refresh_from_db()
    assert approval.state == state
    assert states(approval.submission_id) == {"x@far.example": delivery}
    assert len(mails(alice, "drafts")) == (delivery == "cancelled")


@pytest.mark.django_db(transaction=True)
def test_scheduled_mail_is_approved_first_and_leaves_at_its_hour(
    alice: Account, boss: Account, rule: ApprovalRule
) -> None:
    approval = send(alice, "x@far.example", schedule_us=later_us())
    decide(approval.pk, boss, agrees=True)
    assert states(approval.submission_id) == {"x@far.example": "scheduled"}
    worker.send_due()
    assert states(approval.submission_id) == {"x@far.example": "scheduled"}
    late = send(alice, "x@far.example", schedule_us=later_us())
    Submission.objects.filter(pk=late.submission_id).update(schedule_us=1)
    decide(late.pk, boss, agrees=True)
    assert states(late.submission_id) == {"x@far.example": "queued"}


@pytest.mark.django_db(transaction=True)
def test_after_the_undo_time_the_rule_is_asked(
    alice: Account, boss: Account, rule: ApprovalRule, settings: Any
) -> None:
    settings.UNDO_SEND_S = 600
    submission = submit(access_for(alice, alice.pk), request("x@far.example"))
    assert states(submission) == {"x@far.example": "held"} and not Approval.objects.exists()
    Delivery.objects.update(next_attempt_us=0)
    worker.send_due()
    assert states(submission) == {"x@far.example": "approval"} and len(mails(boss, "inbox")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_decision_whose_process_died_is_carried_out_by_the_sweep(
    alice: Account, boss: Account, rule: ApprovalRule, monkeypatch: Any
) -> None:
    approval = send(alice, "x@far.example")
    with monkeypatch.context() as patch:
        patch.setattr("mta.approval.deciding.release", lambda *_given, **_named: False)
        decide(approval.pk, boss, agrees=True)
    assert states(approval.submission_id) == {"x@far.example": "scheduled"}
    worker.send_due()
    assert states(approval.submission_id)["x@far.example"] != "scheduled"
    assert len(mails(alice, "sent")) == 1


XLSX = (
    b"MIME-Version: 1.0\r\nSubject: offer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "底价 is Secret".encode() + b"\r\n--b\r\n"
    b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=List.XLSX\r\n\r\nPK\r\n--b--\r\n"
)


TWO_TEXTS = (
    b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/plain\r\n\r\nplain lunch\r\n--b\r\n"
    b"Content-Type: text/html\r\n\r\n<p>hidden <b>secret</b></p>\r\n--b--\r\n"
)


def plain(text: str) -> bytes:
    """A mail of this text."""
    return b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode() + b"\r\n"


def shown(name: str, content_type: str) -> bytes:
    """A part that the HTML names as its picture."""
    return (
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
        'Content-Type: text/html\r\n\r\n<img src="cid:p">\r\n--b\r\n'
        f'Content-Type: {content_type}\r\nContent-ID: <p>\r\nContent-Disposition: inline; filename="{name}"\r\n\r\nPK\r\n'
        "--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("given", "raw", "recipients", "expected"),
    [
        ({}, RAW, ["x@far.example"], True),
        ({}, RAW, ["bob@example.test"], False),
        ({"direction": "internal"}, RAW, ["bob@example.test"], True),
        ({"direction": "any", "recipient_domains": "far.example"}, RAW, ["x@mail.far.example"], True),
        ({"direction": "any", "recipient_domains": "@other.example, far.example"}, RAW, ["x@notfar.example"], False),
        ({"keywords": "折扣\nsecret"}, XLSX, ["x@far.example"], True),
        ({"keywords": "底价"}, XLSX, ["x@far.example"], True),
        ({"keywords": "list.xls"}, XLSX, ["x@far.example"], True),
        ({"keywords": "nothing"}, XLSX, ["x@far.example"], False),
        ({"file_types": "pdf, .xlsx"}, XLSX, ["x@far.example"], True),
        ({"file_types": "*"}, XLSX, ["x@far.example"], True),
        ({"file_types": "*"}, RAW, ["x@far.example"], False),
        ({"keywords": "secret"}, TWO_TEXTS, ["x@far.example"], True),
        ({"keywords": "lunch"}, TWO_TEXTS, ["x@far.example"], True),
        ({"file_types": "xlsx"}, shown("a.xlsx", "image/png"), ["x@far.example"], True),
        ({"file_types": "xlsx"}, shown("a.xlsx. ", "application/x"), ["x@far.example"], True),
        ({"file_types": "*"}, shown("logo.png", "image/png"), ["x@far.example"], False),
        ({"direction": "any", "recipient_domains": "例子.example"}, RAW, ["x@xn--fsqu00a.example"], True),
        ({"direction": "any", "recipient_domains": "xn--fsqu00a.example"}, RAW, ["x@例子.example"], True),
        ({"direction": "any", "recipient_domains": "one.example；far.example"}, RAW, ["x@far.example"], True),
        ({"direction": "any", "recipient_domains": "one.example far.example"}, RAW, ["x@far.example"], True),
        ({"keywords": "Top  secret"}, RAW + b"this is TOP\r\nsecret", ["x@far.example"], True),
        ({"keywords": "报价ABC"}, plain("報價ＡＢＣ"), ["x@far.example"], True),
        ({"keywords": "报价"}, plain("报\u200b价"), ["x@far.example"], True),
        ({"keywords": "报价"}, plain("报纸"), ["x@far.example"], False),
        ({"min_recipients": 2}, RAW, ["x@far.example"], False),
        ({"min_size_kb": 1}, RAW, ["x@far.example"], False),
        ({"min_size_kb": 1}, RAW + b"x" * 1024, ["x@far.example"], True),
    ],
)
def test_every_condition_that_is_filled_in_must_hold(
    alice: Account, rule: ApprovalRule, given: dict[str, Any], raw: bytes, recipients: list[str], expected: bool
) -> None:
    update_rule(rule, **given)
    assert fits(rule, Facts(alice, recipients, raw)) is expected


def test_a_word_behind_more_text_than_is_looked_through_is_asked_about(alice: Account, rule: ApprovalRule) -> None:
    update_rule(rule, keywords="secret")
    filler = "word " * 1_000
    for raw in (plain(filler * 1_000), b"Content-Type: text/html\r\n\r\n<p>" + filler.encode() * 500):
        assert fits(rule, Facts(alice, ["x@far.example"], raw))
    assert not fits(rule, Facts(alice, ["x@far.example"], plain(filler)))


def test_nobody_gets_round_a_rule_by_way_of_a_shared_mailbox(alice: Account, bob: Account, rule: ApprovalRule) -> None:
    shared = make_account("info@example.test", kind=Account.Kind.SHARED)
    for writer in (alice, bob):
        grant_mailbox(shared, writer, "sender")
    update_rule(rule, accounts=[alice])
    wanted = request("x@far.example", envelope_from=shared.address, raw=RAW.replace(b"alice@", b"info@"))
    assert states(submit(access_for(bob, shared.pk), wanted)) == {"x@far.example": "queued"}
    assert states(submit(access_for(alice, shared.pk), wanted)) == {"x@far.example": "approval"}
    update_rule(rule, accounts=[], authors="all", exceptions=[shared, alice])
    assert states(submit(access_for(alice, shared.pk), wanted)) == {"x@far.example": "queued"}


def test_when_who_was_asked_is_gone_administrators_are_asked(
    alice: Account, bob: Account, boss: Account, rule: ApprovalRule
) -> None:
    update_rule(rule, deadline_h=0, remind_after_h=0)
    approval = send(alice, "x@far.example")
    suspend_account(boss)
    tick(5)
    approval.refresh_from_db()
    assert (approval.approver_id, approval.deadline_us) == (boss.pk, 5 + NO_DEADLINE_H * HOUR_US)
    admin = make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN)
    before = len(mails(admin, "inbox"))
    for _again in range(2):
        tick(5)
    approval.refresh_from_db()
    assert (approval.approver_id, approval.approver) == (admin.pk, admin.address)
    assert len(mails(admin, "inbox")) == before + 1
    decide(approval.pk, admin, agrees=True)
    assert states(approval.submission_id) == {"x@far.example": "queued"}


def test_deadlines_that_can_not_be_obeyed_keep_the_clock_from_no_other(
    alice: Account, boss: Account, rule: ApprovalRule, monkeypatch: Any
) -> None:
    update_rule(rule, on_deadline="refuse")
    monkeypatch.setattr(deciding, "SLICE", 1)
    first, second = send(alice, "x@far.example"), send(alice, "y@far.example")
    Submission.objects.filter(pk=first.submission_id).update(sent_blob_id=0, wire_blob_id=0)
    tick(second.deadline_us)
    assert list(Approval.objects.order_by("pk").values_list("state", flat=True)) == ["pending", "expired"]


def test_an_approval_stands_though_the_mail_can_not_leave_at_once(
    alice: Account, boss: Account, rule: ApprovalRule, monkeypatch: Any
) -> None:
    def broken(*_given: Any, **_named: Any) -> bool:
        raise OSError("no space")

    approval = send(alice, "x@far.example")
    with monkeypatch.context() as patch:
        patch.setattr("mta.approval.deciding.release", broken)
        assert decide(approval.pk, boss, agrees=True).state == "approved"
    assert release(approval.submission_id)


def test_rules_speak_of_accounts_and_of_departments_with_what_is_below(alice: Account, bob: Account, rule: Any) -> None:
    sales = create_department(alice.domain, "sales")
    team = create_department(alice.domain, "team", parent=sales)
    update_account(alice, department=team)
    update_rule(rule, departments=[sales])
    alice.refresh_from_db()
    mail = {"recipients": ["x@far.example"], "raw": RAW}
    assert fits(rule, Facts(alice, **mail)) and not fits(rule, Facts(bob, **mail))
    update_rule(rule, accounts=[bob])
    assert fits(rule, Facts(bob, **mail))
    update_rule(rule, exceptions=[alice])
    assert not fits(rule, Facts(alice, **mail))


def test_a_rule_whose_only_department_is_gone_speaks_of_nobody_and_says_so(
    alice: Account, bob: Account, rule: ApprovalRule, client: Client
) -> None:
    admin = make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN, language="en")
    sales = create_department(alice.domain, "sales")
    update_rule(rule, departments=[sales])
    mail = Facts(alice, ["x@far.example"], RAW)
    client.force_login(admin)
    page = reverse("admin:mta_approvalrule_changelist")
    assert "sales" in client.get(page).content.decode()
    delete_department(sales)
    rule = ApprovalRule.objects.get()
    assert not fits(rule, mail)
    assert "Nobody: all who were named are gone" in client.get(page).content.decode()
    update_rule(rule, name="still outside")
    assert not fits(ApprovalRule.objects.get(), mail)
    update_rule(rule, authors="all")
    assert fits(ApprovalRule.objects.get(), mail)


def test_a_rule_whose_only_author_is_erased_says_so_too(
    alice: Account, bob: Account, rule: ApprovalRule, client: Client
) -> None:
    client.force_login(make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN, language="en"))
    update_rule(rule, accounts=[bob])
    erase_account(bob)
    assert not fits(ApprovalRule.objects.get(), Facts(alice, ["x@far.example"], RAW))
    assert "Nobody: all" in client.get(reverse("admin:mta_approvalrule_changelist")).content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"departments": []}, "Name at least one account or department"),
        ({"authors": "all"}, "so it can&#x27;t be everybody"),
        ({"authors": "all", "departments": []}, None),
    ],
    ids=["nobody is left", "both", "everybody"],
)
def test_who_is_taken_out_of_a_rule_is_not_everybody(
    alice: Account, rule: ApprovalRule, client: Client, changes: dict[str, Any], said: str | None
) -> None:
    client.force_login(make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN, language="en"))
    update_rule(rule, departments=[create_department(alice.domain, "sales")])
    url = reverse("admin:mta_approvalrule_change", args=[rule.pk])
    form = client.get(url).context["adminform"].form
    given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    given = {name: [row.pk for row in value] if isinstance(value, list) else value for name, value in given.items()}
    given |= changes
    answer = client.post(url, {name: value for name, value in given.items() if value is not None})
    if said is None:
        assert (answer.status_code, ApprovalRule.objects.get().authors) == (302, "all")
        return
    assert said in answer.content.decode()
    assert ApprovalRule.objects.get().departments.count() == 1


def test_departments_are_asked_for_once_however_many_rules_name_them(
    alice: Account, boss: Account, django_assert_max_num_queries: Any
) -> None:
    sales = create_department(alice.domain, "sales")
    for number in range(6):
        create_rule(alice.domain, name=f"r{number}", approver=boss, departments=[sales])
    with django_assert_max_num_queries(6):
        assert rule_for(Facts(alice, ["x@far.example"], RAW)) is None


def test_a_reminder_that_fails_keeps_no_deadline_and_no_other(
    alice: Account, boss: Account, rule: ApprovalRule, monkeypatch: Any
) -> None:
    update_rule(rule, remind_after_h=1, deadline_h=2, on_deadline="refuse")
    first, second = send(alice, "x@far.example"), send(alice, "y@far.example")

    def broken(approval: Approval, *given: Any, **named: Any) -> None:
        if approval.pk == first.pk:
            raise ValueError("broken")
        told.append(approval.pk)

    told: list[int] = []
    monkeypatch.setattr("mta.approval.deciding.tell", broken)
    tick(second.deadline_us)
    assert told == [second.pk]
    assert set(Approval.objects.values_list("state", flat=True)) == {"expired"}


def test_rules_are_administrators_work_in_their_own_domain(alice: Account, boss: Account, rule: ApprovalRule) -> None:
    admin = make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN)
    stranger = make_account("chief@elsewhere.test", role=Account.Role.DOMAIN_ADMIN)
    for actor, kind in ((alice, ErrorKind.NO_PERMISSION), (stranger, ErrorKind.NOT_FOUND)):
        for act in (
            lambda who: create_rule(alice.domain, actor=who, name="x", approver=boss),
            lambda who: update_rule(rule, actor=who, name="x"),
            lambda who: delete_rule(rule, actor=who),
        ):
            with pytest.raises(MailError) as error:
                act(actor)
            assert error.value.kind is kind
    with pytest.raises(MailError):
        update_rule(rule, actor=admin, approver=stranger)
    with pytest.raises(MailError):
        update_rule(rule, actor=admin, approver=boss, substitute=boss)
    delete_rule(rule, actor=admin)
    assert not ApprovalRule.objects.filter(domain=make_domain()).exists()


def test_the_log_shows_ones_own_and_what_one_was_asked(
    alice: Account, bob: Account, boss: Account, rule: ApprovalRule
) -> None:
    approval = send(alice, "x@far.example")
    decide(approval.pk, boss, agrees=True)
    send(alice, "y@far.example")
    first = Where()
    assert approval_log(alice, first, size=20).total == approval_log(boss, first, size=20).total == 2
    assert approval_log(alice, first, as_approver=True, size=20).total == 0
    decided = approval_log(boss, first, state="approved", as_approver=True, size=20)
    assert [row.state for row in decided.rows] == ["approved"]
    assert approval_log(bob, first, size=20).total == 0
