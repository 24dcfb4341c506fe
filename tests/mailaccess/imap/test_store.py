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
from mailstore.check_store import check_store
from mailstore.models import Flag, Role
from mailstore.selectors.entries import get
from mailstore.selectors.folders import folder_by_role
from mailstore.services.entries import purge, set_flags
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


def said(view: View, *numbers: tuple[int, int], silent: bool = False, how: str = "+", flags: Wanted = STARRED) -> bytes:
    """STORE of `numbers`; its untagged lines."""
    session: Any = SimpleNamespace(selected=lambda: view, condstore=False)
    asked = store.Asked(SequenceSet(numbers), how, flags, silent, None)
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


def test_many_messages_cost_the_statements_of_one(mine: Access, view: View) -> None:
    stored_many(mine, 30, first=4)
    view.news(Telling())
    said(view, (1, 1))
    costs = []
    for numbers in [((2, 2),), ((3, 33),), tuple((number, number) for number in range(1, 34, 2))]:
        with CaptureQueriesContext(connection) as found:
            said(view, *numbers, how="-" if len(numbers) > 1 else "+")
        costs.append(len(found))
    assert costs[0] == costs[1] == costs[2]


@pytest.mark.parametrize("way", ["alike", "one by one"])
def test_messages_that_had_the_same_flags_change_as_one_and_are_told_in_their_order(
    mine: Access, view: View, entries: list[int], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way != "alike":
        monkeypatch.setattr(store.Change, "is_of_flags", False)
    stored_many(mine, 8, first=4)
    set_flags(mine, entries[::2], add=Flag.ANSWERED)
    set_flags(mine, entries[1:2], add=Flag.FLAGGED | Flag.SEEN)
    view.news(Telling())
    view.recent, view.knows_recent = [(4, 5)], True
    flags = ["\\Answered \\Flagged", "\\Seen \\Flagged", "\\Answered \\Flagged", *["\\Flagged"] * 9]
    recent = ["\\Recent " if number in {4, 5} else "" for number in range(1, 13)]
    lines = [f"* {at} FETCH (UID {at} FLAGS ({recent[at - 1]}{flags[at - 1]}))" for at in range(1, 13)]
    before = view.modseq
    assert said(view, (2, 12), (1, 1)).decode().splitlines() == lines
    assert view.modseq == folder_by_role(mine, "inbox").highestmodseq > before
    assert view.news(Telling()) == b""
    row = folder_by_role(mine, "inbox")
    assert (row.total, row.unread, row.starred) == (12, 11, 12)
    assert said(view, (1, 12), how="-", silent=True) == b""
    row = folder_by_role(mine, "inbox")
    assert (row.unread, row.starred) == (11, 0)
    assert check_store() == []


def test_a_message_that_is_gone_and_another_folder_are_left_alone(mine: Access, view: View, entries: list[int]) -> None:
    elsewhere = stored_many(mine, 4, first=10, role=Role.JUNK)
    said(view, (1, 1))
    purge(mine, entries[1:2])
    view.news(Telling(expunge=False))
    assert said(view, (1, 4)).count(b"FETCH") == 3
    assert [get(mine, each).flags & Flag.FLAGGED for each in elsewhere] == [0] * 4
    assert view.news(Telling()) == b"* 2 EXPUNGE\r\n"
