"""The frame around every page: tree, counts, brand; and that a part pays for nothing it does not show."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Account
from tests.factories import quarantined
from tests.webmail.mails import browser_of
from tests.webmail.test_compose import start, step
from tests.webmail.test_outbox import local

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


def counts(html: str) -> dict[str, int]:
    """The number beside each folder in the tree."""
    tree = html[html.index('id="tree"') :]
    found = re.findall(r'node-name">([^<]+)</span>(?:<span class="node-count">(\d+)<)?', tree)
    return {name: int(count or 0) for name, count in found}


def test_the_tree_counts_what_waits_and_what_was_put_aside(client: Client, alice: Account, bob: Account) -> None:
    draft = start(client)
    step(client, draft, "send", scheduled="chosen", schedule_at=local(days=1))
    for subject in ("A prize", "Watches"):
        quarantined(alice, subject)
    quarantined(bob, "Not hers")
    found = counts(client.get("/recovery/").content.decode())
    assert (found["Outbox"], found["Quarantine"]) == (1, 2)
    found = counts(browser_of(bob).get("/recovery/").content.decode())
    assert (found["Outbox"], found["Quarantine"]) == (0, 1)
