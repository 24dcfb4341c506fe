"""发信审批 in the browser: the list, the mail, the decision, the signed link, the log."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Department
from accounts.selectors import access_for
from mailstore.message import read
from mta.approval.asking import DECISION
from mta.approval.rules import create_rule
from mta.models import Approval
from mta.services import submit
from tests.factories import make_account
from tests.mta.approval.test_approval import XLSX
from tests.mta.test_submit import request, states
from tests.webmail.mails import browser_of
from tests.webmail.test_compose import in_folder, start, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(alice: Account) -> Account:
    """Who must agree to what leaves the company."""
    boss = make_account("boss@example.test")
    create_rule(alice.domain, name="outside", approver=boss)
    return boss


@pytest.fixture
def waiting(alice: Account, boss: Account) -> Approval:
    """A mail with a file."""
    return Approval.objects.get(
        submission=submit(access_for(alice, alice.pk), request("x@far.example", raw=XLSX + b"\r\n"))
    )


def path_of(approval: Approval, boss: Account) -> str:
    """The link of the notice."""
    return "/approve/" + DECISION.make(approval.pk, boss.pk).partition("/approve/")[2]


def test_the_approver_reads_it_with_its_files_and_agrees(waiting: Approval, boss: Account) -> None:
    client = browser_of(boss)
    assert "offer" in client.get(reverse("approvals")).content.decode()
    page = client.get(reverse("approval", args=[waiting.pk])).content.decode()
    assert "底价" in page and "List.XLSX" in page
    assert client.get(reverse("approval_part", args=[waiting.pk, "2"])).content == b"PK"
    assert client.get(reverse("approval_body", args=[waiting.pk])).status_code == 200
    assert str(reverse("approvals")) in client.get(reverse("home")).content.decode()
    client.post(reverse("approval", args=[waiting.pk]), {"decision": "agree"})
    assert states(waiting.submission_id) == {"x@far.example": "queued"}
    page = client.get(reverse("approval", args=[waiting.pk])).content.decode()
    assert "底价" not in page
    assert client.get(reverse("approval_part", args=[waiting.pk, "2"])).status_code == 404


def test_the_link_asks_and_decides_once_without_signing_in(waiting: Approval, boss: Account, alice: Account) -> None:
    guest, path = Client(), path_of(waiting, boss)
    for _scanner in range(2):
        page = guest.get(path)
        assert page.status_code == 200 and "底价" not in page.content.decode()
    assert states(waiting.submission_id) == {"x@far.example": "approval"}
    guest.post(path, {"decision": "refuse", "comment": "too cheap"})
    assert states(waiting.submission_id) == {"x@far.example": "cancelled"}
    guest.post(path, {"decision": "agree"})
    assert states(waiting.submission_id) == {"x@far.example": "cancelled"}
    waiting.refresh_from_db()
    assert (waiting.state, waiting.comment) == ("refused", "too cheap")
    assert len(in_folder(alice, "drafts")) == 1
    assert guest.get(path[:-4] + "abc/").status_code == 404
    assert guest.post(path, {}).status_code in {400, 404, 422}


def test_people_are_named_with_their_departments(alice: Account, boss: Account) -> None:
    Account.objects.filter(pk=alice.pk).update(
        name="爱丽丝", department=Department.objects.create(domain=alice.domain, name="外贸部")
    )
    Account.objects.filter(pk=boss.pk).update(name="老板")
    raw = b"To: Xaver Fern <x@far.example>\r\n" + XLSX + b"\r\n"
    approval = Approval.objects.get(submission=submit(access_for(alice, alice.pk), request("x@far.example", raw=raw)))
    reader = browser_of(boss)
    (notice,) = in_folder(boss, "inbox")
    assert "爱丽丝 (外贸部) <alice@example.test>" in read(notice).text
    lists = [reader.get(reverse(name)).content.decode() for name in ("approvals", "approval_log")]
    door = Client().get(path_of(approval, boss)).content.decode()
    page = reader.get(reverse("approval", args=[approval.pk])).content.decode()
    assert all("爱丽丝" in each and "外贸部" in each for each in (*lists, door, page))
    assert "Xaver Fern" in page, "as the mail's header names him"
    assert "老板" in lists[1]
    Account.objects.filter(pk=alice.pk).update(is_hidden=True)
    assert "爱丽丝" not in reader.get(reverse("approval_log")).content.decode(), "as little as the directory says"


def test_the_link_wants_the_token_of_its_form(waiting: Approval, boss: Account) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(path_of(waiting, boss), {"decision": "agree"}).status_code == 403
    assert states(waiting.submission_id) == {"x@far.example": "approval"}


def test_nobody_else_sees_it(waiting: Approval, alice: Account, bob: Account) -> None:
    for account in (alice, bob):
        client = browser_of(account)
        for name, more in (("approval", []), ("approval_body", []), ("approval_part", ["2"])):
            assert client.get(reverse(name, args=[waiting.pk, *more])).status_code == 404
        assert client.post(reverse("approval", args=[waiting.pk]), {"decision": "agree"}).status_code == 404
    assert states(waiting.submission_id) == {"x@far.example": "approval"}


def test_the_author_is_told_waits_in_the_outbox_and_withdraws(alice: Account, boss: Account) -> None:
    client = browser_of(alice)
    answer = step(client, start(client, to="x@far.example"), "send", to="x@far.example")
    approval = Approval.objects.get()
    assert answer.json()["undo"]["url"]
    assert "state-warn" in client.get(reverse("outbox", args=[alice.pk])).content.decode()
    client.post(reverse("outbox_act", args=[alice.pk, approval.submission_id]), {"act": "edit"})
    approval.refresh_from_db()
    assert approval.state == "withdrawn"
    page = client.get(reverse("approval_log")).content.decode()
    assert "x@far.example" in page and "state-quiet" in page
    assert "<td" not in client.get(reverse("approval_log"), {"mine": "1"}).content.decode()
    assert (
        "<td" not in client.get(reverse("approval_log"), {"state": "approved", "until": "2001-01-01"}).content.decode()
    )
