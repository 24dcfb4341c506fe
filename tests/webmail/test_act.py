"""Acts on mail: each of them, Undo, the whole folder, nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import grant_mailbox
from mailstore.fields import pack
from mailstore.models import Entry, Flag, Recoverable, Role
from mailstore.services import folders
from tests.webmail.mails import browser_of, deliver_many, folder_id
from webmail.acting import UNDO_SALT
from webmail.views.act import MAX_IDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


@pytest.fixture
def mails(alice: Account) -> list[int]:
    return deliver_many(alice, 3)


def act(client: Client, **data: Any) -> dict[str, Any]:
    """As our script asks; its answer."""
    answer = client.post(reverse("act"), data, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def where(alice: Account, entry: int) -> str:
    """The role of the folder that a mail is in."""
    folder = Entry.objects.get(pk=entry).folder_id
    return (
        next(role for role in Role.values if role and folder == folder_id(alice, role))
        if folder in {folder_id(alice, role) for role in (Role.INBOX, Role.TRASH, Role.JUNK, Role.SENT, Role.DRAFTS)}
        else str(folder)
    )


def test_flags_go_on_and_off(client: Client, mails: list[int]) -> None:
    for on, off, flag in (("read", "unread", Flag.SEEN), ("star", "unstar", Flag.FLAGGED)):
        act(client, act=on, ids=mails[:2])
        assert [bool(Entry.objects.get(pk=each).flags & flag) for each in mails] == [True, True, False]
        assert act(client, act=off, ids=mails)["toast"] == "2 mails changed"
        assert not any(Entry.objects.get(pk=each).flags & flag for each in mails)


def test_the_star_of_a_row_is_its_own_button(client: Client, mails: list[int]) -> None:
    act(client, star=mails[0], ids=mails[1:])
    assert [bool(Entry.objects.get(pk=each).flags & Flag.FLAGGED) for each in mails] == [True, False, False]
    act(client, unstar=mails[0])
    assert not Entry.objects.get(pk=mails[0]).flags & Flag.FLAGGED


@pytest.mark.parametrize(("name", "role"), [("delete", Role.TRASH), ("junk", Role.JUNK)])
def test_what_leaves_the_folder_comes_back_by_undo(
    client: Client, alice: Account, mails: list[int], name: str, role: str
) -> None:
    said = act(client, act=name, ids=mails[:2])
    assert said["toast"].startswith("2 mails moved to")
    assert [where(alice, each) for each in mails] == [role, role, Role.INBOX]
    assert act(client, undo=said["undo"]["token"])["toast"] == "Undone"
    assert {where(alice, each) for each in mails} == {Role.INBOX}


def test_moving_goes_to_the_chosen_folder_and_back(client: Client, alice: Account, mails: list[int]) -> None:
    target = folders.create_folder(access_for(alice, alice.pk), "Customers")
    said = act(client, act="move", ids=mails, folder=target)
    assert "Customers" in said["toast"]
    assert {where(alice, each) for each in mails} == {str(target)}
    act(client, undo=said["undo"]["token"])
    assert {where(alice, each) for each in mails} == {Role.INBOX}


def test_not_junk_goes_to_the_inbox(client: Client, alice: Account) -> None:
    (entry,) = deliver_many(alice, 1, role=Role.JUNK)
    act(client, act="not_junk", ids=[entry])
    assert where(alice, entry) == Role.INBOX


def test_deleting_from_trash_is_for_good_and_says_so(client: Client, alice: Account) -> None:
    (entry,) = deliver_many(alice, 1, role=Role.TRASH)
    said = act(client, act="delete", ids=[entry])
    assert "for good" in said["toast"] and "undo" not in said
    assert not Entry.objects.filter(pk=entry).exists()
    assert Recoverable.objects.filter(pk=entry).exists()


def test_the_whole_folder_is_more_than_a_page(client: Client, alice: Account) -> None:
    deliver_many(alice, 130)
    assert act(client, act="read", whole="1", folder_id=folder_id(alice))["toast"] == "130 mails changed"
    act(client, act="unread", ids=list(Entry.objects.values_list("pk", flat=True)[:5]))
    act(client, act="delete", whole="1", folder_id=folder_id(alice), filter="show=unread")
    assert Entry.objects.filter(folder_id=folder_id(alice, Role.TRASH)).count() == 5
    act(client, act="empty", whole="1", folder_id=folder_id(alice, Role.TRASH))
    assert not Entry.objects.filter(folder_id=folder_id(alice, Role.TRASH)).exists()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 422),
        ({"act": "read"}, 422),
        ({"act": "explode", "ids": ["OWN"]}, 422),
        ({"act": "empty", "ids": ["OWN"]}, 422),
        ({"act": "read", "ids": ["x"]}, 404),
        ({"act": "read", "ids": ["-1"]}, 404),
        ({"act": "read", "ids": ["²"]}, 404),
        ({"act": "read", "ids": ["9" * 19]}, 404),
        ({"act": "read", "ids": [str(2**63 - 1)]}, 404),
        ({"act": "read", "ids": [""]}, 404),
        ({"act": "read", "whole": "1", "folder_id": "x"}, 404),
        ({"act": "read", "whole": "1", "folder_id": "1"}, 404),
        ({"act": "move", "ids": ["OWN"]}, 404),
        ({"act": "move", "ids": ["OWN"], "folder": "1"}, 404),
        ({"act": "read", "ids": ["OWN"] * (MAX_IDS + 1)}, 429),
        ({"undo": "forged"}, 422),
        ({"undo": ""}, 422),
        ({"star": "x"}, 404),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    client: Client, alice: Account, mails: list[int], data: dict[str, Any], status: int
) -> None:
    before = list(Entry.objects.order_by("pk").values())
    sent = {
        name: [str(mails[0]) if each == "OWN" else each for each in value] if isinstance(value, list) else value
        for name, value in data.items()
    }
    answer = client.post(reverse("act"), sent, headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]
    assert list(Entry.objects.order_by("pk").values()) == before


def test_an_id_of_no_mail_of_ones_own_is_not_found(client: Client, alice: Account) -> None:
    data = {"act": "read", "ids": [pack(alice.pk, 999_999)]}
    assert client.post(reverse("act"), data).status_code == 404


def test_an_undo_is_for_who_did_it_and_only_for_a_while(
    client: Client, alice: Account, bob: Account, mails: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = act(client, act="delete", ids=mails)["undo"]["token"]
    grant_mailbox(alice, bob, "editor")
    assert browser_of(bob).post(reverse("act"), {"undo": token}).status_code == 404
    monkeypatch.setattr("webmail.views.act.UNDO_S", -1)
    assert client.post(reverse("act"), {"undo": token}).status_code == 422
    other = signing.dumps([[alice.pk, alice.pk]], salt=UNDO_SALT, compress=True)
    monkeypatch.setattr("webmail.views.act.UNDO_S", 60)
    assert client.post(reverse("act"), {"undo": other}).status_code == 404


@pytest.mark.parametrize(
    "wanted", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "evil"]
)
def test_a_plain_form_goes_back_to_a_page_of_ours(
    client: Client, alice: Account, mails: list[int], wanted: str
) -> None:
    here = reverse("folder", args=[folder_id(alice)])
    assert client.post(reverse("act"), {"act": "delete", "ids": mails[:1], "next": here})["Location"] == here
    assert "moved to" in client.get(here).content.decode()
    assert client.post(reverse("act"), {"act": "delete", "ids": mails[1:2], "next": wanted})["Location"] == "/"


def test_get_changes_nothing(client: Client, mails: list[int]) -> None:
    assert client.get(reverse("act"), {"act": "delete", "ids": mails}).status_code == 405
