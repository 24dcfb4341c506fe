"""Columns are of exactly the messages that are asked for, whatever came and went, and hold a bounded memory."""

from __future__ import annotations

import dataclasses
import datetime
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, strategies as st

from core.access import Access
from mailaccess.imap.search import columns as module
from mailaccess.imap.search.columns import FIELD, HEADER, Columns, sent_day, with_text
from mailaccess.imap.search.reading import Steps
from mailstore import sql
from mailstore.services.entries import purge
from tests.mailstore.letters import folder_id, letter, stored

T = TypeVar("T")


def ended(steps: Steps[T]) -> T:
    """The value of a generator."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def lines(kept: Columns, folder: int, uids: list[int], name: str = "subject") -> list[str]:
    """A column of texts."""
    found = ended(kept.lines(folder, array("I", uids), name)).decode()
    assert found.count("\n") == len(uids)
    return found.split("\n")[:-1]


def test_a_column_grows_shrinks_and_serves_sessions_that_know_different_messages(mine: Access) -> None:
    inbox = folder_id(mine)
    entries = [stored(mine, letter(f"m{number}", subject=f"S{number}")) for number in range(4)]
    kept = Columns()
    assert lines(kept, inbox, [1, 2]) == ["s0", "s1"]
    assert lines(kept, inbox, [1, 2, 3, 4]) == ["s0", "s1", "s2", "s3"]
    purge(mine, entries[1:2])
    assert lines(kept, inbox, [1, 3, 4]) == ["s0", "s2", "s3"]
    assert lines(kept, inbox, [1, 2, 3]) == ["s0", "", "s2"], "a session that was not told yet"
    assert lines(kept, inbox, []) == []
    stored(mine, letter("m4", subject="S4"))
    assert lines(kept, inbox, [3, 4, 5]) == ["s2", "s3", "s4"]
    assert list(ended(kept.numbers(inbox, array("I", [3, 5, 9]), "size"))) == [
        *(row[0] for row in sql.rows("SELECT size FROM mailstore_entry WHERE uid IN (3, 5) ORDER BY uid")),
        0,
    ]


def test_what_is_known_is_not_read_again(mine: Access) -> None:
    inbox = folder_id(mine)
    for number in range(3):
        stored(mine, letter(f"m{number}", sender=f"p{number}@x.test"))
    kept = Columns()
    with CaptureQueriesContext(connection) as queries:
        for name in ("from", "to", "cc", "bcc"):
            lines(kept, inbox, [1, 2, 3], name)
            lines(kept, inbox, [1, 2, 3], name)
    assert len(queries) == 1


def test_sessions_that_ask_at_the_same_time_read_once_and_wait_for_nobody(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = folder_id(mine)
    for number in range(6):
        stored(mine, letter(f"m{number}", subject=f"S{number}"))
    monkeypatch.setitem(module.SOURCES, "subject", dataclasses.replace(module.SOURCES["subject"], chunk_rows=2))
    kept = Columns()
    wanted = array("I", range(1, 7))
    with CaptureQueriesContext(connection) as queries:
        gone, stuck, third = (kept.lines(inbox, wanted, "subject") for _ in range(3))
        assert [next(each) for each in (gone, stuck)] == [False, False]
        assert next(third) is False
        gone.close()  # its client hung up; that of `stuck` does not read what is written to it
        assert ended(third) == b"s0\ns1\ns2\ns3\ns4\ns5\n"
    assert len(queries) == 3
    stored(mine, letter("m6", subject="S6"))
    with CaptureQueriesContext(connection) as queries:
        assert lines(kept, inbox, [*wanted, 7]) == [f"s{number}" for number in range(7)]
    assert len(queries) == 1


def test_what_another_thread_is_reading_is_waited_for(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = folder_id(mine)
    stored(mine, letter("m", subject="S"))
    kept = Columns()
    other = kept.lines(inbox, array("I", [1]), "subject")
    met = []

    def texts(rows: Sequence[Any]) -> Iterable[str]:
        met.append(next(other))
        return [row[1] for row in rows]

    monkeypatch.setitem(module.SOURCES, "subject", dataclasses.replace(module.SOURCES["subject"], texts=texts))
    assert lines(kept, inbox, [1]) == ["s"]
    assert met == [True]
    assert ended(other) == b"s\n"


def test_what_was_not_used_for_longest_goes_first(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = folder_id(mine)
    stored(mine, letter("m", subject="S" * 400))
    monkeypatch.setattr(module, "MAX_BYTES", 500)
    kept = Columns()
    lines(kept, inbox, [1], "subject")
    lines(kept, inbox, [1], "from")
    assert kept.size > 0
    lines(kept, inbox, [1], "by-subject")
    assert kept.size < 500


def test_a_message_of_an_earlier_version_is_threaded_by_its_header(mine: Access) -> None:
    stored(mine, letter("a"))
    stored(mine, letter("b", references=["x", "a"]))
    inbox = folder_id(mine)
    known = lines(Columns(), inbox, [1, 2], "ancestors")
    assert known[0] == ""
    assert len(known[1]) == 32
    sql.run("UPDATE mailstore_message SET ancestors = NULL")
    assert lines(Columns(), inbox, [1, 2], "ancestors") == known


def test_any_field_of_the_header_is_a_column_where_an_empty_field_is_one_too(mine: Access) -> None:
    for extra in ("X-Kind: Special\r\nx-kind: =?utf-8?q?caf=C3=A9?=", "X-Kind:", "X-Other: special"):
        stored(mine, letter("a", extra=extra))
    found = lines(Columns(), folder_id(mine), [1, 2, 3], HEADER + "x-kind")
    assert found == [f"{FIELD}special{FIELD}cafe", FIELD, ""]


@given(st.lists(st.text(alphabet="abc发", max_size=5), max_size=12), st.text(alphabet="abc发", max_size=3))
def test_lines_with_a_text_are_those_that_hold_it(texts: list[str], wanted: str) -> None:
    block = "".join(f"{text}\n" for text in texts).encode()
    found = with_text(block, wanted.encode(), len(texts))
    assert [bool(each) for each in found] == [wanted in text if wanted else bool(text) for text in texts]


@pytest.mark.parametrize(
    ("envelope", "day"),
    [
        ('"Mon, 05 Jan 2026 23:59:00 -0800" NIL', "2026-01-05"),
        ('"5 Jan 2026 00:01:00 +0800" NIL', "2026-01-05"),
        ('"Monday, 5-January-2026 00:01" NIL', "2026-01-05"),
        ('"Mon, 05 Jan 26 10:00:00 GMT" NIL', "2026-01-05"),
        ('"31 Feb 2026 10:00:00 GMT" NIL', ""),
        ('"nonsense" NIL', ""),
        ('NIL "5 Jan 2026"', ""),
    ],
)
def test_the_day_of_a_date_is_the_one_that_is_written(envelope: str, day: str) -> None:
    assert sent_day(envelope) == (datetime.date.fromisoformat(day).toordinal() if day else 0)
