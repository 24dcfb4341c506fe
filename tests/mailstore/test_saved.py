"""SAVEDATE (RFC 8514 3): when a message came into the folder where it is now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.access import Access
from mailstore import sql
from mailstore.models import Entry, Flag, Recoverable
from mailstore.selectors.fetch import fetch_rows
from mailstore.services import entries as acting
from mailstore.services.append import append
from mailstore.services.folders import create_folder
from mailstore.services.rows import now_us
from tests.mailstore.letters import folder_id, letter, stored

LONG_AGO_US = 1_500_000_000_000_000

Act = Callable[[Access, int, int], int]


def saved_us(entry_id: int) -> int:
    """As mail programs are told."""
    entry = Entry.objects.get(pk=entry_id)
    return int(fetch_rows(entry.folder_id, entry.uid, entry.uid, ("uid", "saved_us"))[0][1])


def old(mine: Access) -> int:
    """A mail that came long ago."""
    entry_id = append(mine, folder_id(mine), letter(), internal_us=LONG_AGO_US)
    Entry.objects.filter(pk=entry_id).update(saved_us=None)
    return entry_id


def moved(mine: Access, entry_id: int, folder: int) -> int:
    """The same entry elsewhere."""
    acting.move(mine, [entry_id], folder_id=folder)
    return entry_id


def copied(mine: Access, entry_id: int, folder: int) -> int:
    """A second one."""
    return acting.copy(mine, [entry_id], folder_id=folder)[0]


def recovered(mine: Access, entry_id: int, folder: int) -> int:
    """Deleted for good and back."""
    acting.purge(mine, [entry_id])
    acting.recover(mine, [entry_id], folder_id=folder)
    return entry_id


def trashed_and_back(mine: Access, entry_id: int, folder: int) -> int:
    """Deleted, and that undone."""
    undo = acting.delete(mine, [entry_id]).undo
    acting.move_back(mine, undo)
    return entry_id


def test_received_mail_was_saved_when_it_came_and_needs_no_room_for_that(mine: Access) -> None:
    entry = Entry.objects.get(pk=stored(mine, letter()))
    assert entry.saved_us is None
    assert saved_us(entry.pk) == entry.internal_us


def test_mail_with_an_old_date_was_saved_when_it_was_put_here(mine: Access) -> None:
    before = now_us()
    entry_id = append(mine, folder_id(mine), letter(), internal_us=LONG_AGO_US)
    assert before <= saved_us(entry_id) <= now_us()
    assert Entry.objects.get(pk=entry_id).internal_us == LONG_AGO_US


@pytest.mark.parametrize("act", [moved, copied, recovered, trashed_and_back])
def test_what_comes_into_a_folder_is_saved_anew(mine: Access, act: Act) -> None:
    entry_id, folder = old(mine), create_folder(mine, "Kept")
    assert saved_us(entry_id) == LONG_AGO_US
    before = now_us()
    assert before <= saved_us(act(mine, entry_id, folder)) <= now_us()


def test_flags_leave_it_and_the_recovery_remembers_it(mine: Access) -> None:
    entry_id = append(mine, folder_id(mine), letter(), internal_us=LONG_AGO_US)
    sql.run("UPDATE mailstore_entry SET saved_us = %s WHERE id = %s", [LONG_AGO_US + 7, entry_id])
    acting.set_flags(mine, [entry_id], add=Flag.SEEN)
    assert saved_us(entry_id) == LONG_AGO_US + 7
    acting.purge(mine, [entry_id])
    assert Recoverable.objects.get(pk=entry_id).saved_us == LONG_AGO_US + 7
