"""The first page, and the ways to the inbox."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import Account
from accounts.services import grant_mailbox
from logs_app.models import Event
from mailstore.models import Mailbox
from tests.factories import PASSWORD
from tests.webmail.mails import browser_of, deliver_many, folder_id
from webmail.views.home import _greeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


def test_the_page_tells_what_waits(client: Client, alice: Account) -> None:
    deliver_many(alice, 9)
    html = client.get("/").content.decode()
    assert "There are 9 unread mails." in html
    assert html.count('class="row is-new') == 6
    assert "Number 9" in html and "Number 3" not in html


def test_with_nothing_to_do_it_says_so(client: Client) -> None:
    assert "You have read everything." in client.get("/").content.decode()


def test_sign_ins_that_were_refused_are_shown_too(alice: Account) -> None:
    alice.language = "en"
    alice.save(update_fields=["language"])
    browser = Client()
    browser.post("/sign-in/", {"login": alice.address, "password": "wrong"})
    browser.post("/sign-in/", {"login": alice.address, "password": PASSWORD})
    html = browser.get("/").content.decode()
    assert Event.objects.filter(succeeded=False).exists()
    assert "refused" in html
    assert "127.0.0.1" in html


def test_the_page_costs_few_queries_and_no_more_for_more_mail(
    client: Client, alice: Account, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    client.get("/")
    with django_assert_max_num_queries(12) as counted:
        client.get("/")
    deliver_many(alice, 60)
    with django_assert_num_queries(len(counted.captured_queries)):
        client.get("/")


def test_the_inbox_has_an_address_to_bookmark(client: Client, alice: Account) -> None:
    assert client.get("/inbox/")["Location"] == reverse("folder", args=[folder_id(alice)])


def test_a_shared_mailbox_is_opened_from_the_tree(alice: Account, bob: Account) -> None:
    grant_mailbox(bob, alice, "reader")
    browser = browser_of(alice)
    html = browser.get("/inbox/", follow=True).content.decode()
    assert reverse("mailbox", args=[bob.pk]) in html and "My mailbox" in html
    answer = browser.get(reverse("mailbox", args=[bob.pk]))
    assert answer["Location"] == reverse("folder", args=[folder_id(bob)])
    assert f'name="mailbox" value="{bob.pk}"' in browser.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("hour", "said"),
    [(5, "Good morning"), (11, "Good morning"), (12, "Good afternoon"), (18, "Good evening"), (4, "Good evening")],
)
def test_the_greeting_knows_the_hour(hour: int, said: str) -> None:
    with translation.override("en"):
        assert _greeting(hour) == said


@pytest.mark.parametrize(
    ("used", "said"), [(89, ""), (95, "almost full"), (120, "Your mailbox is full")], ids=["room", "little", "none"]
)
def test_a_mailbox_without_room_says_what_follows_and_what_to_do(
    client: Client, alice: Account, used: int, said: str
) -> None:
    Account.objects.filter(pk=alice.pk).update(quota_bytes=100)
    Mailbox.objects.filter(pk=alice.pk).update(used_bytes=used)
    html = client.get("/").content.decode()
    assert ("quota-word" in html) == bool(said) and said in html
    assert ("Find large mails" in html) == bool(said)
