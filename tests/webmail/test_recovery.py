"""恢复误删邮件: the page, restoring, Undo, strangers."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.rows import Level
from accounts.selectors import access_for
from accounts.services import grant_mailbox
from logs_app.selectors import deletions
from mailstore.models import Entry, Recoverable, Role
from mailstore.selectors.folders import folder_by_role
from mailstore.services.entries import purge
from mailstore.services.folders import create_folder
from tests.webmail.mails import browser_of, deliver, mail

pytestmark = pytest.mark.django_db
PAGE = "/recovery/"


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser, in English."""
    return browser_of(alice)


def deleted(account: Account, subject: str = "Price list", number: int = 1) -> int:
    """A mail that was deleted for good."""
    entry = deliver(account, mail(Subject=subject, Message_ID=f"<{number}@x.test>"))
    purge(access_for(account, account.pk), [entry])
    return entry


def shown(client: Client, query: str = "") -> str:
    """The page."""
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_says_when_who_to_whom_and_what(client: Client, alice: Account) -> None:
    entry = deleted(alice, "Offer <7>")
    page = shown(client)
    for text in (
        "Anna Schmidt",
        "alice@example.test",
        "Offer &lt;7&gt;",
        "last 14 days",
        f'value="{entry}"',
        "Restore to",
    ):
        assert text in page
    assert "2026-" in re.findall(r'class="row-sent".*?</span></li>|class="row-sent".*?</time>', page)[0]
    assert PAGE in client.get("/").content.decode()


def test_an_empty_page_says_what_would_be_here(client: Client) -> None:
    page = shown(client)
    assert "Nothing to recover" in page
    assert "14 days" in page
    assert "Restore to" not in page


def test_the_page_is_found_from_home_menu_and_trash(client: Client, alice: Account) -> None:
    trash = folder_by_role(access_for(alice, alice.pk), Role.TRASH).id
    for address in ("/", reverse("folder", args=[trash])):
        assert f'href="{PAGE}' in client.get(address).content.decode()


def test_it_can_be_searched_and_goes_on_by_pages(client: Client, alice: Account) -> None:
    for number in range(3):
        deleted(alice, f"Number {number}", number)
    found = shown(client, "?q=number+1")
    assert "Number 1" in found
    assert "Number 2" not in found
    assert "Nothing found" in shown(client, "?q=nothing-like-it")
    assert shown(client, "?page=99&after=nonsense&before=%22").count('name="ids"') == 3


def test_the_pager_walks_forth_and_back(client: Client, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    client.post("/preferences/display/", {"page_size": "20"})
    for number in range(45):
        deleted(alice, f"Number {number:02}", number)
    first = shown(client)
    assert ">1/3<" in first
    forth = re.findall(r'href="([^"]*)" rel="next"', first)[0].replace("&amp;", "&")
    second = client.get(forth).content.decode()
    assert "Number 24" in second
    assert ">2/3<" in second
    third = shown(client, "?page=3")
    assert "Number 04" in third
    assert "Number 05" not in third
    back = re.findall(r'href="([^"]*)" rel="prev"', third)[0].replace("&amp;", "&")
    assert "Number 24" in client.get(back).content.decode()


def test_several_are_restored_to_the_chosen_folder_without_javascript(client: Client, alice: Account) -> None:
    folder = create_folder(access_for(alice, alice.pk), "Projects")
    ids = [deleted(alice, f"Number {number}", number) for number in range(2)]
    answer = client.post("/act/", {"act": "recover", "ids": ids, "folder": folder, "next": PAGE}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "2 mails restored to “Projects”" in answer.content.decode()
    assert set(Entry.objects.filter(folder_id=folder).values_list("id", flat=True)) == set(ids)
    (row, *_) = deletions(alice.pk)
    assert (row.action, row.protocol) == ("recover", "web")


def test_undo_takes_it_back(client: Client, alice: Account) -> None:
    entry = deleted(alice)
    inbox = folder_by_role(access_for(alice, alice.pk), Role.INBOX).id
    before = Recoverable.objects.get().deleted_us
    form = {"act": "recover", "ids": [entry], "folder": inbox}
    token = client.post("/act/", form, headers={"Accept": "application/json"}).json()["undo"]["token"]
    assert client.post("/act/", {"undo": token}, headers={"Accept": "application/json"}).status_code == 200
    assert Recoverable.objects.get().deleted_us == before
    assert not Entry.objects.exists()


def test_nothing_chosen_or_no_folder_is_refused(client: Client, alice: Account) -> None:
    entry = deleted(alice)
    inbox = folder_by_role(access_for(alice, alice.pk), Role.INBOX).id
    assert client.post("/act/", {"act": "recover", "folder": inbox}).status_code == 422
    assert client.post("/act/", {"act": "recover", "ids": [entry]}).status_code == 404
    assert (
        client.post("/act/", {"act": "recover", "whole": "1", "folder_id": inbox, "folder": inbox}).status_code == 422
    )
    assert Recoverable.objects.filter(pk=entry).exists()


def test_a_stranger_restores_nothing(client: Client, bob: Account) -> None:
    entry = deleted(bob, "Bob's secret")
    mine = Entry.objects.count()
    assert "secret" not in shown(client)
    assert client.get(f"{PAGE}?mailbox={bob.pk}").status_code == 404
    assert client.get(f"{PAGE}?mailbox=99999999999999999999").status_code == 404
    inbox = folder_by_role(access_for(bob, bob.pk), Role.INBOX).id
    assert client.post("/act/", {"act": "recover", "ids": [entry], "folder": inbox}).status_code == 404
    assert Entry.objects.count() == mine


def test_a_reader_of_a_shared_mailbox_sees_but_does_not_restore(client: Client, alice: Account, bob: Account) -> None:
    grant_mailbox(bob, alice, Level.READER)
    entry = deleted(bob, "Shared mail")
    page = shown(client, f"?mailbox={bob.pk}")
    assert "Shared mail" in page
    assert "Restore to" not in page
    inbox = folder_by_role(access_for(bob, bob.pk), Role.INBOX).id
    assert client.post("/act/", {"act": "recover", "ids": [entry], "folder": inbox}).status_code == 403


def test_a_guest_is_asked_to_sign_in() -> None:
    answer = Client().get(PAGE)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")
