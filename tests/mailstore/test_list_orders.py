"""Other orders than the date's, filters of every kind, several at once: right, bounded, and led by an index."""

from __future__ import annotations

import itertools
import random

import pytest
from django.db import connection, transaction

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.models import Entry, Flag, Role
from mailstore.selectors import entries, list_position, list_walk
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.list_filter import Counters
from mailstore.selectors.list_position import key_of_moment, rank
from mailstore.selectors.lists import ALL, UNCOUNTED, By, Filter, Key, Sort, list_page, position
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mailstore.services.entries import Selection, set_flags
from mailstore.services.keywords import create_label, set_keywords
from mailstore.services.todos import mark_todo
from tests.mailstore.letters import folder_id, keep_orders, letter
from tests.mailstore.test_lists import plan_of

KEPT = "SEARCH o USING PRIMARY KEY (folder_id=? AND kind=? AND hash=?"
PEOPLE = ["张伟 <zhang@a.test>", "Bob <bob@b.test>", "赵敏 <zhao@c.test>", "alice <alice@d.test>", "李娜 <LI@e.test>"]
SORTS = [Sort(by, reverse) for by, reverse in itertools.product(By, (False, True))]


@pytest.fixture
def mixed(mine: Access) -> list[int]:
    """Thirty mails of five people, differing in everything a list can ask for."""
    chance = random.Random(7)
    items = [
        Incoming(
            prepare(
                letter(
                    f"m{number}",
                    sender=PEOPLE[number % 5],
                    subject=chance.choice(["报价", "Re: Sample", "invoice", "样品"]),
                    body="x" * chance.randrange(10, 400),
                    extra="Content-Disposition: attachment; filename=a.txt" if number % 3 == 0 else "",
                )
            ),
            [Placement(mine.mailbox, internal_us=1_700_000_000_000_000 + chance.randrange(12) * 1_000_000)],
        )
        for number in range(30)
    ]
    with transaction.atomic():
        found = [each.entry_ids[mine.mailbox] for each in store(items)]
    set_flags(mine, found[::2], add=Flag.SEEN)
    set_flags(mine, found[::4], add=Flag.FLAGGED)
    set_keywords(mine, found[5:20], add=[create_label(mine, "询盘").id])
    mark_todo(mine, found[3:12])
    return found


def everything(access: Access, wanted: Filter, sort: Sort, *, limit: int) -> list[int]:
    """All pages, one after the other."""
    found: list[int] = []
    page = list_page(access, folder_id(access), filter=wanted, sort=sort, limit=limit)
    while True:
        found += [row.entry_id for row in page.rows]
        if page.next is None:
            return found
        page = list_page(access, folder_id(access), filter=wanted, sort=sort, limit=limit, after=page.next)


def expected(access: Access, wanted: Filter, sort: Sort) -> list[int]:
    """The same by the rows themselves, sorted here; text orders by the database's own comparison."""
    condition, values = wanted.where()
    rows = sql.rows(
        f"SELECT e.id FROM mailstore_entry e WHERE e.folder_id = %s{condition} ORDER BY {sort.walk().order}",
        [folder_id(access), *values],
    )
    return [row[0] for row in rows]


def filters(access: Access) -> list[Filter]:
    """Every single condition, and every two."""
    label = create_label_id(access)
    single = [
        {"unread": True},
        {"starred": True},
        {"attachment": True},
        {"label": label},
        {"todo": True},
        {"read": True},
        {"unmarked": True},
        {"sender": "Zhang@A.test"},
        {"since_us": 1_700_000_003_000_000, "until_us": 1_700_000_009_000_000},
    ]
    return [Filter(**(a | b)) for a, b in itertools.combinations([{}, *single], 2)]  # type: ignore[arg-type]


def create_label_id(access: Access) -> int:
    """The label that `mixed` made."""
    found: int = sql.row("SELECT id FROM mailstore_keyword WHERE mailbox_id = %s", [access.mailbox])[0]
    return found


@pytest.fixture(params=["nothing kept", "being filled", "ready"])
def way(request: pytest.FixtureRequest, mine: Access, mixed: list[int]) -> str:
    """How far the folder's orders are."""
    if request.param != "nothing kept":
        keep_orders(mine, fill=request.param == "ready")
    return str(request.param)


@pytest.mark.parametrize("sort", SORTS, ids=str)
@pytest.mark.parametrize("small", [0, 5_000])
def test_every_filter_in_every_order_shows_its_own_once(
    mine: Access, mixed: list[int], way: str, sort: Sort, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_walk, "SMALL_ROWS", small)
    monkeypatch.setattr(list_walk, "SCAN_ROWS", 7)
    monkeypatch.setattr(list_walk, "UNFILLED_ROWS", 11)
    for wanted in [ALL, *filters(mine)]:
        assert everything(mine, wanted, sort, limit=4) == expected(mine, wanted, sort), wanted


@pytest.mark.parametrize("sort", SORTS, ids=str)
def test_pages_are_walked_back(
    mine: Access, mixed: list[int], way: str, sort: Sort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_walk, "SCAN_ROWS", 11)
    inbox = folder_id(mine)
    for wanted in (ALL, Filter(unread=True), Filter(unread=True, attachment=True), Filter(sender="zhang@a.test")):
        whole = expected(mine, wanted, sort)
        page = list_page(mine, inbox, filter=wanted, sort=sort, limit=3, after=key_of(whole[-1], sort))
        found: list[int] = []
        page = list_page(mine, inbox, filter=wanted, sort=sort, limit=3, before=key_of(whole[-1], sort))
        while True:
            found = [row.entry_id for row in page.rows] + found
            if page.previous is None:
                break
            page = list_page(mine, inbox, filter=wanted, sort=sort, limit=3, before=page.previous)
        assert found == whole[:-1]


def key_of(entry_id: int, sort: Sort) -> Key:
    """Where an entry stands in an order."""
    return Key(getattr(Entry.objects.get(pk=entry_id), sort.by.column), entry_id)


def test_names_are_in_the_order_of_pinyin_and_the_newest_of_each_first(mine: Access, mixed: list[int]) -> None:
    rows = list_page(mine, folder_id(mine), sort=Sort(By.SENDER), limit=30).rows
    assert [row.sender_name for row in rows[::6]] == ["alice", "Bob", "李娜", "张伟", "赵敏"]
    assert [row.entry_id for row in rows[:6]] == sorted((row.entry_id for row in rows[:6]), reverse=True)


def test_pages_of_straight_lists_have_numbers(
    mine: Access, mixed: list[int], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_position, "ANCHOR_ROWS", 3)
    inbox = folder_id(mine)
    senders = [(Filter(sender="zhang@a.test"), sort) for sort in SORTS[:2]]
    for wanted, sort in [*((ALL, sort) for sort in SORTS), *senders]:
        whole = expected(mine, wanted, sort)
        after = position(mine, inbox, 2, 4, filter=wanted, sort=sort)
        rows = list_page(mine, inbox, filter=wanted, sort=sort, after=after, limit=4).rows
        assert [row.entry_id for row in rows] == whole[4:8]
        if sort.by is By.DATE:
            assert after is not None
            assert rank(folder_by_role(mine, Role.INBOX), after, filter=wanted, sort=sort) == 4
    assert position(mine, inbox, 3, 4, filter=Filter(unread=True, starred=True)) is None


def test_a_moment_is_a_place(mine: Access, mixed: list[int]) -> None:
    at_us = 1_700_000_005_000_000
    rows = list_page(mine, folder_id(mine), after=key_of_moment(at_us), limit=50).rows
    assert {row.entry_id for row in rows} == set(Entry.objects.filter(sort_us__lte=at_us).values_list("id", flat=True))


def test_neighbours_stand_where_the_list_has_them(mine: Access, mixed: list[int]) -> None:
    for sort in SORTS:
        whole = expected(mine, Filter(unread=True), sort)
        before, after = entries.neighbours(mine, whole[4], Filter(unread=True), sort)
        assert (before and before.entry_id, after and after.entry_id) == (whole[3], whole[5])


def test_acts_on_a_filtered_folder_reach_what_it_shows(mine: Access, mixed: list[int]) -> None:
    for wanted in filters(mine):
        shown = expected(mine, wanted, Sort())
        set_flags(mine, Selection(folder_id=folder_id(mine), filter=wanted), add=Flag.ANSWERED)
        assert set(Entry.objects.extra(where=["flags & 2 = 2"]).values_list("id", flat=True)) == set(shown)
        set_flags(mine, mixed, remove=Flag.ANSWERED)


def test_another_mailboxs_label_shows_nothing(mine: Access, his: Access, mixed: list[int]) -> None:
    with transaction.atomic():
        store([Incoming(prepare(letter()), [Placement(his.mailbox)])])
    inbox = folder_id(his)
    assert list_page(his, inbox, filter=Filter(label=create_label_id(mine))).rows == []


@pytest.mark.parametrize("sort", SORTS, ids=str)
def test_a_key_of_another_order_is_invalid(mine: Access, mixed: list[int], sort: Sort) -> None:
    wrong = Key(1, 1) if sort.by in {By.SENDER, By.SUBJECT} else Key("a", 1)
    with pytest.raises(MailError) as error:
        list_page(mine, folder_id(mine), sort=sort, after=wrong)
    assert error.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize("value", ["", "张 wei", "a.b~c", "é\ud800"])
def test_a_text_key_survives_its_text(value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    assert Key.parse(str(Key(value, 9))) == Key(value, 9)


@pytest.mark.parametrize("text", ["~.1", "~!.1", "~YQ.1", "~AA==.1", "~/w==.1"])
def test_a_text_key_that_is_none_is_invalid_or_harmless(text: str) -> None:
    try:
        assert isinstance(Key.parse(text).value, str)
    except MailError as error:
        assert error.kind is ErrorKind.INVALID


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
@pytest.mark.parametrize(
    ("wanted", "sort", "index"),
    [
        (Filter(sender="zhang@a.test"), Sort(), f"{KEPT} AND word=?"),
        (Filter(sender="zhang@a.test", since_us=5, until_us=9), Sort(), f"{KEPT} AND word=? AND number>? AND number<?"),
        (Filter(label=1), Sort(), "sqlite_autoindex_mailstore_entrylabel_1"),
        (ALL, Sort(By.SENDER), KEPT),
        (ALL, Sort(By.SENDER, reverse=True), KEPT),
        (ALL, Sort(By.SUBJECT), KEPT),
        (ALL, Sort(By.SIZE), f"{KEPT} AND word=?"),
        (Filter(since_us=5, until_us=9), Sort(), "entry_date"),
        (Filter(starred=True, unread=True), Sort(), "entry_starred"),
        (Filter(attachment=True, unread=True), Sort(), "entry_attachment"),
        (Filter(sender="zhang@a.test", unread=True), Sort(), f"{KEPT} AND word=?"),
    ],
    ids=str,
)
def test_the_chosen_index_leads_and_nothing_is_sorted(
    mine: Access, mixed: list[int], wanted: Filter, sort: Sort, index: str
) -> None:
    keep_orders(mine)
    key = Key("m" if sort.by in {By.SENDER, By.SUBJECT} else 1_700_000_005_000_000, folder_id(mine))
    for after in (None, key):
        plan = plan_of(lambda: list_page(mine, folder_id(mine), filter=wanted, sort=sort, after=after))  # noqa: B023
        assert (index if index.startswith(KEPT) else f"INDEX {index}") in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "SCAN e" not in plan, plan


def test_a_locked_folder_and_a_strangers_are_refused_in_every_order(
    mine: Access, his: Access, mixed: list[int]
) -> None:
    for sort in SORTS:
        for wanted in (ALL, Filter(unread=True, starred=True)):
            with pytest.raises(MailError) as error:
                list_page(his, folder_id(mine), sort=sort, filter=wanted)
            assert error.value.kind is ErrorKind.NOT_FOUND
    assert list_page(mine, folder_id(mine, Role.JUNK), sort=SORTS[3]).total != UNCOUNTED


def test_the_rarest_condition_leads() -> None:
    few_unread = Counters(total=1_000, unread=3, starred=500)
    few_starred = Counters(total=1_000, unread=500, starred=3)
    both = Filter(unread=True, starred=True)
    leading = [both.driver(counters)[0] for counters in (few_unread, few_starred)]
    assert [each and each.name for each in leading] == ["unread", "starred"]
