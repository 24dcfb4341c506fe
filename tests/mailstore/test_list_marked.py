"""Lists across folders (labels, to-do, done), and folders without their to-do mails."""

from __future__ import annotations

import pytest
from django.db import connection

from core.access import READER, Access
from core.errors import ErrorKind, MailError
from mailstore.models import Flag, Folder, Role
from mailstore.selectors.conversations import (
    Place,
    conversation_entries,
    conversation_page,
    conversation_place,
    conversation_row,
)
from mailstore.selectors.folders import folder
from mailstore.selectors.list_marked import MarkCount, labelled_page, mark_counts, marks_of, todo_page
from mailstore.selectors.list_position import ANCHOR_ROWS, anchors, key_of_moment, rank
from mailstore.selectors.lists import ALL, NATURAL, UNCOUNTED, By, Filter, Key, Page, Sort, list_page
from mailstore.services.entries import Selection, delete, move, set_flags
from mailstore.services.folders import create_folder
from mailstore.services.keywords import create_label, set_keywords
from mailstore.services.todos import finish_todo, mark_todo, restore_todo
from tests.mailstore.letters import folder_id, letter, stored, stored_many
from tests.mailstore.test_lists import plan_of

UNMARKED = Filter(unmarked=True)


def ids(page: Page) -> list[int]:
    return [row.entry_id for row in page.rows]


@pytest.fixture
def labelled(mine: Access) -> tuple[int, list[int]]:
    """A label on mails of two folders, newest last; the label first."""
    label = create_label(mine, "询盘").id
    found = stored_many(mine, 6)
    set_keywords(mine, found[1:], add=[label])
    move(mine, found[2:4], folder_id=create_folder(mine, "Offers"))
    return label, found


def test_a_label_lists_its_mails_of_every_folder_by_date(mine: Access, labelled: tuple[int, list[int]]) -> None:
    label, found = labelled
    assert ids(labelled_page(mine, label)) == found[:0:-1]
    first = labelled_page(mine, label, limit=2)
    second = labelled_page(mine, label, limit=2, after=first.next)
    assert ids(first) + ids(second) == found[:1:-1]
    assert ids(labelled_page(mine, label, limit=2, before=second.previous)) == ids(first)


def test_a_label_leaves_out_trash_junk_and_what_is_locked(mine: Access, labelled: tuple[int, list[int]]) -> None:
    label, found = labelled
    delete(mine, found[5:])
    Folder.objects.filter(name="Offers").update(lock_scope="folder")
    assert ids(labelled_page(mine, label)) == [found[4], found[1]]


def test_a_label_is_filtered_and_goes_on_where_the_scan_ended(
    mine: Access, labelled: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    label, found = labelled
    set_flags(mine, [found[1]], add=Flag.FLAGGED)
    monkeypatch.setattr("mailstore.selectors.list_walk.SCAN_ROWS", 2)
    page, seen = labelled_page(mine, label, filter=Filter(starred=True)), 1
    while not page.rows and page.next:
        page, seen = labelled_page(mine, label, filter=Filter(starred=True), after=page.next), seen + 1
    assert (ids(page), seen) == ([found[1]], 3)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
def test_an_index_gives_the_order(mine: Access, labelled: tuple[int, list[int]]) -> None:
    plan = plan_of(lambda: labelled_page(mine, labelled[0], after=Key(1_700_000_004_000_000, labelled[1][4])))
    assert "entry_label_date" in plan and "TEMP B-TREE" not in plan
    mark_todo(mine, labelled[1])
    for done in (False, True):
        plan = plan_of(lambda: todo_page(mine, done=done))  # noqa: B023
        assert "todo_list" in plan, plan


def test_another_mailboxs_label_shows_nothing(mine: Access, his: Access, labelled: tuple[int, list[int]]) -> None:
    stored_many(his, 1)
    assert ids(labelled_page(his, labelled[0])) == []
    with pytest.raises(MailError) as error:
        labelled_page(mine, labelled[0], after=Key("a", 1))
    assert error.value.kind is ErrorKind.INVALID


def test_to_do_and_done_are_two_lists_the_last_marked_first(mine: Access) -> None:
    found = stored_many(mine, 4)
    for each in (2, 0, 3):
        mark_todo(mine, [found[each]])
    assert ids(todo_page(mine)) == [found[3], found[0], found[2]]
    finish_todo(mine, [found[0]])
    finish_todo(mine, [found[3]])
    assert ids(todo_page(mine)) == [found[2]]
    done = todo_page(mine, done=True, limit=1)
    assert ids(done) + ids(todo_page(mine, done=True, limit=1, after=done.next)) == [found[3], found[0]]
    assert marks_of(mine, found) == {found[0]: True, found[2]: False, found[3]: True}


def test_a_mark_sleeps_in_the_trash(mine: Access) -> None:
    found = stored_many(mine, 2)
    mark_todo(mine, found)
    move(mine, found[:1], folder_id=folder_id(mine, Role.TRASH))
    assert ids(todo_page(mine)) == found[1:]
    move(mine, found[:1], folder_id=folder_id(mine))
    assert set(ids(todo_page(mine))) == set(found)


def test_a_folder_without_its_to_do_mails(mine: Access) -> None:
    found = stored_many(mine, 8)
    mark_todo(mine, found[2:5])
    finish_todo(mine, found[2:3])
    set_flags(mine, found[::2], add=Flag.FLAGGED)
    inbox = folder_id(mine)
    rest = [found[each] for each in (7, 6, 5, 1, 0)]
    assert ids(list_page(mine, inbox, filter=UNMARKED)) == rest
    assert set(ids(list_page(mine, inbox, filter=UNMARKED, sort=Sort(By.SIZE)))) == set(rest)
    assert ids(list_page(mine, inbox, filter=Filter(starred=True, unmarked=True))) == [found[6], found[0]]
    assert ids(list_page(mine, inbox, filter=Filter(starred=True, unread=True, unmarked=True))) == [found[6], found[0]]
    assert mark_counts(mine) == {inbox: MarkCount(total=3, unread=3, starred=2, open=2)}
    set_flags(mine, Selection(folder_id=inbox, filter=UNMARKED), add=Flag.SEEN)
    assert mark_counts(mine)[inbox].unread == 3
    restore_todo(mine, found)
    assert mark_counts(mine) == {}


def test_whoever_may_only_read_reads_the_marks_and_strangers_see_none(mine: Access, his: Access) -> None:
    found = stored_many(mine, 2)
    mark_todo(mine, found)
    assert len(ids(todo_page(Access(his.actor, mine.mailbox, READER)))) == 2
    assert ids(todo_page(his)) == [] and mark_counts(his) == {} and marks_of(his, found) == {}


def test_a_conversation_of_to_do_mails_leaves_its_folder(mine: Access) -> None:
    first = stored(mine, letter("a1"), at_us=1)
    second = stored(mine, letter("a2", references=["a1"]), at_us=2)
    stored(mine, letter("b1"), at_us=3)
    inbox = folder_id(mine)
    mark_todo(mine, [first])
    rows = conversation_page(mine, inbox, unmarked=True).rows
    assert [(row.total, row.unread) for row in rows] == [(1, 1), (1, 1)]
    thread = rows[1].thread_id
    assert conversation_entries(mine, inbox, [thread], unmarked=True) == [second]
    mark_todo(mine, [second])
    assert [row.thread_id == thread for row in conversation_page(mine, inbox, unmarked=True).rows] == [False]
    assert len(conversation_page(mine, inbox).rows) == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
def test_to_do_mails_are_looked_for_among_a_conversations_own(mine: Access) -> None:
    stored_many(mine, 3)
    plan = plan_of(lambda: conversation_page(mine, folder_id(mine), unmarked=True))
    inner = [line for line in plan.splitlines() if line.startswith("SEARCH e ")]
    found = [line.split("INDEX ", 1)[1].split(" ", 1)[0] for line in inner if "PRIMARY KEY" not in line]
    assert found == [*["entry_message"] * 4, "entry_date"]


def test_conversations_are_counted_and_found_by_number(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    stored_many(mine, 5)
    inbox = folder_id(mine)
    whole = conversation_page(mine, inbox)
    assert conversation_place(inbox) == conversation_place(inbox, unread=True) == Place(5, 0, None)
    assert conversation_place(inbox, starred=True).total == 0
    assert conversation_place(inbox, newer_than_us=whole.rows[2].last_us).newer == 2
    third = conversation_page(mine, inbox, after=conversation_place(inbox, skip=2).after)
    assert third.rows == whole.rows[2:]
    assert conversation_place(inbox, skip=9).after is None
    assert conversation_row(mine, inbox, whole.rows[1].thread_id) == whole.rows[1]
    monkeypatch.setattr("mailstore.selectors.conversations.MAX_COUNTED", 4)
    assert conversation_place(inbox).total == UNCOUNTED


def test_a_conversation_elsewhere_is_not_found(mine: Access, his: Access) -> None:
    stored_many(mine, 1)
    thread = conversation_page(mine, folder_id(mine)).rows[0].thread_id
    for access, place in ((mine, folder_id(mine, Role.SENT)), (his, folder_id(his)), (his, folder_id(mine))):
        with pytest.raises(MailError) as error:
            conversation_row(access, place, thread)
        assert error.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize("reverse", [False, True])
def test_a_rank_counts_what_stands_before_a_moment(
    mine: Access, monkeypatch: pytest.MonkeyPatch, reverse: bool
) -> None:
    monkeypatch.setattr("mailstore.selectors.list_position.ANCHOR_ROWS", 3)
    assert ANCHOR_ROWS == 1_000
    found = stored_many(mine, 10)
    sort = Sort(reverse=reverse)
    opened = folder(mine, folder_id(mine))
    for seconds in range(-1, 12):
        anchors.clear()
        key = key_of_moment(1_700_000_000_000_000 + seconds * 1_000_000, oldest_first=reverse)
        after = ids(list_page(mine, opened.id, sort=sort, after=key))
        assert rank(opened, key, sort=sort) == len(found) - len(after)
    mark_todo(mine, found[8:])
    opened = folder(mine, opened.id)
    assert rank(opened, key_of_moment(1_700_000_005_000_000), filter=UNMARKED, sort=NATURAL) == 2


def test_only_pages_with_numbers_have_ranks(mine: Access) -> None:
    stored_many(mine, 2)
    opened = folder(mine, folder_id(mine))
    assert rank(opened, key_of_moment(1), filter=Filter(unread=True, starred=True)) is None
    assert rank(opened, Key("a", 1), sort=Sort(By.SENDER)) is None
    assert rank(opened, key_of_moment(1), filter=ALL) == 2
