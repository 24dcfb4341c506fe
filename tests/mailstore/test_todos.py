"""To-do marks."""

from __future__ import annotations

import pytest

from core.access import READER, Access
from core.errors import ErrorKind, MailError
from mailstore.check_store import check_store
from mailstore.models import TODO_MARKS, Entry, Flag, Role, Todo
from mailstore.selectors.lists import Filter, list_page
from mailstore.services.append import append
from mailstore.services.entries import copy, move, purge, recover, set_flags
from mailstore.services.todos import finish_todo, mark_done, mark_todo, restore_todo
from tests.mailstore.letters import folder_id, letter, stored_many


def listed(access: Access) -> list[int]:
    """The inbox's to-do mails, newest first."""
    return [row.entry_id for row in list_page(access, folder_id(access), filter=Filter(todo=True)).rows]


def flag(entry_id: int) -> Flag:
    """The mark that mail programs see."""
    return Flag(Entry.objects.get(pk=entry_id).flags & TODO_MARKS)


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


def test_the_mark_is_a_flag_too_and_listeners_hear_of_it(mine: Access) -> None:
    entry_id, other = stored_many(mine, 2)
    set_flags(mine, [entry_id], add=Flag.SEEN)
    seen = [Entry.objects.get(pk=entry_id).modseq]
    for act, wanted in (
        (mark_todo, Flag.TODO),
        (finish_todo, Flag.DONE),
        (mark_todo, Flag.TODO),
        (restore_todo, Flag(0)),
    ):
        changed = act(mine, [entry_id])
        assert flag(entry_id) == wanted
        assert changed.modseq == Entry.objects.get(pk=entry_id).modseq
        seen.append(changed.modseq)
    assert seen == sorted(set(seen))
    assert Entry.objects.get(pk=entry_id).flags == Flag.SEEN
    assert flag(other) == Flag(0)
    assert check_store() == []


def test_finishing_what_was_never_to_do_changes_nothing_but_a_program_may_say_that_it_is_done(mine: Access) -> None:
    entry_id = stored_many(mine, 1)[0]
    finish_todo(mine, [entry_id])
    assert (flag(entry_id), Todo.objects.count()) == (Flag(0), 0)
    mark_done(mine, [entry_id])
    assert flag(entry_id) == Flag.DONE
    assert Todo.objects.get(entry_id=entry_id).done_us
    mark_todo(mine, [entry_id])
    mark_done(mine, [entry_id])
    assert flag(entry_id) == Flag.DONE
    assert check_store() == []


def test_copies_recovered_and_appended_mail_keep_the_mark(mine: Access) -> None:
    to_do, done = stored_many(mine, 2)
    mark_todo(mine, [to_do], due_us=5)
    mark_done(mine, [done])
    copies = copy(mine, [to_do, done], folder_id=folder_id(mine, Role.TRASH))
    assert [flag(each) for each in copies] == [Flag.TODO, Flag.DONE]
    assert Todo.objects.get(entry_id=copies[0]).due_us == 5
    purge(mine, copies)
    purge(mine, [to_do, done])
    recover(mine, [to_do, done])
    assert [flag(to_do), flag(done)] == [Flag.TODO, Flag.DONE]
    appended = append(mine, folder_id(mine), letter("new"), flags=int(Flag.TODO | Flag.DONE | Flag.SEEN))
    assert Entry.objects.get(pk=appended).flags == Flag.DONE | Flag.SEEN
    assert check_store() == []
