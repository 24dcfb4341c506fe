"""To-do marks."""

from __future__ import annotations

import pytest

from core.access import READER, Access
from core.errors import ErrorKind, MailError
from mailstore.models import Role, Todo
from mailstore.selectors.lists import Filter, list_page
from mailstore.services.entries import move, purge
from mailstore.services.todos import finish_todo, mark_todo, restore_todo
from tests.mailstore.letters import folder_id, stored_many


def listed(access: Access) -> list[int]:
    """The inbox's to-do mails, newest first."""
    return [row.entry_id for row in list_page(access, folder_id(access), filter=Filter(todo=True)).rows]


def test_a_mail_is_marked_done_and_put_back(mine: Access) -> None:
    found = stored_many(mine, 4)
    mark_todo(mine, found[1:], due_us=5)
    assert listed(mine) == found[:0:-1]
    finish_todo(mine, found[1:2])
    restore_todo(mine, found[2:3])
    assert listed(mine) == found[3:]
    assert Todo.objects.get(entry_id=found[1]).done_us
    mark_todo(mine, found[1:2])
    assert listed(mine) == [found[3], found[1]]


def test_it_follows_its_mail_and_goes_with_it(mine: Access) -> None:
    found = stored_many(mine, 2)
    mark_todo(mine, found)
    move(mine, found[:1], folder_id=folder_id(mine, Role.TRASH))
    assert listed(mine) == found[1:]
    purge(mine, found[1:])
    assert listed(mine) == []


def test_only_who_may_flag_marks(mine: Access, his: Access) -> None:
    found = stored_many(mine, 1)
    with pytest.raises(MailError) as stranger:
        mark_todo(his, found)
    with pytest.raises(MailError) as reader:
        mark_todo(Access(his.actor, mine.mailbox, READER), found)
    assert (stranger.value.kind, reader.value.kind) == (ErrorKind.NOT_FOUND, ErrorKind.NO_PERMISSION)
