"""Delivery status, recall, the log, and the settings of sending, in the browser."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from mailstore.models import Entry
from mailstore.selectors.folders import folder_by_role
from mta.models import Delivery, Opening, SendSettings, Submission
from mta.services import submit
from tests.mta.test_submit import request
from tests.webmail.mails import browser_of
from tests.webmail.test_compose import in_folder, start, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser; her mail is followed."""
    SendSettings.objects.create(account=alice, follows=True)
    return browser_of(alice)


def sent_page(client: Client, alice: Account) -> str:
    """The mail in 已发送, opened."""
    folder = folder_by_role(access_for(alice, alice.pk), "sent").id
    entry = Entry.objects.get(folder_id=folder)
    return client.get(reverse("message", args=[folder, entry.pk])).content.decode()


def test_a_sent_mail_says_how_far_it_is_and_can_be_recalled(client: Client, alice: Account, bob: Account) -> None:
    submission = submit(access_for(alice, alice.pk), request("bob@example.test", "x@far.example"))
    page = sent_page(client, alice)
    assert 'id="way-panel"' in page and "bob@example.test" in page and "x@far.example" in page
    recall = reverse("way_recall", args=[submission])
    assert recall in page
    assert "15" in client.get(recall).content.decode()
    assert len(in_folder(bob, "inbox")) == 1
    page = client.post(recall, follow=True).content.decode()
    assert in_folder(bob, "inbox") == []
    assert "state-good" in page and recall not in page
    assert client.post(recall).status_code == 302


def test_with_the_switch_off_there_is_neither(client: Client, alice: Account, bob: Account) -> None:
    SendSettings.objects.update(follows=False)
    submission = submit(access_for(alice, alice.pk), request("bob@example.test"))
    assert 'id="way-panel"' not in sent_page(client, alice)
    assert client.get(reverse("way", args=[submission])).status_code == 404
    assert client.get(reverse("way_recall", args=[submission])).status_code == 404


def test_opening_a_mail_counts_though_it_is_marked_unread_again(client: Client, alice: Account, bob: Account) -> None:
    submit(access_for(alice, alice.pk), request("bob@example.test"))
    folder = folder_by_role(access_for(bob, bob.pk), "inbox").id
    entry = Entry.objects.get(folder_id=folder)
    browser_of(bob).get(reverse("message", args=[folder, entry.pk]))
    assert Opening.objects.get().pk == entry.message_id


def rows_of(page: str) -> list[str]:
    """The lines of a log."""
    return re.findall(r"<tr>.*?</tr>", page)


def test_the_log_has_followed_mail_by_period_and_page(client: Client, alice: Account, bob: Account) -> None:
    for number in range(21):
        followed = submit(access_for(alice, alice.pk), request("bob@example.test" if number else "gone@example.test"))
    SendSettings.objects.update(follows=False)
    submit(access_for(alice, alice.pk), request("unfollowed@far.example"))
    Submission.objects.filter(pk=Submission.objects.earliest("pk").pk).update(created_us=1_700_000_000_000_000)
    first = client.get(reverse("delivery_log")).content.decode()
    assert first.count("bob@example.test") == 20 and "unfollowed" not in first
    assert "gone@example.test" not in first  # older than 90 days
    assert client.get(reverse("delivery_log"), {"since": "2999-01-01"}).content.decode().count("<td") == 0
    for number in range(40):
        Delivery.objects.create(submission_id=followed, recipient=f"{number}@far.example", updated_us=1)
    pages = [client.get(reverse("delivery_log")).content.decode()]
    while found := re.search(r'rel="next" href="([^"]+)"', pages[-1]):
        pages.append(client.get(reverse("delivery_log") + html.unescape(found[1])).content.decode())
    assert [re.search(r'pager-place">([^<]+)<', page)[1] for page in pages] == ["1/3", "2/3", "3/3"]  # type: ignore[index]
    for at in (1, 0):
        back = re.search(r'rel="prev" href="([^"]+)"', pages[at + 1])
        again = client.get(reverse("delivery_log") + html.unescape(back[1])).content.decode()  # type: ignore[index]
        assert rows_of(again) == rows_of(pages[at])
    for nonsense in (
        {"page": "-1"},
        {"page": "99999999999"},
        {"since": "x", "until": "0000-99"},
        {"after": "x", "before": "1.2"},
    ):
        assert client.get(reverse("delivery_log"), nonsense).status_code == 200


def test_the_log_says_why_a_mail_came_back(client: Client, alice: Account) -> None:
    submit(access_for(alice, alice.pk), request("gone@example.test"))
    assert Delivery.objects.get().state == "bounced"
    page = client.get(reverse("delivery_log")).content.decode()
    assert "state-bad" in page


def test_settings_are_kept_and_decide_the_composers_default(client: Client, alice: Account, bob: Account) -> None:
    client.post(reverse("sending"), {"keeps_web_mail": "", "keeps_program_mail": "1", "follows": ""})
    stored = SendSettings.objects.get(account=alice)
    assert (stored.keeps_web_mail, stored.keeps_program_mail, stored.follows) == (False, True, False)
    assert b'name="save_to_sent" checked' not in client.get(reverse("compose_new")).content
    assert client.post(reverse("sending"), {"follows": "maybe"}).status_code == 422
    step(client, start(client, save_to_sent=""), "send", save_to_sent="")
    assert in_folder(alice, "sent") == []
