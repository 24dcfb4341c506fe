"""The index beside the store: compared, repaired, made again."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from core.access import Access
from mailstore import sql
from mailstore.models import SearchTodo
from mailstore.search.index import index
from mailstore.search.indexer import Indexer
from mailstore.search.rebuild import Difference, differences, enqueue, start_over, waiting
from mailstore.services.drafts import create_draft, snapshot_draft
from tests.mailstore.letters import letter, stored_many


@pytest.fixture
def messages(mine: Access, indexer: Indexer) -> list[int]:
    """Five, indexed."""
    stored_many(mine, 5)
    indexer.drain()
    return [row[0] for row in sql.rows("SELECT id FROM mailstore_message ORDER BY id")]


def run(command: str, *arguments: str) -> str:
    """What a command prints."""
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_an_index_that_agrees_has_no_differences(mine: Access, messages: list[int]) -> None:
    assert list(differences(mine.mailbox)) == []
    assert "0 differences; 5 messages" in run("reindex", "--check")


def test_what_is_missing_or_too_much_is_found_and_repaired(
    mine: Access, messages: list[int], indexer: Indexer, breaks_rows: None
) -> None:
    index().remove(messages[1], None)
    sql.run("DELETE FROM mailstore_entry WHERE message_id = %s", [messages[3]])
    sql.run("DELETE FROM mailstore_threadof WHERE message_id = %s", [messages[3]])
    sql.run("DELETE FROM mailstore_message WHERE id = %s", [messages[3]])
    expected = [Difference(messages[1], is_missing=True), Difference(messages[3], is_missing=False)]
    assert list(differences(mine.mailbox)) == expected
    with pytest.raises(SystemExit):
        run("reindex", "--check")
    assert "repaired" in run("reindex", "--check", "--repair")
    indexer.drain()
    assert list(differences(mine.mailbox)) == []


def test_reindexing_looks_at_everything_and_doubles_nothing(mine: Access, messages: list[int]) -> None:
    before = index().size()
    assert "5 messages to look at" in run("reindex", "--mailbox", str(mine.mailbox))
    assert (index().size(), waiting()) == (before, 0)


def test_a_fresh_index_is_small_and_whole(mine: Access, messages: list[int]) -> None:
    index().remove(messages[0], None)
    assert "done: 5 messages in the index, 0 hidden" in run("reindex", "--fresh")
    assert list(differences(mine.mailbox)) == []


def test_an_emptied_index_is_filled_by_the_next_indexer_when_its_maker_died(
    mine: Access, messages: list[int], indexer: Indexer
) -> None:
    index().empty()
    indexer.refill()
    assert waiting(mine.mailbox) == 5
    indexer.drain()
    assert list(differences(mine.mailbox)) == []


def test_only_one_mailbox_waits_when_one_is_asked_for(mine: Access, his: Access, messages: list[int]) -> None:
    stored_many(his, 2)
    SearchTodo.objects.all().delete()
    assert enqueue(his.mailbox) == 2
    assert (waiting(his.mailbox), waiting(mine.mailbox), waiting(limit=1)) == (2, 0, 1)
    assert start_over() == 7


def test_copies_of_a_draft_are_no_part_of_it(mine: Access, messages: list[int], indexer: Indexer) -> None:
    snapshot_draft(mine, create_draft(mine, identity="alice@example.test").id, letter("copy"))
    assert list(differences(mine.mailbox)) == []
    assert enqueue() == 5
