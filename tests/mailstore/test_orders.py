"""Orders that a folder keeps: begun at the first use, kept through everything that happens to mail, dropped when unused."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from accounts.models import Account
from accounts.services import erase_account
from core.access import Access
from mailstore import sql
from mailstore.check_store import check_store
from mailstore.models import EntryOrder, Flag, Folder, FolderOrder, Role
from mailstore.orders import Kind
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.lists import ALL, By, Filter, Sort, list_page
from mailstore.services import orders
from mailstore.services.collect import collect
from mailstore.services.entries import Selection, copy, delete, move, move_back, purge, recover, set_flags
from mailstore.services.folders import create_folder, delete_folder, empty_folder
from mailstore.services.purge import unrecover
from mailstore.services.rows import now_us
from mailstore.tasks import fill_orders_task
from tests.mailstore.letters import folder_id, keep_orders, letter, stored, stored_many
from webmail.celery import SCHEDULE, app

ALL_KINDS = Kind.SENDER | Kind.SUBJECT | Kind.SIZE | Kind.FROM
SENDER = "wang@partner.test"
WAYS = [
    (ALL, Sort(By.SENDER)),
    (ALL, Sort(By.SUBJECT, reverse=True)),
    (ALL, Sort(By.SIZE)),
    (Filter(sender=SENDER), Sort()),
]
DAY_US = 86_400_000_000


@pytest.fixture(autouse=True)
def nothing_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test's process has noted of the same ids."""
    monkeypatch.setattr(orders, "_noted", {})


def shown(access: Access, role: Role = Role.INBOX) -> list[list[int]]:
    """The folder's list in every way that an order is kept for."""
    place = folder_by_role(access, role)
    return [
        [row.entry_id for row in list_page(access, place.id, filter=wanted, sort=sort, limit=200, folder=place).rows]
        for wanted, sort in WAYS
    ]


def sorted_lists(access: Access, role: Role = Role.INBOX) -> list[list[int]]:
    """The same lists from the entries themselves."""
    return [
        [
            row[0]
            for row in sql.rows(
                f"SELECT e.id FROM mailstore_entry e WHERE e.folder_id = %s{wanted.where()[0]} ORDER BY {sort.walk().order}",
                [folder_id(access, role), *wanted.where()[1]],
            )
        ]
        for wanted, sort in WAYS
    ]


def bits(access: Access) -> tuple[int, int]:
    """What the inbox keeps, and what is ready."""
    place = folder_by_role(access, Role.INBOX)
    return place.orders_kept, place.orders_ready


def places() -> int:
    """Rows of all orders."""
    return EntryOrder.objects.count()


def use(access: Access, sort: Sort, wanted: Filter = ALL) -> None:
    """Somebody opens the inbox in an order."""
    orders.use_orders(access, folder_by_role(access, Role.INBOX), wanted, sort)


def test_a_small_folder_keeps_nothing(mine: Access) -> None:
    stored_many(mine, 5)
    for wanted, sort in WAYS:
        use(mine, sort, wanted)
    assert (bits(mine), FolderOrder.objects.count()) == ((0, 0), 0)
    assert shown(mine) == sorted_lists(mine)


def test_the_first_use_in_a_larger_one_begins_the_order_that_is_asked_for(
    mine: Access, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[..., object]
) -> None:
    monkeypatch.setattr(orders, "KEPT_FROM", 4)
    stored_many(mine, 5)
    use(mine, Sort())
    assert bits(mine) == (0, 0)
    use(mine, Sort(By.SUBJECT))
    assert bits(mine) == (Kind.SUBJECT, 0)
    use(mine, Sort(), Filter(sender=SENDER))
    assert bits(mine) == (Kind.SUBJECT | Kind.FROM, 0)
    assert (shown(mine), places()) == (sorted_lists(mine), 0)
    fill_orders_task(str(folder_id(mine)))
    assert bits(mine) == (Kind.SUBJECT | Kind.FROM, Kind.SUBJECT | Kind.FROM)
    assert (shown(mine), places()) == (sorted_lists(mine), 10)
    use(mine, Sort(By.SUBJECT))
    place = folder_by_role(mine, Role.INBOX)
    with django_assert_num_queries(0):  # its use was noted a moment ago
        orders.use_orders(mine, place, ALL, Sort(By.SUBJECT))


def test_a_list_is_shown_when_its_order_cannot_be_begun(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(orders, "KEPT_FROM", 0)
    monkeypatch.setattr(orders, "_begin", full)
    stored_many(mine, 2)
    use(mine, Sort(By.SIZE))
    assert (bits(mine), shown(mine)) == ((0, 0), sorted_lists(mine))


def test_everything_that_happens_to_mail_keeps_the_orders(mine: Access) -> None:
    inbox, junk = folder_id(mine), folder_id(mine, Role.JUNK)
    found = stored_many(mine, 30)
    other = create_folder(mine, "other")
    keep_orders(mine)
    keep_orders(mine, role=Role.JUNK)
    undo: list[tuple[int, int]] = []
    back: list[tuple[int, int, int]] = []
    steps: list[Callable[[], object]] = [
        lambda: stored(mine, letter("new", sender="A <a@b.test>", subject="zz", body="x" * 700)),
        lambda: stored_many(mine, 7, first=100),
        lambda: set_flags(mine, found, add=Flag.SEEN | Flag.FLAGGED),
        lambda: move(mine, found[3:9], folder_id=other),
        lambda: move(mine, found[9:12], folder_id=junk),
        lambda: move(mine, found[10:11], folder_id=inbox),
        lambda: copy(mine, found[12:15], folder_id=inbox),
        lambda: copy(mine, found[12:15], folder_id=junk),
        lambda: undo.extend(delete(mine, found[15:20]).undo),
        lambda: move_back(mine, undo),
        lambda: purge(mine, found[20:28]),
        lambda: back.extend(recover(mine, found[20:24], folder_id=inbox).undo),
        lambda: unrecover(mine, back),
        lambda: recover(mine, found[24:26], folder_id=junk),
        lambda: move(mine, Selection(folder_id=inbox, filter=Filter(sender="a@b.test")), folder_id=junk),
        lambda: empty_folder(mine, junk),
    ]
    for number, step in enumerate(steps):
        step()
        for role in (Role.INBOX, Role.JUNK):
            assert shown(mine, role) == sorted_lists(mine, role), (number, role)
        assert check_store() == [], number
    assert places() == 4 * folder_by_role(mine, Role.INBOX).total > 0


def test_filling_goes_on_from_its_last_commit_while_mail_comes_and_goes(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "SLICE", 4)
    found = stored_many(mine, 22)
    keep_orders(mine, fill=False)
    one = orders._fill_slice
    seen = []

    def slice_and_change(mailbox: int, folder: int, kind: int) -> int | None:
        count = one(mailbox, folder, kind)
        step = len(seen)
        seen.append(count)
        assert shown(mine) == sorted_lists(mine), step
        stored(mine, letter(f"during{step}", subject=f"s{step}"))
        if step % 3 == 0 and len(found) > 2:
            purge(mine, [found.pop()])
            move(mine, [found.pop(0)], folder_id=folder_id(mine, Role.JUNK))
        if step % 5 == 4:  # the worker dies after a commit
            raise KeyboardInterrupt
        return count

    monkeypatch.setattr(orders, "_fill_slice", slice_and_change)
    for _ in range(40):
        try:
            orders.fill_orders()
            break
        except KeyboardInterrupt:
            assert check_store() == []
    assert bits(mine) == (ALL_KINDS, ALL_KINDS)
    assert shown(mine) == sorted_lists(mine)
    assert check_store() == []


def test_a_slice_that_is_rolled_back_leaves_nothing(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    stored_many(mine, 3)
    keep_orders(mine, fill=False)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        orders._fill_slice(mine.mailbox, folder_id(mine), Kind.SIZE)
        raise KeyboardInterrupt
    assert (places(), bits(mine)) == (0, (ALL_KINDS, 0))
    assert check_store() == []
    assert orders.fill_orders() == 12
    assert orders.fill_orders() == 0
    assert shown(mine) == sorted_lists(mine)


def test_what_nobody_used_for_a_month_is_dropped_in_slices(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "SLICE", 4)
    monkeypatch.setattr(orders, "KEPT_FROM", 0)
    stored_many(mine, 10)
    keep_orders(mine)
    now = now_us()
    assert orders.drop_orders(now + 29 * DAY_US) == 0
    FolderOrder.objects.exclude(kind=Kind.SIZE).update(used_s=1)
    use(mine, Sort(By.SUBJECT))  # noted: it stays
    collect()
    assert bits(mine) == (Kind.SIZE | Kind.SUBJECT, Kind.SIZE | Kind.SUBJECT)
    assert places() == 40  # a page may still be walking them
    assert (shown(mine), check_store()) == (sorted_lists(mine), [])
    stored(mine, letter("since"))
    use(mine, Sort(By.SENDER))  # it begins again when the old one is gone
    assert bits(mine)[0] == Kind.SIZE | Kind.SUBJECT
    FolderOrder.objects.filter(state=FolderOrder.State.DROPPING).update(used_s=1)
    gone = list(itertools.takewhile(bool, (orders.drop_orders(now) for _ in range(50))))
    assert (gone, places(), FolderOrder.objects.count()) == ([4, 4, 2] * 2, 22, 2)
    monkeypatch.setattr(orders, "_noted", {})
    use(mine, Sort(By.SENDER))
    orders.fill_orders()
    assert bits(mine)[1] == Kind.SIZE | Kind.SUBJECT | Kind.SENDER
    assert shown(mine) == sorted_lists(mine)


def test_a_deleted_folder_leaves_nothing_behind(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "KEPT_FROM", -1)
    stored_many(mine, 3)
    other = create_folder(mine, "other")
    move(mine, Selection(folder_id=folder_id(mine)), folder_id=other)
    Folder.objects.filter(pk=other).update(role="monitor")
    place = folder_by_role(mine, "monitor")
    orders.use_orders(mine, place, ALL, Sort(By.SIZE))
    orders.fill_orders(other)
    Folder.objects.filter(pk=other).update(role="")
    assert places() == 3
    empty_folder(mine, other)
    assert places() == 0
    delete_folder(mine, other)
    assert check_store() == []
    assert orders.fill_orders() == 0
    FolderOrder.objects.update(used_s=1)
    collect()
    assert FolderOrder.objects.count() == 0


def test_an_erased_accounts_orders_go_unused_and_are_dropped(mine: Access, alice: Account) -> None:
    stored_many(mine, 3)
    keep_orders(mine)
    erase_account(alice)
    assert check_store() == []
    FolderOrder.objects.update(used_s=1)
    collect()
    FolderOrder.objects.update(used_s=1)
    collect()
    assert (places(), FolderOrder.objects.count(), check_store()) == (0, 0, [])


DAMAGE = {
    "a place is missing": "DELETE FROM mailstore_entryorder WHERE kind = 4",
    "a place is wrong": "UPDATE mailstore_entryorder SET number = number + 1 WHERE kind = 8",
    "a word is wrong": "UPDATE mailstore_entryorder SET word = word || 'x' WHERE kind = 2",
    "places of another folder": "UPDATE mailstore_entryorder SET folder_id = folder_id + 1 WHERE kind = 1",
    "not said to be ready": "UPDATE mailstore_folder SET orders_ready = 0",
    "not said to be kept": "UPDATE mailstore_folder SET orders_kept = 3",
    "said to be ready": "DELETE FROM mailstore_folderorder WHERE kind = 4",
    "of no folder": "UPDATE mailstore_folderorder SET folder_id = folder_id + 1000 WHERE kind = 1",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_repaired(mine: Access, name: str) -> None:
    stored_many(mine, 6)
    keep_orders(mine)
    assert sql.run(DAMAGE[name]) > 0
    found = check_store()
    assert found
    assert all(each.repaired for each in check_store(repair=True))
    assert check_store() == []
    assert shown(mine) == sorted_lists(mine)


def test_what_is_filled_already_is_checked_too(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "SLICE", 4)
    stored_many(mine, 9)
    keep_orders(mine, fill=False)
    assert orders._fill_slice(mine.mailbox, folder_id(mine), Kind.SIZE) == 4
    assert sql.run("DELETE FROM mailstore_entryorder WHERE number = (SELECT max(number) FROM mailstore_entryorder)") > 0
    assert [each.check for each in check_store(repair=True)] == ["places missing in an order"]
    orders.fill_orders()
    assert shown(mine) == sorted_lists(mine)


def test_the_schedule_finds_what_a_lost_task_left(mine: Access) -> None:
    assert "mailstore.fill_orders" in SCHEDULE
    assert "mailstore.fill_orders" in app.tasks
    stored_many(mine, 3)
    keep_orders(mine, fill=False)
    fill_orders_task()
    assert bits(mine) == (ALL_KINDS, ALL_KINDS)
