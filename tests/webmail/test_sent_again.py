"""A mail that is posted again because the answer was lost is sent once, and answered as it was."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AccountRights
from mailstore.models import Draft, Entry, Role
from mta.models import Submission
from tests.webmail.mails import browser_of, deliver, mail
from tests.webmail.test_compose import JSON, in_folder, start, step, written
from webmail import drafting
from webmail.views import compose

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser."""
    return browser_of(alice)


WORDS = "Yes.\nAlice"


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


def first(client: Client, **fields: Any) -> Any:
    """From a composer whose draft was never saved, sent at once."""
    content = written(**{"composer": "c1", "attempt": "one"} | fields)
    return client.post(reverse("compose_new") + "?then=send", content, headers=JSON)


def test_a_composer_that_never_heard_of_its_draft_sends_once(client: Client, bob: Account) -> None:
    answers = [first(client) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(in_folder(bob, Role.INBOX)) == 1
    assert not Draft.objects.exists()


def test_a_draft_that_was_begun_anew_for_a_mail_that_left_goes(client: Client, bob: Account) -> None:
    """The page saves before it sends: its draft is gone, so that it saves makes another."""
    first(client)
    start(client, composer="c1")
    draft = Draft.objects.get()
    content = written(revision=draft.revision, composer="c1", attempt="one")
    answer = client.post(reverse("compose_send", args=[draft.pk]), content, headers=JSON)
    assert answer.status_code == 200
    assert len(in_folder(bob, Role.INBOX)) == 1
    assert not Draft.objects.exists()


def test_what_was_changed_in_a_page_that_was_gone_back_to_is_another_mail(client: Client, bob: Account) -> None:
    first(client)
    assert first(client, html="<p>At one.</p>").status_code == 200
    assert len(in_folder(bob, Role.INBOX)) == 2


def test_a_page_without_scripts_names_its_mail(client: Client, alice: Account, bob: Account) -> None:
    entry_id = deliver(alice, mail("Question", From="bob@example.test"))
    pages = [reverse("compose_new"), reverse("message", args=[Entry.objects.get(pk=entry_id).folder_id, entry_id])]
    names = [re.findall(r'name="attempt" value="(\w+)"', client.get(page).content.decode()) for page in pages * 2]
    assert all(len(found) == 1 for found in names)
    assert len({name for found in names for name in found}) == 4


def quick(client: Client, entry_id: int, **fields: Any) -> Any:
    """The small field below a mail."""
    content = {"mode": "reply", "source": entry_id, "quick": WORDS, "send": "1", "attempt": "one"} | fields
    return client.post(reverse("compose_new"), content, headers=JSON)


def test_a_quick_reply_goes_once(client: Client, alice: Account, bob: Account, settings: Any) -> None:
    settings.UNDO_SEND_S = 600
    entry_id = deliver(alice, mail("Question", From="bob@example.test"))
    answers = [quick(client, entry_id) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json() for answer in answers[1:]] == [answers[0].json()] * 2
    assert Submission.objects.count() == 1
    assert Draft.objects.count() == 1
    assert client.post(answers[2].json()["undo"]["url"], headers=JSON).status_code == 200


def test_the_same_words_to_another_mail_or_once_more_are_another_reply(
    client: Client, alice: Account, bob: Account
) -> None:
    entry_id, other = (deliver(alice, mail(text, From="bob@example.test")) for text in ("One?", "Two?"))
    quick(client, entry_id)
    quick(client, other)
    quick(client, entry_id, attempt="two")
    assert len(in_folder(bob, Role.INBOX)) == 3


def test_two_quick_replies_at_once_are_one(
    client: Client, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_id = deliver(alice, mail("Question", From="bob@example.test"))
    prepend, answers = drafting.prepend, []

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(drafting, "prepend", prepend)
        answers.append(quick(client, entry_id))
        return prepend(*args)

    monkeypatch.setattr(drafting, "prepend", overtaken)
    answers.append(quick(client, entry_id))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(in_folder(bob, Role.INBOX)) == 1
    assert not Draft.objects.exists()


def test_a_quick_reply_that_is_refused_opens_in_the_composer_and_says_why(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail("Question", From="x@far.example"))
    AccountRights.objects.update_or_create(account=alice, defaults={"sends_outside": False})
    answer = quick(client, entry_id).json()
    assert "x@far.example" in answer["error"]
    assert f"/compose/{Draft.objects.get().pk}/" in answer["open"]
    assert WORDS.split("\n")[0] in Draft.objects.get().html + Draft.objects.get().text
