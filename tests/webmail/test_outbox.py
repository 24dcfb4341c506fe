"""待发送 in the browser, and 定时发送 in the composer."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from mailstore.models import Draft, Folder, Role
from mta.models import Delivery, Submission
from tests.webmail.mails import browser_of, deliver, mail
from tests.webmail.test_compose import answer_to, in_folder, start, step
from webmail import scheduling

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser."""
    return browser_of(alice)


def local(**ahead: int) -> str:
    """A time ahead as the form has it, in the zone of accounts that chose none."""
    with timezone.override("Asia/Shanghai"):
        return (timezone.localtime() + datetime.timedelta(**ahead)).strftime(scheduling.FORMAT)


def act(client: Client, submission: Submission, name: str) -> Any:
    """One button of the page."""
    return client.post(reverse("outbox_act", args=[submission.mailbox_id, submission.pk]), {"act": name}, follow=True)


def scheduled(client: Client) -> Submission:
    """A mail for tomorrow."""
    answer = step(client, start(client), "send", scheduled="chosen", schedule_at=local(days=1))
    assert answer.status_code == 200, answer.content
    return Submission.objects.get()


def test_a_chosen_time_is_kept_in_the_writers_zone_and_said(client: Client, bob: Account) -> None:
    wanted = local(days=1)
    answer = step(client, start(client), "send", scheduled="chosen", schedule_at=wanted)
    with timezone.override("Asia/Shanghai"):
        assert scheduling.field_of(Submission.objects.get().schedule_us) == wanted
    assert wanted[11:] in answer.json()["toast"]
    assert in_folder(bob, "inbox") == []
    page = client.get(reverse("outbox", args=[Submission.objects.get().mailbox_id])).content.decode()
    assert "Lunch" in page and wanted[11:] in page


@pytest.mark.parametrize("when", ["", "nonsense", "2001-01-01T10:00", "9999-12-31T23:59", "0001-01-01T00:00"])
def test_a_time_that_cannot_be_is_said_and_nothing_is_lost(client: Client, bob: Account, when: str) -> None:
    draft = start(client)
    answer = step(client, draft, "send", scheduled="chosen", schedule_at=when)
    assert answer.status_code == 422
    assert answer.json()["field"] == "schedule_at"
    assert not Submission.objects.exists()
    draft.refresh_from_db()
    assert "At noon" in draft.html


def test_undo_and_edit_open_the_draft_with_its_time(client: Client, bob: Account) -> None:
    submission = scheduled(client)
    composer = reverse("compose", args=[submission.draft_id])
    assert client.get(composer).url == reverse("outbox", args=[submission.mailbox_id])  # type: ignore[attr-defined]
    answer = act(client, submission, "edit")
    assert answer.redirect_chain[-1][0] == composer
    assert f'value="{local(days=1)[:10]}'.encode() in answer.content


def test_send_now_and_cancel(client: Client, bob: Account) -> None:
    submission = scheduled(client)
    act(client, submission, "now")
    assert len(in_folder(bob, "inbox")) == 1
    assert act(client, submission, "cancel").status_code == 200
    Submission.objects.all().delete()
    submission = scheduled(client)
    act(client, submission, "cancel")
    assert Delivery.objects.get(submission=submission).state == "cancelled"
    assert len(in_folder(bob, "inbox")) == 1


def test_hours_that_a_change_of_clocks_leaves_out_are_no_times() -> None:
    with timezone.override("Europe/Berlin"):
        assert scheduling.at_us("2027-03-28T02:30") is None
        assert scheduling.at_us("2027-03-28T03:30") is not None


def held(client: Client, draft: Draft, settings: Any) -> Submission:
    """A draft with a copy in 草稿箱, sent, and still to be had back."""
    settings.UNDO_SEND_S = 600
    assert step(client, draft, "save", close="1").status_code == 200
    assert step(client, draft, "send").status_code == 200
    draft.refresh_from_db()
    assert draft.snapshot_entry_id is not None
    return Submission.objects.get()


def test_a_mail_that_can_still_be_had_back_is_no_draft_in_lists_and_reader(
    client: Client, alice: Account, bob: Account, settings: Any
) -> None:
    draft = start(client)
    folder = Folder.objects.get(mailbox_id=alice.pk, role=Role.DRAFTS)
    lists = (reverse("folder", args=[folder.pk]), reverse("search") + "?q=in:drafts")
    assert all("Can still be undone" not in client.get(url).content.decode() for url in lists)
    submission = held(client, draft, settings)
    assert all(
        '<span class="row-state">Can still be undone</span>' in client.get(url).content.decode() for url in lists
    )
    page = client.get(reverse("message", args=[folder.pk, draft.snapshot_entry_id])).content.decode()
    assert "This mail has been sent and can still be undone." in page
    assert reverse("outbox_act", args=[alice.pk, submission.pk]) in page
    for absent in ("Go on writing", 'value="reply"', 'value="delete"', 'id="quick-text"'):
        assert absent not in page.partition('id="mail"')[2], absent
    assert act(client, submission, "edit").redirect_chain[-1][0] == reverse("compose", args=[draft.pk])
    assert all("Can still be undone" not in client.get(url).content.decode() for url in lists)


def test_an_answer_that_can_still_be_had_back_is_no_draft_in_its_conversation(
    client: Client, alice: Account, bob: Account, settings: Any
) -> None:
    source = deliver(alice, mail())
    draft = answer_to(client, source, "reply")
    inbox = Folder.objects.get(mailbox_id=alice.pk, role=Role.INBOX)
    assert step(client, draft, "save", close="1", to="bob@example.test").status_code == 200
    page = reverse("message", args=[inbox.pk, source])
    assert '<span class="thread-draft">Draft</span>' in client.get(page).content.decode()
    held(client, draft, settings)
    found = client.get(page).content.decode()
    assert '<span class="thread-state">Can still be undone</span>' in found
    assert "thread-draft" not in found


def test_what_waits_can_be_read_without_taking_it_back(client: Client, alice: Account, bob: Account) -> None:
    files = SimpleUploadedFile("price.txt", b"12 USD", "text/plain")
    draft = start(client)
    client.post(reverse("compose_attach", args=[draft.pk]), {"file": files}, headers={"Accept": "application/json"})
    step(client, draft, "send", bcc="carol@far.example", scheduled="chosen", schedule_at=local(days=1))
    submission = Submission.objects.get()
    where = [submission.mailbox_id, submission.pk]
    url = reverse("outbox_act", args=where)
    assert f'data-row-link href="{url}"' in client.get(reverse("outbox", args=where[:1])).content.decode()
    page = client.get(url).content.decode()
    for said in ("Lunch", "bob@example.test", "carol@far.example", "price.txt", 'value="edit"', 'value="cancel"'):
        assert said in page
    body = client.get(reverse("outbox_body", args=where))
    assert "At noon?" in body.content.decode()
    assert "default-src 'none'" in body["Content-Security-Policy"]
    number = re.findall(r"/part/([\d.]+)", page)[0]
    assert b"".join(client.get(reverse("outbox_part", args=[*where, number]))) == b"12 USD"
    assert Submission.objects.get().is_gated
    act(client, submission, "cancel")
    assert client.get(url, follow=True).redirect_chain == [(reverse("outbox", args=where[:1]), 302)]
    for name in ("outbox_body", "outbox_part"):
        assert client.get(reverse(name, args=where + ([number] if name == "outbox_part" else []))).status_code == 404
