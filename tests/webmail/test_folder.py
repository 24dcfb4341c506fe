"""The list of a folder: pages, filters, fragments; its queries never grow with the folder."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import grant_mailbox
from mailstore.models import Flag, Folder, Role
from mailstore.services import entries, folders
from tests.webmail.mails import browser_of, deliver, deliver_many, folder_id, mail
from webmail.display import change_display

pytestmark = pytest.mark.django_db
LIST = {"HX-Request": "true", "HX-Target": "list"}
MAX_QUERIES = 8


@pytest.fixture
def client(alice: Account) -> Client:
    change_display(alice, page_size=20)
    return browser_of(alice)


@pytest.fixture
def inbox(alice: Account) -> str:
    return reverse("folder", args=[folder_id(alice)])


def numbers(html: str) -> list[int]:
    return [int(each) for each in re.findall(r'row-subject">Number (\d+)<', html)]


def get(client: Client, url: str, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as counted:
        get(client, url, **LIST)
    return len(counted.captured_queries)


def link(html: str, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', html)
    return found[1].replace("&amp;", "&") if found else ""


def test_the_newest_mail_is_first_and_pages_hold_every_mail_once(client: Client, alice: Account, inbox: str) -> None:
    deliver_many(alice, 65)
    seen, url = [], inbox
    while url:
        html = get(client, url)
        seen += numbers(html)
        url = link(html, "next")
    assert seen == list(range(65, 0, -1))
    assert "4/4" in html
    back, url = [], link(html, "prev")
    while url:
        html = get(client, url)
        back = numbers(html) + back
        url = link(html, "prev")
    assert back == list(range(65, 5, -1))
    assert "1/4" in html


def test_a_jump_shows_what_turning_pages_shows(client: Client, alice: Account, inbox: str) -> None:
    deliver_many(alice, 65)
    assert numbers(get(client, f"{inbox}?page=3")) == list(range(25, 5, -1))
    assert numbers(get(client, f"{inbox}?page=99")) == list(range(5, 0, -1))


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "page=9999999999", "after=x", "before=1-", "show=x", "page=²"]
)
def test_nonsense_is_the_first_page(client: Client, alice: Account, inbox: str, query: str) -> None:
    deliver_many(alice, 25)
    assert numbers(get(client, f"{inbox}?{query}"))[0] == 25


def test_filters_show_their_mails_and_say_when_there_are_none(client: Client, alice: Account, inbox: str) -> None:
    first, second, _third = deliver_many(alice, 3)
    access = access_for(alice, alice.pk)
    entries.set_flags(access, [first], add=Flag.FLAGGED, remove=Flag(0))
    entries.set_flags(access, [second], add=Flag.SEEN, remove=Flag(0))
    assert numbers(get(client, f"{inbox}?show=starred")) == [1]
    assert numbers(get(client, f"{inbox}?show=unread")) == [3, 1]
    empty = get(client, f"{inbox}?show=attachment")
    assert numbers(empty) == []
    assert "Nothing matches" in empty


def test_the_pager_keeps_the_filter(client: Client, alice: Account, inbox: str) -> None:
    deliver_many(alice, 45)
    html = get(client, f"{inbox}?show=unread")
    assert "show=unread" in link(html, "next")
    assert numbers(get(client, link(html, "next")))[0] == 25


def test_a_fragment_is_the_same_list_and_tree_without_the_page(client: Client, alice: Account, inbox: str) -> None:
    deliver_many(alice, 3)
    part, page = get(client, inbox, **LIST), get(client, inbox)
    assert numbers(part) == numbers(page) == [3, 2, 1]
    assert part.lstrip().startswith("<section") and 'id="tree"' in part
    assert "<html" not in part and "<html" in page


def test_the_number_of_queries_is_small_and_the_same_at_any_depth_and_size(
    client: Client, alice: Account, inbox: str
) -> None:
    deliver_many(alice, 25)
    get(client, inbox)  # fills what a process remembers
    small = queries(client, inbox)
    deliver_many(alice, 300)
    html, counts = get(client, inbox), []
    for _page in range(12):
        url = link(html, "next")
        counts.append(queries(client, url))
        html = get(client, url)
    assert small <= MAX_QUERIES
    assert set(counts) == {small}
    assert queries(client, f"{inbox}?page=9") <= MAX_QUERIES


def test_the_number_of_queries_does_not_grow_with_folders(client: Client, alice: Account, inbox: str) -> None:
    get(client, inbox)
    before = queries(client, inbox)
    for number in range(30):
        folders.create_folder(access_for(alice, alice.pk), f"Folder {number}")
    assert queries(client, inbox) == before


@pytest.mark.parametrize("role", [Role.INBOX, Role.DRAFTS, Role.SENT, Role.TRASH, Role.JUNK])
def test_an_empty_folder_says_what_it_is_for(client: Client, alice: Account, role: str) -> None:
    html = get(client, reverse("folder", args=[folder_id(alice, role)]))
    assert 'class="empty"' in html or "empty" in html
    assert 'id="rows"' not in html


def test_mail_of_strangers_is_escaped(client: Client, alice: Account, inbox: str) -> None:
    deliver(alice, mail("<img src=x onerror=alert(1)>", Subject="<script>x</script>", From='"<b>" <a@b.test>'))
    html = get(client, inbox)
    assert "<script>x" not in html and "<img src=x" not in html and "<b></b>" not in html
    assert "&lt;script&gt;x" in html


def test_a_locked_folder_is_closed(client: Client, alice: Account) -> None:
    folder = folders.create_folder(access_for(alice, alice.pk), "Locked")
    Folder.objects.filter(pk=folder).update(lock_scope="folder")
    assert client.get(reverse("folder", args=[folder])).status_code == 403


def test_a_readers_toolbar_offers_nothing_that_he_may_not_do(alice: Account, bob: Account, inbox: str) -> None:
    deliver_many(alice, 2)
    grant_mailbox(alice, bob, "reader")
    html: Any = get(browser_of(bob), inbox)
    assert numbers(html) == [2, 1]
    assert not re.findall(r'name="act" value="(?!")', html)
    assert "New folder" not in html
