"""An act answers the list it was made from, so that a browser needs no second request."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from mailstore.models import Entry
from tests.webmail.mails import browser_of, deliver, mail

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser, in English."""
    return browser_of(alice)


def act(client: Client, entry_id: int, **fields: Any) -> dict[str, Any]:
    """The answer to an act on one mail."""
    found: dict[str, Any] = client.post(reverse("act"), {"ids": entry_id, **fields}, headers=JSON).json()
    return found


def folder_of(entry_id: int) -> str:
    """The address of the folder a mail is in."""
    return reverse("folder", args=[Entry.objects.get(pk=entry_id).folder_id])


def test_the_answer_holds_the_list_and_the_tree_as_they_are_afterwards(client: Client, alice: Account) -> None:
    gone, kept = deliver(alice, mail(Subject="going away")), deliver(alice, mail(Subject="staying here"))
    part = act(client, gone, act="delete", view=folder_of(kept))["part"]
    assert 'name="next" value="/mail/' in part
    assert "staying here" in part
    assert "going away" not in part
    assert 'id="list"' in part
    assert 'id="tree"' in part


def test_the_answer_keeps_to_the_filter_that_is_shown(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail(Subject="read now"))
    part = act(client, entry_id, act="read", view=f"{folder_of(entry_id)}?show=unread")["part"]
    assert "read now" not in part
    assert f'data-url="{folder_of(entry_id)}?show=unread"' in part


def test_a_list_of_somebody_else_or_of_nothing_is_not_answered(client: Client, alice: Account, bob: Account) -> None:
    mine, theirs = deliver(alice, mail()), deliver(bob, mail(Subject="for bob alone"))
    for view in (folder_of(theirs), "/nowhere/", "/admin/", "", "//example.com/"):
        assert act(client, mine, act="read", view=view)["part"] == ""


def test_the_page_of_a_mail_asks_for_its_folder(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail())
    entry = Entry.objects.get(pk=entry_id)
    page = client.get(reverse("message", args=[entry.folder_id, entry_id])).content.decode()
    assert f'data-url="{folder_of(entry_id)}"' in page
