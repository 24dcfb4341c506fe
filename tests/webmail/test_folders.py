"""我的文件夹: made, renamed, moved, deleted, and why not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import grant_mailbox
from mailstore.models import Folder, Role
from mailstore.services import folders
from tests.webmail.mails import browser_of, deliver, folder_id, mail

pytestmark = pytest.mark.django_db
NEW = "/folders/new/"


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


def make(alice: Account, name: str, parent: int = 0) -> int:
    return folders.create_folder(access_for(alice, alice.pk), name, parent_id=parent)


@pytest.mark.parametrize("parent", [{}, {"parent": ""}, {"parent": "0"}])
def test_a_folder_is_made_at_the_top(client: Client, alice: Account, parent: dict[str, str]) -> None:
    answer = client.post(NEW, {"name": "客户 A&B <x>", **parent}, follow=True)
    made = Folder.objects.get(name="客户 A&B <x>")
    assert made.parent_id == 0
    assert answer.redirect_chain == [(reverse("folder", args=[made.pk]), 302)]
    assert "客户 A&amp;B &lt;x&gt;" in answer.content.decode()


def test_a_folder_is_made_inside_another_and_moved_out(client: Client, alice: Account) -> None:
    outer = make(alice, "Outer")
    client.post(NEW, {"name": "Inner", "parent": outer})
    inner = Folder.objects.get(name="Inner")
    assert inner.parent_id == outer
    client.post(reverse("folder_edit", args=[inner.pk]), {"name": "Other", "parent": "0"})
    inner.refresh_from_db()
    assert (inner.name, inner.parent_id) == ("Other", 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "required"),
        ("x" * 61, "60"),
        ("a/b", "1 to 60 characters"),
        ("Taken", "of this name already"),
        ("   ", "required"),
        ("a\0b", "Null"),
    ],
)
def test_a_name_that_can_not_be_is_explained_at_the_field(client: Client, alice: Account, name: str, said: str) -> None:
    make(alice, "Taken")
    before = Folder.objects.count()
    for url in (NEW, reverse("folder_edit", args=[make(alice, "Mine")])):
        answer = client.post(url, {"name": name, "parent": "0"})
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert 'aria-invalid="true"' in answer.content.decode()
    assert Folder.objects.count() == before + 1


def test_limits_are_said_with_their_number(client: Client, alice: Account) -> None:
    alice.domain.max_folder_depth = 2
    alice.domain.save()
    inner = make(alice, "Two", make(alice, "One"))
    answer = client.post(NEW, {"name": "Three", "parent": inner})
    assert answer.status_code == 422
    assert "at most 2 levels" in answer.content.decode()
    alice.domain.max_folders = 2
    alice.domain.save()
    answer = client.post(NEW, {"name": "Three", "parent": "0"})
    assert "at most 2 folders" in answer.content.decode()


def test_a_folder_is_not_moved_into_itself(client: Client, alice: Account) -> None:
    outer = make(alice, "Outer")
    inner = make(alice, "Inner", outer)
    for target in (outer, inner):
        answer = client.post(reverse("folder_edit", args=[outer]), {"name": "Outer", "parent": target})
        assert answer.status_code == 422
    assert Folder.objects.get(pk=outer).parent_id == 0


def test_a_full_folder_stays_and_an_empty_one_goes(client: Client, alice: Account) -> None:
    outer = make(alice, "Outer")
    inner = make(alice, "Inner", outer)
    url = reverse("folder_delete", args=[outer])
    assert "Delete “Outer”?" in client.get(url).content.decode()
    refused = client.post(url)
    assert refused.status_code == 409
    assert "still holds" in refused.content.decode()
    client.post(reverse("folder_delete", args=[inner]))
    done = client.post(url, follow=True)
    assert "deleted" in done.content.decode()
    assert not Folder.objects.filter(pk__in=[outer, inner]).exists()


def test_a_folder_with_mail_is_not_deleted(client: Client, alice: Account) -> None:
    folder = make(alice, "Full")
    client.post("/act/", {"act": "move", "ids": deliver(alice, mail()), "folder": folder})
    assert client.post(reverse("folder_delete", args=[folder])).status_code == 409


@pytest.mark.parametrize("role", [Role.INBOX, Role.DRAFTS, Role.SENT, Role.TRASH, Role.JUNK])
def test_the_systems_folders_stay_as_they_are(client: Client, alice: Account, role: str) -> None:
    folder = folder_id(alice, role)
    before = Folder.objects.filter(pk=folder).values().get()
    assert client.post(reverse("folder_edit", args=[folder]), {"name": "x", "parent": "0"}).status_code in {403, 422}
    assert client.post(reverse("folder_delete", args=[folder])).status_code in {403, 409}
    assert Folder.objects.filter(pk=folder).values().get() == before


def test_an_editor_of_a_shared_mailbox_makes_folders_there(alice: Account, bob: Account) -> None:
    grant_mailbox(alice, bob, "editor")
    browser = browser_of(bob)
    assert browser.get(f"{NEW}?mailbox={alice.pk}").status_code == 200
    browser.post(NEW, {"name": "Shared", "parent": "0", "mailbox": alice.pk})
    assert Folder.objects.get(name="Shared").mailbox_id == alice.pk


@pytest.mark.parametrize("mailbox", ["0", "999999999999", "99999999", "x", "-1", "²"])
def test_a_mailbox_of_nobody_is_not_found_or_ones_own(client: Client, mailbox: str) -> None:
    assert client.get(NEW, {"mailbox": mailbox}).status_code in {200, 404}
    assert client.get("/search/", {"q": "x", "mailbox": mailbox}).status_code in {200, 404}
    if mailbox.isdigit() and mailbox.isascii():
        assert client.get(NEW, {"mailbox": mailbox}).status_code == 404
