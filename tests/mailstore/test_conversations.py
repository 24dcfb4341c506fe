"""The list of conversations."""

from __future__ import annotations

import pytest
from django.db import connection

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore.models import Flag, Role
from mailstore.selectors import conversations, entries
from mailstore.selectors.conversations import (
    ConversationPage,
    conversation_entries,
    conversation_page,
    conversation_place,
)
from mailstore.selectors.list_order import Key
from mailstore.services.entries import move, set_flags
from tests.mailstore.letters import folder_id, letter, stored, stored_many
from tests.mailstore.test_lists import plan_of


@pytest.fixture
def talks(mine: Access) -> dict[str, list[int]]:
    """Two conversations and a single mail, the older conversation answered last."""

    def put(name: str, at_us: int, references: tuple[str, ...] = (), sender: str = "王小明 <wang@partner.test>") -> int:
        return stored(mine, letter(name, references=references, sender=sender), at_us=at_us)

    return {
        "old": [put("a1", 10), put("a2", 60, ("a1",), "Lisa <lisa@x.test>")],
        "single": [put("s", 40)],
        "new": [put("b1", 20), put("b2", 30, ("b1",)), put("b3", 50, ("b1", "b2"))],
    }


def newest(page: ConversationPage) -> list[int]:
    """The mail that each row shows."""
    return [row.newest.entry_id for row in page.rows]


def test_the_one_with_the_newest_mail_is_first(mine: Access, talks: dict[str, list[int]]) -> None:
    page = conversation_page(mine, folder_id(mine))
    assert newest(page) == [talks["old"][-1], talks["new"][-1], talks["single"][-1]]
    assert [(row.total, row.unread) for row in page.rows] == [(2, 2), (3, 3), (1, 1)]
    assert page.rows[0].participants == ("王小明", "Lisa")
    assert (page.next, page.previous) == (None, None)


def test_it_is_walked_by_key_both_ways(mine: Access, talks: dict[str, list[int]]) -> None:
    inbox = folder_id(mine)
    whole = newest(conversation_page(mine, inbox))
    pages = [conversation_page(mine, inbox, limit=1)]
    while pages[-1].next:
        pages.append(conversation_page(mine, inbox, limit=1, after=pages[-1].next))
    assert [newest(page) for page in pages] == [[each] for each in whole]
    assert newest(conversation_page(mine, inbox, limit=5, before=pages[-1].previous)) == whole[:2]


def test_unread_and_starred_conversations(mine: Access, talks: dict[str, list[int]]) -> None:
    inbox = folder_id(mine)
    set_flags(mine, [*talks["old"], *talks["new"][:2]], add=Flag.SEEN)
    set_flags(mine, talks["new"][:1], add=Flag.FLAGGED)
    assert newest(conversation_page(mine, inbox, unread=True)) == [talks["new"][-1], talks["single"][-1]]
    assert newest(conversation_page(mine, inbox, starred=True)) == [talks["new"][-1]]


def test_a_conversation_shows_what_lies_in_the_folder(mine: Access, talks: dict[str, list[int]]) -> None:
    trash = folder_id(mine, Role.TRASH)
    move(mine, talks["new"][2:], folder_id=trash)
    here = conversation_page(mine, folder_id(mine))
    assert newest(here) == [talks["old"][-1], talks["single"][-1], talks["new"][1]]
    assert [row.total for row in conversation_page(mine, trash).rows] == [1]


def test_mails_of_one_moment_are_one_row(mine: Access) -> None:
    stored(mine, letter("a"), at_us=7)
    last = stored(mine, letter("b", references=("a",)), at_us=7)
    assert newest(conversation_page(mine, folder_id(mine), limit=1)) == [last]


def test_an_act_reaches_all_of_a_conversation_here(mine: Access, his: Access, talks: dict[str, list[int]]) -> None:
    thread = entries.get(mine, talks["new"][0]).thread_id
    inbox = folder_id(mine)
    assert sorted(conversation_entries(mine, inbox, [thread])) == talks["new"]
    for act in (lambda: conversation_entries(his, inbox, [thread]), lambda: conversation_page(his, inbox)):
        with pytest.raises(MailError) as error:
            act()
        assert error.value.kind is ErrorKind.NOT_FOUND


def test_a_page_looks_at_a_part_of_long_conversations_and_says_where_to_go_on(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_WALKED", 4)
    first = stored(mine, letter("single"), at_us=1)
    long = [stored(mine, letter(f"l{n}", references=("root",)), at_us=10 + n) for n in range(9)]
    second = stored(mine, letter("newest"), at_us=50)
    inbox = folder_id(mine)
    pages = [conversation_page(mine, inbox, limit=2)]
    while pages[-1].next:
        pages.append(conversation_page(mine, inbox, limit=2, after=pages[-1].next))
    assert [each for page in pages for each in newest(page)] == [second, long[-1], first]
    back = [conversation_page(mine, inbox, limit=2, before=pages[-1].rows[0].key)]
    while back[-1].previous:
        back.append(conversation_page(mine, inbox, limit=2, before=back[-1].previous))
    assert [each for page in reversed(back) for each in newest(page)] == [second, long[-1]]


def test_its_place_counts_single_mails_and_conversations(mine: Access, talks: dict[str, list[int]]) -> None:
    inbox = folder_id(mine)
    whole = conversation_page(mine, inbox).rows
    place = conversation_place(inbox, skip=2)
    assert (place.total, place.after) == (3, whole[1].key)
    assert conversation_place(inbox, newer_than_us=45).newer == 2
    set_flags(mine, [*talks["new"], *talks["single"]], add=Flag.SEEN)
    assert conversation_place(inbox, unread=True).total == 1
    assert conversation_place(inbox, unread=True, starred=True).total == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "date"),
        ({"unread": True}, "unread"),
        ({"starred": True}, "starred"),
    ],
    ids=str,
)
def test_an_index_leads_and_the_newest_mail_is_a_point(mine: Access, asked: dict[str, bool], index: str) -> None:
    stored_many(mine, 3)
    key = Key(1_800_000_000_000_000, folder_id(mine))
    plan = plan_of(lambda: conversation_page(mine, folder_id(mine), after=key, **asked))  # type: ignore[arg-type]
    assert f"INDEX folder_thread_{index}" in plan, plan
    assert f"INDEX entry_{index}" in plan, plan
    assert "entry_date (folder_id=? AND sort_us=?)" in plan, plan
    assert plan.count("TEMP B-TREE") == 1, plan
