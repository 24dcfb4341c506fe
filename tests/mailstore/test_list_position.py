"""Jumps by number while mail comes and goes: every page begins where walking would, and few rows are walked for it."""

from __future__ import annotations

import itertools
import random

import pytest
from django.db import connection

from core.access import Access
from mailstore.models import Role
from mailstore.selectors import list_position
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.list_position import position, rank
from mailstore.selectors.lists import ALL, By, Filter, Sort, list_page
from mailstore.services.entries import move, purge
from tests.mailstore.letters import folder_id, keep_orders, letter, stored, stored_many
from tests.mailstore.test_lists import steps

SORTS = [Sort(by, reverse) for by, reverse in itertools.product(By, (False, True))]


def walked(access: Access, sort: Sort, wanted: Filter) -> list[int]:
    """The list by walking."""
    found: list[int] = []
    page = list_page(access, folder_id(access), sort=sort, filter=wanted, limit=7)
    while True:
        found += [row.entry_id for row in page.rows]
        if page.next is None:
            return found
        page = list_page(access, folder_id(access), sort=sort, filter=wanted, limit=7, after=page.next)


def check(access: Access, sort: Sort, size: int, wanted: Filter = ALL) -> None:
    """Every page by its number, in no order."""
    rows = walked(access, sort, wanted)
    numbers = list(range(1, -(-len(rows) // size) + 1))
    random.Random(len(rows)).shuffle(numbers)
    for number in numbers:
        after = position(access, folder_id(access), number, size, sort=sort, filter=wanted)
        page = list_page(access, folder_id(access), sort=sort, filter=wanted, after=after, limit=size)
        assert [row.entry_id for row in page.rows] == rows[(number - 1) * size : number * size], number
        if after is not None and sort.by is By.DATE:
            place = folder_by_role(access, Role.INBOX)
            assert rank(place, after, sort=sort, filter=wanted) == (number - 1) * size


@pytest.mark.parametrize("sort", SORTS, ids=str)
def test_numbers_stay_right_while_mail_comes_and_goes(
    mine: Access, sort: Sort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_position, "ANCHOR_ROWS", 4)
    found = stored_many(mine, 21)
    keep_orders(mine)
    check(mine, sort, 3)
    for number, at_s in enumerate((30, 31, 5, -1)):  # at the head, in the middle, at the end
        body = "x" * (number * 37 % 90)
        found.append(stored(mine, letter(f"new{number}", body=body), at_us=1_700_000_000_500_000 + at_s * 1_000_000))
        check(mine, sort, 3)
    stored_many(mine, 9, first=40)  # more than anchors are moved for
    check(mine, sort, 3)
    purge(mine, found[3:5])
    check(mine, sort, 3)
    stored(mine, letter("one more"))
    move(mine, found[7:8], folder_id=folder_id(mine, Role.JUNK))  # as many as before, but not the same
    check(mine, sort, 3)


def test_numbers_of_unread_and_starred_lists_follow(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_position, "ANCHOR_ROWS", 4)
    stored_many(mine, 15)
    for wanted in (Filter(unread=True), Filter(starred=True)):
        check(mine, Sort(), 2, wanted)
    stored(mine, letter("new"), flags=4)
    for wanted in (Filter(unread=True), Filter(starred=True)):
        check(mine, Sort(), 2, wanted)


def test_anchors_that_were_read_while_mail_came_are_not_kept(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_position, "ANCHOR_ROWS", 4)
    stored_many(mine, 30)
    place = folder_by_role(mine, Role.INBOX)
    stored_many(mine, 1, first=50)
    position(mine, place.id, 3, 5, folder=place)  # with a row that is older than the list
    check(mine, Sort(), 5)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's steps")
def test_the_last_page_costs_the_same_in_a_folder_ten_times_as_large(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_position, "ANCHOR_ROWS", 50)
    costs = []
    for count, first in ((200, 0), (1_800, 200)):
        stored_many(mine, count, first=first)
        place = folder_by_role(mine, Role.INBOX)
        costs.append(steps(lambda: position(mine, place.id, 1 << 40, 20, folder=place)))  # noqa: B023
    assert costs[0] == costs[1]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's steps")
def test_the_middle_is_not_walked_to_again_for_each_mail_that_comes(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_position, "ANCHOR_ROWS", 50)
    stored_many(mine, 1_000)

    def middle() -> int:
        place = folder_by_role(mine, Role.INBOX)
        return steps(lambda: position(mine, place.id, 25, 20, folder=place))

    first = middle()
    stored_many(mine, 2, first=2_000)
    assert middle() < first / 3
