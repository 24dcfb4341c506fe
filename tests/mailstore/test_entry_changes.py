"""What changed after a mod-sequence, from the end of the folder and the log of changes."""

from __future__ import annotations

import random

import pytest

from core.access import Access
from mailstore import entry_changes, sql
from mailstore.entry_changes import MAX_RANGES, spans
from mailstore.models import Entry, EntryChange, Flag, Role
from mailstore.selectors import folder_state
from mailstore.selectors.folder_state import changed_ranges, changed_rows, cut
from mailstore.services import collect
from mailstore.services.entries import move, purge, set_flags
from mailstore.services.keywords import make_keyword, set_keywords
from mailstore.services.todos import mark_todo
from tests.mailstore.letters import folder_id, letter, stored, stored_many


def expected(folder: int, modseq: int) -> list[tuple[int, int, int, int]]:
    """By looking at everything."""
    query = "SELECT uid, flags, keywords, modseq FROM mailstore_entry WHERE folder_id = %s AND modseq > %s ORDER BY uid"
    return sql.rows(query, [folder, modseq])


def newest(folder: int) -> int:
    """The folder's modseq."""
    return int(sql.row("SELECT highestmodseq FROM mailstore_folder WHERE id = %s", [folder])[0])


def test_new_mail_needs_no_record(mine: Access) -> None:
    inbox = folder_id(mine)
    stored_many(mine, 3)
    before = newest(inbox)
    stored_many(mine, 2)
    assert [row[0] for row in changed_rows(inbox, before, 10)] == [4, 5]
    assert not EntryChange.objects.exists()


def test_whatever_happens_every_question_is_answered_right(mine: Access) -> None:
    """Random acts; after each of them the changes since every earlier moment are those that looking at all gives."""
    chance = random.Random(7)  # noqa: S311 - a test's choices
    inbox, junk = folder_id(mine), folder_id(mine, Role.JUNK)
    stored_many(mine, 30)
    keyword = make_keyword(mine, "$Seen2")
    moments = {inbox: [0], junk: [0]}
    for _ in range(40):
        ids = list(Entry.objects.filter(mailbox_id=mine.mailbox).order_by("id").values_list("id", flat=True))
        some = sorted(chance.sample(ids, min(len(ids), chance.choice((1, 2, 9)))))
        act = chance.randrange(7)
        if act == 0 or len(ids) < 12:
            stored_many(mine, 3)
        elif act == 1:
            move(mine, some, folder_id=chance.choice((inbox, junk)))
        elif act == 2:
            purge(mine, some[:1])
        elif act == 3:
            set_keywords(mine, some, add=[keyword.id])
        elif act == 4:
            mark_todo(mine, some)
        else:
            set_flags(mine, some, add=Flag.SEEN if act == 5 else Flag.FLAGGED, remove=Flag.ANSWERED)
        for folder, asked in moments.items():
            for modseq in asked:
                assert changed_rows(folder, modseq, 1_000) == expected(folder, modseq)
            asked.append(newest(folder))


def test_a_change_of_a_whole_folder_is_one_range(mine: Access) -> None:
    ids = stored_many(mine, 40)
    before = newest(folder_id(mine))
    set_flags(mine, ids, add=Flag.SEEN)
    assert list(EntryChange.objects.values_list("first_uid", "last_uid")) == [(1, 40)]
    stored(mine, letter("later"))
    assert changed_ranges(folder_id(mine), before) == [(1, 41)]


def test_changes_that_lie_apart_are_ranges_of_their_own(mine: Access) -> None:
    ids = stored_many(mine, 40)
    set_flags(mine, [ids[0], ids[20], ids[22]], add=Flag.SEEN)
    assert list(EntryChange.objects.order_by("first_uid").values_list("first_uid", "last_uid")) == [(1, 1), (21, 23)]
    assert spans(range(1, 10 * MAX_RANGES, 8)) == [(1, 10 * MAX_RANGES - 7)]


def test_many_records_are_read_in_few_questions(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_state, "MAX_RANGES", 3)
    inbox = folder_id(mine)
    ids = stored_many(mine, 60)
    before = newest(inbox)
    for number in range(0, 60, 6):
        set_flags(mine, ids[number : number + 1 + number % 4], add=Flag.SEEN)
    stored(mine, letter("later"))
    assert changed_rows(inbox, before, 1_000) == expected(inbox, before)


def test_what_is_no_longer_recorded_is_looked_for_in_the_whole_folder(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "CHANGES_MAX", 2)
    inbox = folder_id(mine)
    ids = stored_many(mine, 8)
    before = newest(inbox)
    for entry in ids[:5]:
        set_flags(mine, [entry], add=Flag.SEEN)
    collect.collect()
    assert EntryChange.objects.count() == 2
    for modseq in range(before, newest(inbox) + 1):
        assert changed_rows(inbox, modseq, 1_000) == expected(inbox, modseq)
    assert entry_changes.trim(inbox, 2) == 0


def test_ranges_are_cut_to_what_is_asked() -> None:
    assert cut([(1, 5), (8, 20), (30, 30)], [(4, 9), (15, 16), (25, 40)]) == [(4, 5), (8, 9), (15, 16), (30, 30)]
    assert cut([(5, 6)], []) == []
