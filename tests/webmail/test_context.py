"""The frame around every page: tree, counts, brand; and that a part pays for nothing it does not show."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from accounts.selectors import access_for
from mailstore.models import Role
from mailstore.services import drafts, folders
from tests.webmail.mails import browser_of, deliver_many
from webmail import drafting

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


def counts(html: str) -> dict[str, int]:
    """The number beside each folder in the tree."""
    tree = html[html.index('id="tree"') :]
    found = re.findall(r'node-name">([^<]+)</span>(?:<span class="node-count">(\d+)<)?', tree)
    return {name: int(count or 0) for name, count in found}


def test_the_tree_counts_what_waits(client: Client, alice: Account) -> None:
    deliver_many(alice, 3)
    deliver_many(alice, 2, role=Role.JUNK)
    deliver_many(alice, 2, role=Role.TRASH)
    access = access_for(alice, alice.pk)
    draft = drafts.create_draft(access, identity=alice.address, subject="Half", text="x", is_plain=True)
    drafting.snapshot(access, alice, draft, close=True)
    folders.create_folder(access, "Own")
    found = counts(client.get("/inbox/", follow=True).content.decode())
    assert (found["Inbox"], found["Junk"], found["Trash"], found["Own"]) == (3, 2, 0, 0)
    assert found["Drafts"] == 1


def test_the_current_folder_is_marked_and_the_title_counts(client: Client, alice: Account) -> None:
    deliver_many(alice, 3)
    html = client.get("/inbox/", follow=True).content.decode()
    assert len(re.findall(r'aria-current="page"', html)) == 1
    assert "<title>(3) Inbox · " in html


def test_the_brand_is_the_domains(client: Client, alice: Account) -> None:
    alice.domain.title = "Lichtwerk <GmbH>"
    alice.domain.save()
    for browser, path in ((client, "/"), (Client(), "/sign-in/")):
        html = browser.get(path, headers={"Host": "webmail.example.test"}).content.decode()
        assert "Lichtwerk &lt;GmbH&gt;" in html and "<GmbH>" not in html


def test_only_administrators_see_the_way_to_the_administration(client: Client, alice: Account) -> None:
    assert "/admin/" not in client.get("/").content.decode()
    alice.role = Account.Role.DOMAIN_ADMIN
    alice.save(update_fields=["role"])
    assert "/admin/" in client.get("/").content.decode()


def test_a_guests_page_asks_for_no_mailbox(django_assert_max_num_queries: Any, db: None) -> None:
    Client().get("/sign-in/")
    with django_assert_max_num_queries(0):
        Client().get("/sign-in/")
