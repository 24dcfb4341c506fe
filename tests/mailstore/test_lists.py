"""Lists by key: right at every depth, through every filter, and never by scanning a folder."""

from __future__ import annotations

import pytest
from django.db import connection

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.models import Flag, Folder, Role
from mailstore.selectors import entries, list_position, lists
from mailstore.selectors.folders import folder_tree
from mailstore.selectors.lists import Filter, Key, Page, list_page, position
from mailstore.services.entries import Selection, move, set_flags
from tests.mailstore.letters import folder_id, letter, stored, stored_many


def ids(page: Page) -> list[int]:
    """The entries of a page."""
    return [row.entry_id for row in page.rows]


def test_pages_walk_down_and_up_again(mine: Access) -> None:
    newest_first = stored_many(mine, 25)[::-1]
    inbox = folder_id(mine)
    first = list_page(mine, inbox, limit=10)
    second = list_page(mine, inbox, limit=10, after=first.next)
    third = list_page(mine, inbox, limit=10, after=second.next)
    assert ids(first) + ids(second) + ids(third) == newest_first
    assert (first.previous, third.next, first.total) == (None, None, 25)
    back = list_page(mine, inbox, limit=10, before=third.previous)
    assert ids(back) == ids(second)
    top = list_page(mine, inbox, limit=10, before=back.previous)
    assert (ids(top), top.previous) == (ids(first), None)


def test_mails_of_the_same_moment_keep_an_order(mine: Access) -> None:
    same = [stored(mine, letter(str(n)), at_us=7) for n in range(6)]
    first = list_page(mine, folder_id(mine), limit=4)
    assert ids(first) + ids(list_page(mine, folder_id(mine), limit=4, after=first.next)) == same[::-1]


def test_filters_show_and_count_their_own(mine: Access) -> None:
    found = stored_many(mine, 6)
    set_flags(mine, found[:2], add=Flag.SEEN)
    set_flags(mine, found[1:4], add=Flag.FLAGGED)
    inbox = folder_id(mine)
    unread = list_page(mine, inbox, filter=Filter(unread=True))
    starred = list_page(mine, inbox, filter=Filter(starred=True))
    both = list_page(mine, inbox, filter=Filter(unread=True, starred=True))
    assert (len(unread.rows), unread.total) == (4, 4)
    assert (ids(starred), starred.total) == (found[3:0:-1], 3)
    assert (ids(both), both.total) == (found[3:1:-1], lists.UNCOUNTED)


def test_the_attachment_filter(mine: Access) -> None:
    stored(mine, letter("a"))
    with_file = stored(mine, letter("b", extra="Content-Disposition: attachment; filename=a.txt"))
    assert ids(list_page(mine, folder_id(mine), filter=Filter(attachment=True))) == [with_file]


@pytest.mark.parametrize(
    "text", ["预算", "BUDGET 预算", "wang@PARTNER", "王小", "бюджет", "ÄRGER", "100%", "a_b", "\\"]
)
def test_a_text_finds_subject_and_people_in_any_case(mine: Access, text: str) -> None:
    wanted = stored(mine, letter("a", subject="Budget 预算 Бюджет ärger 100% a_b \\"))
    stored(mine, letter("b", sender="x <x@y.test>", subject="nothing here 1000 aXb"))
    for folder in (folder_id(mine), None):
        assert ids(list_page(mine, folder, filter=Filter(text=text))) == [wanted]


def test_a_text_search_is_bounded_and_goes_on(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "SCAN_ROWS", 10)
    oldest = stored(mine, letter("needle", subject="needle"), at_us=1)
    stored_many(mine, 35)
    for folder in (folder_id(mine), None):
        page, calls = list_page(mine, folder, filter=Filter(text="needle")), 1
        while page.next:
            page, calls = list_page(mine, folder, filter=Filter(text="needle"), after=page.next), calls + 1
        assert (ids(page), calls) == ([oldest], 4)


def test_the_whole_mailbox_is_searched_without_trash_and_junk(mine: Access) -> None:
    found = stored_many(mine, 4)
    move(mine, found[:1], folder_id=folder_id(mine, Role.TRASH))
    move(mine, found[1:2], folder_id=folder_id(mine, Role.JUNK))
    move(mine, found[2:3], folder_id=folder_id(mine, Role.SENT))
    assert ids(list_page(mine, None)) == [found[3], found[2]]


@pytest.mark.parametrize("size", [10, 1, 7])
def test_positions_begin_each_page_where_walking_would(
    mine: Access, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_position, "ANCHOR_ROWS", 4)
    newest_first = stored_many(mine, 23)[::-1]
    inbox = folder_id(mine)
    pages = -(-23 // size)
    for number in [*range(pages, 0, -1), *range(1, pages + 1)]:
        after = position(mine, inbox, number, size)
        assert ids(list_page(mine, inbox, after=after, limit=size)) == newest_first[(number - 1) * size : number * size]
    assert position(mine, inbox, 10**9, size) == position(mine, inbox, pages, size)
    assert position(mine, inbox, -5, size) is None


def test_positions_follow_what_arrives_and_what_is_filtered(mine: Access) -> None:
    found = stored_many(mine, 10)
    inbox = folder_id(mine)
    assert position(mine, inbox, 2, 5) == Key(entries.get(mine, found[5]).sort_us, found[5])
    newer = stored_many(mine, 1, first=50)
    assert ids(list_page(mine, inbox, after=position(mine, inbox, 2, 5), limit=5)) == found[5:0:-1]
    set_flags(mine, Selection(folder_id=inbox), add=Flag.SEEN)
    set_flags(mine, newer, remove=Flag.SEEN)
    assert position(mine, inbox, 3, 1, filter=Filter(unread=True)) is None


@pytest.mark.parametrize(
    "text", ["", ".", "a.b", "1", "1.", "1.2.3", "9" * 40 + ".1", "1." + "9" * 40, "--1.2", "１.２", "1.-2"]
)
def test_a_key_that_is_none_is_invalid(text: str) -> None:
    with pytest.raises(MailError) as error:
        Key.parse(text)
    assert error.value.kind is ErrorKind.INVALID


def test_a_key_survives_its_text() -> None:
    assert Key.parse(str(Key(-5, 137438953473))) == Key(-5, 137438953473)


def test_limits_are_kept(mine: Access) -> None:
    stored_many(mine, 3)
    assert len(list_page(mine, folder_id(mine), limit=0).rows) == 1
    assert len(list_page(mine, folder_id(mine), limit=10**9).rows) == 3


def test_one_query_for_each(mine: Access, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    entry = stored_many(mine, 20)[7]
    inbox = folder_id(mine)
    after = list_page(mine, inbox, limit=5).next
    for call in (
        lambda: list_page(mine, inbox, limit=5),
        lambda: list_page(mine, inbox, after=after, filter=Filter(unread=True)),
        lambda: entries.get(mine, entry),
        lambda: entries.raw(mine, entry),
        lambda: folder_tree(mine),
    ):
        with django_assert_num_queries(1):
            call()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(), "entry_date"),
        (Filter(unread=True), "entry_unread"),
        (Filter(starred=True), "entry_starred"),
        (Filter(attachment=True), "entry_attachment"),
    ],
)
def test_a_page_walks_its_index(mine: Access, wanted: Filter, index: str) -> None:
    key = Key(1_700_000_000_000_000, folder_id(mine))
    for after, before in ((None, None), (key, None), (None, key)):
        plan = plan_of(lambda: list_page(mine, folder_id(mine), filter=wanted, after=after, before=before))  # noqa: B023
        assert f"SEARCH e USING INDEX {index}" in plan
        assert "SCAN e" not in plan
        assert "TEMP B-TREE" not in plan


def plan_of(call) -> str:  # type: ignore[no-untyped-def]
    """What SQLite does for the last query of a call."""
    seen: list[tuple[str, list[object]]] = []

    def note(execute, query, parameters, many, context):  # type: ignore[no-untyped-def]
        seen.append((query, list(parameters)))
        return execute(query, parameters, many, context)

    with connection.execute_wrapper(note):
        call()
    query, parameters = seen[-1]
    return "\n".join(row[3] for row in sql.rows(f"EXPLAIN QUERY PLAN {query}", parameters))


def steps(call) -> int:  # type: ignore[no-untyped-def]
    """SQLite's machine steps that a call takes.

    Counted one by one: with a longer interval SQLite begins where the last run of the same cached statement ended, so
    the same work would give one tick today and two tomorrow.
    """
    counted = 0

    def tick() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(tick, 1)
    try:
        call()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's steps")
def test_a_page_costs_the_same_in_a_folder_ten_times_as_large(mine: Access) -> None:
    inbox = folder_id(mine)
    costs = []
    for count, first in ((300, 0), (2_700, 300)):
        entry = stored_many(mine, count, first=first)[100]
        middle = Key(entries.get(mine, entry).sort_us, entry)
        costs.append(
            [
                steps(lambda: list_page(mine, inbox, limit=20)),
                steps(lambda: list_page(mine, inbox, limit=20, after=middle)),  # noqa: B023
                steps(lambda: entries.neighbours(mine, entry)),  # noqa: B023
                steps(lambda: set_flags(mine, [entry], add=Flag.FLAGGED)),  # noqa: B023
                steps(lambda: folder_tree(mine)),
            ]
        )
    assert costs[0] == costs[1]


def test_a_locked_folder_shows_nothing_until_it_is_opened(mine: Access) -> None:
    entry = stored_many(mine, 2)[0]
    inbox = folder_id(mine)
    Folder.objects.filter(pk=inbox).update(lock_scope="person")
    for call in (
        lambda: list_page(mine, inbox),
        lambda: list_page(mine, inbox, filter=Filter(text="Letter")),
        lambda: entries.get(mine, entry),
        lambda: entries.raw(mine, entry),
        lambda: entries.thread(mine, entry),
        lambda: set_flags(mine, [entry], add=Flag.SEEN),
        lambda: move(mine, [entry], folder_id=folder_id(mine, Role.JUNK)),
    ):
        with pytest.raises(MailError) as error:
            call()
        assert error.value.kind is ErrorKind.NO_PERMISSION
    assert list_page(mine, None).rows == []
    assert entries.rows_of(mine, [entry]) == []
    shown = next(row for row in folder_tree(mine) if row.id == inbox)
    assert (shown.is_locked, shown.total) == (True, 0)
    opened = Access(mine.actor, mine.mailbox, mine.rights, unlocked=frozenset([inbox]))
    assert len(list_page(opened, inbox).rows) == 2
