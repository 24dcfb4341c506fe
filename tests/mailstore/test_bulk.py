"""Many entries at once: as few statements as for a few, and everything that counts them still agrees."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.check_store import check_store
from mailstore.models import Entry, Flag, FolderThread, Role
from mailstore.selectors.conversations import conversation_page
from mailstore.services import selection
from mailstore.services.entries import Selection, copy, move, purge, recover, set_flags
from mailstore.services.folders import create_folder
from tests.mailstore.letters import folder_id, letter, stored, stored_many

FEW, MANY = 3, 300


def queries(act: Callable[[], object]) -> int:
    """How many statements it takes."""
    with CaptureQueriesContext(connection) as made:
        act()
    return len(made)


@pytest.mark.parametrize("name", ["read", "star", "answered", "move", "copy"])
def test_three_hundred_take_as_many_statements_as_three(mine: Access, name: str) -> None:
    junk, other = folder_id(mine, Role.JUNK), create_folder(mine, "other")  # a move to Junk is a lesson for each mail
    acts: dict[str, Callable[[list[int]], object]] = {
        "read": lambda ids: set_flags(mine, ids, add=Flag.SEEN),
        "star": lambda ids: set_flags(mine, ids, add=Flag.FLAGGED),
        "answered": lambda ids: set_flags(mine, ids, add=Flag.ANSWERED),
        "move": lambda ids: move(mine, ids, folder_id=other),
        "copy": lambda ids: copy(mine, ids, folder_id=junk),
    }
    few, many = stored_many(mine, FEW), stored_many(mine, MANY, first=1_000)
    assert queries(lambda: acts[name](many)) <= queries(lambda: acts[name](few)) + (5 if name == "copy" else 0)
    assert check_store() == []


def test_an_expunge_of_three_hundred_adds_the_rows_of_its_log_alone(mine: Access) -> None:
    few, many = stored_many(mine, FEW), stored_many(mine, MANY, first=1_000)
    assert queries(lambda: purge(mine, many)) <= queries(lambda: purge(mine, few)) + 3
    assert check_store() == []
    assert queries(lambda: recover(mine, many)) < 40
    assert check_store() == []
    assert Entry.objects.count() == MANY


def test_a_whole_folder_is_changed_slice_by_slice(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "SLICE", 7)
    ids = stored_many(mine, 40)
    changed = set_flags(mine, Selection(folder_id=folder_id(mine)), add=Flag.SEEN)
    assert sorted(changed.entry_ids) == sorted(ids)
    assert set(Entry.objects.values_list("flags", flat=True)) == {int(Flag.SEEN)}
    assert set_flags(mine, Selection(folder_id=folder_id(mine)), add=Flag.SEEN).entry_ids == []
    assert check_store() == []


def test_mails_of_one_conversation_that_are_read_together_all_count(mine: Access) -> None:
    talk = [stored(mine, letter(f"a{n}", references=[f"a{i}" for i in range(n)]), at_us=n) for n in range(3)]
    single = stored(mine, letter("s"), at_us=9)
    set_flags(mine, [*talk[:2], single], add=Flag.SEEN | Flag.FLAGGED)
    rows = {row.total: (row.unread, row.starred) for row in FolderThread.objects.all()}
    assert rows == {3: (1, 2)}
    set_flags(mine, talk, remove=Flag.SEEN)
    assert check_store() == []


def test_entries_of_several_folders_and_states_change_in_one_call(mine: Access) -> None:
    ids = [stored(mine, letter(f"m{n}"), flags=n % 8, role=Role.INBOX if n % 2 else Role.SENT) for n in range(16)]
    changed = set_flags(mine, ids, add=Flag.SEEN, remove=Flag.FLAGGED)
    expected = [entry_id for n, entry_id in enumerate(ids) if (n % 8 | 1) & ~4 != n % 8]
    assert sorted(changed.entry_ids) == sorted(expected)
    assert {flags & 5 for flags in Entry.objects.values_list("flags", flat=True)} == {1}
    assert set(Entry.objects.filter(modseq=changed.modseq).values_list("id", flat=True)) == set(expected)
    assert check_store() == []


def test_those_that_changed_meanwhile_are_refused_and_the_others_change(mine: Access) -> None:
    ids = stored_many(mine, 4)
    since = set_flags(mine, ids[:1], add=Flag.ANSWERED).modseq
    set_flags(mine, ids[1:2], add=Flag.FLAGGED)
    changed = set_flags(mine, ids, add=Flag.SEEN, unchanged_since=since)
    assert changed.refused == (ids[1],)
    assert sorted(changed.entry_ids) == [ids[0], *ids[2:]]


def test_only_what_was_never_there_is_not_found(mine: Access) -> None:
    ids = stored_many(mine, 2)
    set_flags(mine, ids, add=Flag.SEEN)
    assert set_flags(mine, [*ids, ids[1] + 10_000], add=Flag.SEEN).entry_ids == []
    with pytest.raises(MailError) as error:
        set_flags(mine, [ids[1] + 10_000], add=Flag.SEEN)
    assert error.value.kind is ErrorKind.NOT_FOUND


def test_a_conversation_that_moves_whole_stays_the_row_it_was(mine: Access) -> None:
    talk = [
        stored(mine, letter("a"), at_us=1),
        stored(mine, letter("b", references=["a"], sender="Lisa <lisa@x.test>"), at_us=2, flags=int(Flag.FLAGGED)),
    ]
    before = FolderThread.objects.get()
    junk = folder_id(mine, Role.JUNK)
    move(mine, talk, folder_id=junk)
    after = FolderThread.objects.get()
    assert (after.pk, after.folder_id, after.last_us, after.starred) == (before.pk, junk, before.last_us, 1)
    assert conversation_page(mine, junk).rows[0].participants == ("王小明", "Lisa")
    assert check_store() == []


def test_a_conversation_that_follows_in_parts_grows_there_and_shrinks_here(mine: Access) -> None:
    talk = [stored(mine, letter(f"a{n}", references=[f"a{i}" for i in range(n)]), at_us=n) for n in range(4)]
    junk = folder_id(mine, Role.JUNK)
    for part in (talk[3:], talk[1:2], [talk[0], talk[2]]):
        move(mine, part, folder_id=junk)
        assert check_store() == []
    assert [row.total for row in FolderThread.objects.all()] == [4]


def test_uids_follow_the_order_of_the_source(mine: Access) -> None:
    ids = stored_many(mine, 30)
    junk = folder_id(mine, Role.JUNK)
    move(mine, ids[::-1], folder_id=junk)
    assert list(Entry.objects.order_by("uid").values_list("id", flat=True)) == ids
    copies = copy(mine, ids[::-1], folder_id=folder_id(mine))
    assert list(Entry.objects.filter(id__in=copies).order_by("uid").values_list("id", flat=True)) == copies


def test_two_entries_of_one_message_leave_one_to_recover(mine: Access) -> None:
    entry = stored(mine, letter("a"))
    twin = copy(mine, [entry], folder_id=folder_id(mine))[0]
    purge(mine, [entry, twin])
    assert sql.row("SELECT count(*) FROM mailstore_recoverable") == (1,)
    assert check_store() == []
