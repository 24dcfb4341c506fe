"""What STORE leaves to be read again: nothing, as long as nobody else changed anything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from mailaccess.imap.commands import store
from mailaccess.imap.flags import FlagNames, Wanted
from mailaccess.imap.grammar.sets import SequenceSet
from mailaccess.imap.view import Telling, View
from mailstore.models import Flag
from mailstore.selectors.folders import folder_by_role
from mailstore.services.entries import set_flags
from tests.mailstore.letters import stored_many

pytestmark = pytest.mark.django_db
STARRED = Wanted(Flag.FLAGGED, [])


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


@pytest.fixture
def entries(mine: Access) -> list[int]:
    return stored_many(mine, 4)


@pytest.fixture
def view(mine: Access, entries: list[int]) -> View:
    """The inbox as a session knows it."""
    row = folder_by_role(mine, "inbox")
    return View("INBOX", mine, row.id, False, row.total, row.uidnext, row.highestmodseq, FlagNames.of(mine))


def said(view: View, numbers: tuple[int, int], *, silent: bool = False, how: str = "+") -> bytes:
    """STORE of `numbers`; its untagged lines."""
    session: Any = SimpleNamespace(selected=lambda: view, condstore=False)
    asked = store.Asked(SequenceSet((numbers,)), how, STARRED, silent, None)
    told, _ = store._store(session, view, asked, by_uid=False)
    return told


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "told"])
def test_the_news_after_ones_own_change_cost_one_query(view: View, *, silent: bool) -> None:
    said(view, (1, 3), silent=silent)
    with CaptureQueriesContext(connection) as found:
        assert view.news(Telling()) == b""
    assert len(found) == 1
    assert view.own_changes == {}


def test_what_another_changed_before_is_told_and_ones_own_is_not(mine: Access, view: View, entries: list[int]) -> None:
    set_flags(mine, entries[3:], add=Flag.ANSWERED)
    assert said(view, (1, 2)).count(b"FETCH") == 2
    assert view.news(Telling()) == b"* 4 FETCH (UID 4 FLAGS (\\Answered))\r\n"


def test_what_another_changed_afterwards_is_told(mine: Access, view: View, entries: list[int]) -> None:
    said(view, (1, 4))
    set_flags(mine, entries[:1], remove=Flag.FLAGGED)
    assert view.news(Telling()) == b"* 1 FETCH (UID 1 FLAGS ())\r\n"


def test_a_change_that_changes_nothing_moves_nothing(view: View) -> None:
    before = view.modseq
    said(view, (1, 4), how="-")
    assert view.modseq == before
    assert view.news(Telling()) == b""
