"""What mail programs ask the index: every message that holds a text, what waits for the indexer, ids and conversations."""

from __future__ import annotations

import pytest

from core.access import Access, Right
from core.errors import MailError
from mailstore import sql
from mailstore.message import message_id_hash
from mailstore.search.indexer import Indexer
from mailstore.selectors import words
from tests.mailstore.letters import letter, stored
from tests.mailstore.search.conftest import empty_index

__all__ = ["empty_index"]


def message_of(entry_id: int) -> int:
    """The message of an entry."""
    return int(sql.row("SELECT message_id FROM mailstore_entry WHERE id = %s", [entry_id])[0])


def found(access: Access, text: str) -> set[int]:
    """Holders anywhere."""
    asked = words.asked(text)
    assert asked is not None
    return set(words.holders(access, asked.anywhere))


def test_holders_are_all_of_the_own_mailbox_and_a_word_may_go_on(mine: Access, his: Access) -> None:
    one = message_of(stored(mine, letter("a", subject="Invoices", body="voice")))
    two = message_of(stored(mine, letter("b", subject="x", body="采购合同 and an invoicing tool")))
    stored(his, letter("c", subject="Invoices"))
    assert words.waiting(mine) == sorted([one, two])
    indexer = Indexer()
    indexer.drain()
    indexer.close()
    assert words.waiting(mine) == []
    assert found(mine, "invoic") == {one, two}
    assert found(mine, "购合") == {two}
    assert found(mine, "an invoice tool") == set()
    asked = words.asked("invoices")
    assert asked is not None
    assert set(words.holders(mine, asked.header)) == {one}


def test_a_text_without_words_is_not_asked(mine: Access) -> None:
    assert words.asked("-!- @") is None


def test_a_conversation_and_an_id_give_their_messages(mine: Access, his: Access) -> None:
    first = message_of(stored(mine, letter("a")))
    second = message_of(stored(mine, letter("b", references=["a"])))
    alone = message_of(stored(mine, letter("c")))
    stored(his, letter("a"))
    assert sorted(words.in_thread(mine, first)) == [first, second]
    assert words.in_thread(mine, alone) == [alone]
    assert words.with_message_id(mine, message_id_hash("<b@letters.test>")) == [second]
    assert words.with_message_id(his, message_id_hash("b@letters.test")) == []


def test_nobody_reads_without_the_right_to(mine: Access) -> None:
    blind = Access(mine.actor, mine.mailbox, Right(0), mine.unlocked)
    for ask in (
        words.waiting,
        lambda access: words.in_thread(access, 1),
        lambda access: words.with_message_id(access, 1),
    ):
        with pytest.raises(MailError):
            ask(blind)
