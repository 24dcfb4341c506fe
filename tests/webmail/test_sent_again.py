"""A mail that is posted again because the answer was lost is sent once, and answered as it was."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from mailstore.models import Draft, Role
from mta.models import Submission
from tests.webmail.mails import browser_of
from tests.webmail.test_compose import JSON, in_folder, start, step, written
from webmail.views import compose

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser."""
    return browser_of(alice)


def post(client: Client, draft: Draft, **fields: Any) -> Any:
    """From the composer as it stood, whatever became of the draft."""
    content = written(revision=draft.revision, attempt="one", **fields)
    return client.post(reverse("compose_send", args=[draft.pk]), content, headers=JSON)


def test_a_mail_that_left_is_answered_as_sent_and_goes_once(client: Client, bob: Account) -> None:
    draft = start(client)
    answers = [post(client, draft) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json() for answer in answers[1:]] == [answers[0].json()] * 2
    assert not Draft.objects.filter(pk=draft.pk).exists()
    assert len(in_folder(bob, Role.INBOX)) == 1


def test_a_mail_that_is_still_held_can_be_taken_back_from_either_answer(
    client: Client, bob: Account, settings: Any
) -> None:
    settings.UNDO_SEND_S = 600
    draft = start(client)
    first = post(client, draft).json()
    again = post(client, draft).json()
    assert first["undo"] == again["undo"]
    assert Submission.objects.count() == 1
    assert client.post(again["undo"]["url"], headers=JSON).status_code == 200
    assert in_folder(bob, Role.INBOX) == []


def test_after_it_was_taken_back_it_is_a_draft_that_can_be_sent(client: Client, bob: Account, settings: Any) -> None:
    settings.UNDO_SEND_S = 600
    draft = start(client)
    client.post(post(client, draft).json()["undo"]["url"], headers=JSON)
    late = post(client, draft)
    assert late.status_code == 422, "the answer to a request that comes too late may not say that the mail is sent"
    settings.UNDO_SEND_S = 0
    assert step(client, draft, "send", attempt="two").status_code == 200
    assert len(in_folder(bob, Role.INBOX)) == 1


def test_another_attempt_and_another_person_are_told_that_it_is_gone(
    client: Client, alice: Account, bob: Account
) -> None:
    draft = start(client)
    post(client, draft)
    other = written(revision=draft.revision, attempt="two")
    assert client.post(reverse("compose_send", args=[draft.pk]), other, headers=JSON).status_code == 404
    assert client.post(reverse("compose_send", args=[draft.pk]), written(), headers=JSON).status_code == 404
    assert post(browser_of(bob), draft).status_code == 404


def test_two_requests_at_once_are_both_answered_as_sent(
    client: Client, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looks before the first has stored anything, and then finds that it did."""
    draft = start(client)
    save, answers = compose.save_posted, []

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(compose, "save_posted", save)
        answers.append(post(client, draft))
        return save(*args)

    monkeypatch.setattr(compose, "save_posted", overtaken)
    answers.append(post(client, draft))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(in_folder(bob, Role.INBOX)) == 1
