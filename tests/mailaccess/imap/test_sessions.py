"""Two programs at one mailbox: what one does the other hears, by numbers that stay right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Account
from accounts.selectors import access_for
from core import dbthread
from core.access import Access
from mailaccess.imap.commands import idle
from mailaccess.imap.feed import feed
from mailaccess.imap.folder_index import index
from mailstore.models import Entry, Flag, Role
from mailstore.selectors.folder_state import whole_folder
from mailstore.selectors.folders import modseq_of
from mailstore.selectors.lists import Filter, list_page
from mailstore.services.entries import holding, move, purge, set_flags
from mailstore.services.todos import finish_todo, mark_todo
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk
from tests.mailstore.letters import folder_id, letter, stored, stored_many


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


def opened(server: Running, *, enable: bytes = b"", name: bytes = b"INBOX") -> Talk:
    """A session with a selected mailbox, to which nothing there is recent."""
    talk = server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    if enable:
        talk.say(b"ENABLE " + enable)
    talk.say(b"SELECT " + name)
    talk.say(b"SELECT " + name)
    return talk


def test_what_leaves_is_told_from_the_end_and_numbers_follow(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 6)
    talk = opened(imap_server)
    purge(mine, [found[1], found[4]])
    new = stored(mine, letter("new"))
    assert talk.say(b"NOOP")[:-1] == [b"* 5 EXPUNGE", b"* 2 EXPUNGE", b"* 5 EXISTS", b"* 1 RECENT"]
    set_flags(mine, [found[2], new], add=Flag.SEEN)
    assert talk.say(b"NOOP")[:-1] == [
        b"* 2 FETCH (UID 3 FLAGS (\\Seen))",
        b"* 5 FETCH (UID 7 FLAGS (\\Recent \\Seen))",
    ]
    talk.close()


def test_expunges_wait_while_a_client_counts_by_number(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 3)
    talk = opened(imap_server)
    purge(mine, found[:1])
    assert talk.say(b"FETCH 1:3 UID")[:-1] == [b"* 1 FETCH (UID 1)", b"* 2 FETCH (UID 2)", b"* 3 FETCH (UID 3)"]
    assert talk.say(b"UID FETCH 2:3 UID")[:-1][-1] == b"* 1 EXPUNGE"
    talk.close()


def test_what_others_expunged_is_missing_with_a_code_but_its_uid_is_known(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 3)
    talk = opened(imap_server)
    talk.say(b"FETCH 1:3 UID")
    purge(mine, [found[1]])
    assert talk.say(b"FETCH 2 UID") == [b"* 2 FETCH (UID 2)", b"a OK Fetched"]
    assert talk.say(b"FETCH 1:2 FLAGS") == [b"* 1 FETCH (FLAGS ())", b"a OK [EXPUNGEISSUED] Fetched"]
    assert talk.say(b"NOOP")[0] == b"* 2 EXPUNGE"
    assert talk.say(b"FETCH 1:2 FLAGS")[-1] == b"a OK Fetched"


@pytest.mark.parametrize(
    ("command", "own"),
    [
        (b"STORE 1 +FLAGS (\\Seen)", b"* 1 FETCH (UID 1 FLAGS (\\Seen))"),
        (b"FETCH 1 FLAGS", b"* 1 FETCH (FLAGS ())"),
        (b"UID FETCH 1 FLAGS", b"* 1 FETCH (UID 1 FLAGS ())"),
    ],
    ids=["store", "fetch", "uid-fetch"],
)
def test_a_command_and_the_news_after_it_are_one_visit_to_the_database(
    imap_server: Running, mine: Access, monkeypatch: pytest.MonkeyPatch, command: bytes, own: bytes
) -> None:
    found = stored_many(mine, 2)
    talk = opened(imap_server)
    talk.say(b"NOOP")
    visits: list[object] = []
    run = dbthread.run

    async def counted(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        visits.append(function)
        return await run(function, *args, **kwargs)

    monkeypatch.setattr(dbthread, "run", counted)
    set_flags(mine, [found[1]], add=Flag.FLAGGED)
    assert talk.say(command) == [own, b"* 2 FETCH (UID 2 FLAGS (\\Flagged))", b"a OK " + said_of(command)]
    assert len(visits) == 1
    talk.close()


@pytest.mark.parametrize("others", [0, 1], ids=["all", "one-of-two"])
def test_what_another_has_read_meanwhile_keeps_its_modseq(
    imap_server: Running, mine: Access, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Between the rows of a FETCH and the \\Seen that it sets."""
    found = stored_many(mine, 2)
    talk = opened(imap_server, enable=b"CONDSTORE")
    told: list[int] = []

    def late(access: Access) -> Any:
        told.append(set_flags(mine, found[others:], add=Flag.SEEN).modseq)
        return holding(access)

    monkeypatch.setattr("mailaccess.imap.fetching.holding", late)
    lines = talk.say(b"FETCH 1:2 (BODY[TEXT]<0.1>)")
    talk.close()
    rows = Entry.objects.filter(pk__in=found).order_by("uid").values_list("modseq", flat=True)
    assert [each.endswith(b"MODSEQ (%d))" % modseq) for each, modseq in zip(lines, rows, strict=False)] == [True, True]
    assert rows[1] == told[0]


def said_of(command: bytes) -> bytes:
    """What its OK says."""
    return b"Stored" if command.startswith(b"STORE") else b"Fetched"


def test_what_need_not_be_answered_is_not_missing(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 4)
    talk = opened(imap_server)
    assert talk.say(b"SEARCH RETURN (SAVE) 1:2")[-1] == b"a OK Searched"
    assert talk.say(b"FETCH 1:4 FLAGS (CHANGEDSINCE 1000000)")[-1] == b"a OK Fetched"
    purge(mine, [found[3]])
    assert talk.say(b"FETCH $ FLAGS")[-1] == b"a OK Fetched"
    purge(mine, [found[1]])
    assert talk.say(b"FETCH $ FLAGS")[-1] == b"a OK Fetched"
    assert talk.say(b"UID FETCH 1:9 FLAGS")[-1] == b"a OK Fetched"
    assert talk.say(b"FETCH 1 (BODY.PEEK[]<0.0>)")[-1].startswith(b"a BAD")


def test_a_level_that_is_subscribed_itself_is_told_once(imap_server: Running, mine: Access) -> None:
    talk = opened(imap_server)
    talk.say(b"CREATE Levels/one")
    talk.say(b"SUBSCRIBE Levels")
    (line, _) = talk.say(b'LSUB "" L%')
    assert line.endswith(b'"/" Levels') and b"Noselect" not in line


@pytest.mark.parametrize("command", [b"ENABLE CONDSTORE", b"ENABLE QRESYNC", b"STORE 1 (UNCHANGEDSINCE 1) +FLAGS ()"])
def test_what_enables_condstore_tells_the_modseq_once(imap_server: Running, mine: Access, command: bytes) -> None:
    stored(mine, letter("one"))
    talk = opened(imap_server)
    told = b"* OK [HIGHESTMODSEQ "
    assert talk.say(command)[0].startswith(told)
    assert not any(line.startswith(told) for line in talk.say(b"FETCH 1 MODSEQ"))


def test_the_first_unread_message_is_told_from_the_index_too(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 4)
    set_flags(mine, found[:2], add=Flag.SEEN)
    talk = opened(imap_server)
    talk.say(b"FETCH 1:* FLAGS")  # the index is in memory now
    assert b"* OK [UNSEEN 3] First unread" in talk.say(b"SELECT INBOX")
    set_flags(mine, found, add=Flag.SEEN)
    assert not any(b"UNSEEN" in line for line in talk.say(b"SELECT INBOX"))


def test_an_old_index_and_a_large_folder_tell_no_first_unread_message(
    imap_server: Running, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = stored_many(mine, 4)
    set_flags(mine, found[:1], add=Flag.SEEN)
    talk = opened(imap_server)
    talk.say(b"FETCH 1:* FLAGS")
    set_flags(mine, found[:2], add=Flag.SEEN)
    assert b"* OK [UNSEEN 3] First unread" in talk.say(b"SELECT INBOX")
    monkeypatch.setattr("mailaccess.imap.commands.select.WALKED_MAX", 3)
    index.forget()
    assert not any(b"UNSEEN" in line for line in talk.say(b"SELECT INBOX"))


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_is_nobody_elses(mine: Access) -> None:
    """A STORE that looks into the index before its commit would have others search in what may never be."""
    found = stored_many(mine, 2)
    inbox = folder_id(mine, Role.INBOX)
    assert list(index.current(inbox).flags) == [0, 0]
    with pytest.raises(RuntimeError), transaction.atomic():
        set_flags(mine, [found[0]], add=Flag.DELETED)
        purge(mine, [found[1]])
        inside = index.current(inbox)
        assert (list(inside.uids), list(inside.flags)) == ([1], [int(Flag.DELETED)])
        raise RuntimeError
    after = index.current(inbox)
    assert (list(after.uids), list(after.flags)) == ([1, 2], [0, 0])


@pytest.mark.django_db(transaction=True)
def test_flags_that_change_while_they_are_read_are_not_read_again(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a large folder with many at work would be read whole for every command."""
    found = stored_many(mine, 4)
    inbox = folder_id(mine, Role.INBOX)
    reads: list[int] = []

    def late(wanted: int) -> Any:
        rows = whole_folder(wanted)
        reads.append(wanted)
        set_flags(mine, [found[1]], add=Flag.FLAGGED)
        purge(mine, [found[0]])
        stored(mine, letter("new"))
        index.current(inbox)
        return rows

    monkeypatch.setattr("mailaccess.imap.folder_index.whole_folder", late)
    first = index.current(inbox)
    assert list(first.flags) == [0, 0, 0, 0]
    second = index.current(inbox)
    assert second.known_states is None
    assert (list(second.uids), list(second.flags)) == ([2, 3, 4, 5], [int(Flag.FLAGGED), 0, 0, 0])
    purge(mine, [found[3]])
    set_flags(mine, [found[2]], add=Flag.SEEN)
    assert (list(second.uids), list(second.keywords)) == ([2, 3, 4, 5], [0, 0, 0, 0])
    third = index.current(inbox)
    assert list(third.flags) == [int(Flag.FLAGGED), int(Flag.SEEN), 0]
    assert reads == [inbox]


def test_the_second_revision_has_no_first_unread_message(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("one"))
    talk = opened(imap_server, enable=b"IMAP4rev2")
    assert not any(b"UNSEEN" in line for line in talk.say(b"SELECT INBOX"))


def test_a_change_of_ones_own_is_told_once(imap_server: Running, mine: Access) -> None:
    stored_many(mine, 2)
    talk, other = opened(imap_server), opened(imap_server)
    assert talk.say(b"STORE 2 +FLAGS (\\Flagged)")[:-1] == [b"* 2 FETCH (UID 2 FLAGS (\\Flagged))"]
    assert talk.say(b"STORE 1 +FLAGS.SILENT (\\Flagged)")[:-1] == []
    assert talk.say(b"NOOP")[:-1] == []
    assert len(other.say(b"NOOP")[:-1]) == 2
    talk.close()
    other.close()


def test_a_keyword_of_another_session_has_its_name(imap_server: Running, mine: Access) -> None:
    stored_many(mine, 1)
    talk, other = opened(imap_server), opened(imap_server)
    talk.say(b"STORE 1 +FLAGS (Project)")
    assert other.say(b"NOOP")[:-1][-1] == b"* 1 FETCH (UID 1 FLAGS (Project))"
    talk.close()
    other.close()


def test_unchangedsince_leaves_alone_what_is_newer(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 3)
    talk = opened(imap_server, enable=b"CONDSTORE")
    before = modseq_of([mine.mailbox])[mine.mailbox]
    set_flags(mine, found[1:2], add=Flag.ANSWERED)
    answer = talk.say(b"STORE 1:3 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\\Seen)" % before)
    assert answer[-1].startswith(b"a OK [MODIFIED 2]")
    talk.close()


def test_a_client_that_was_away_learns_all_of_it(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 6)
    talk = opened(imap_server, enable=b"QRESYNC")
    lines = talk.say(b"STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)")[0].split()
    validity, modseq = lines[4], lines[6].rstrip(b")")
    talk.say(b"UNSELECT")
    move(mine, found[1:3], folder_id=folder_id(mine, Role.TRASH))
    set_flags(mine, found[4:5], add=Flag.SEEN)
    answer = talk.say(b"SELECT INBOX (QRESYNC (%b %b))" % (validity, modseq))
    assert b"* VANISHED (EARLIER) 2:3" in answer
    assert any(line.startswith(b"* 3 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (") for line in answer)
    purge(mine, found[:1])
    assert talk.say(b"NOOP")[0] == b"* VANISHED 1"
    talk.close()


def test_an_idle_session_is_woken(imap_server: Running, mine: Access) -> None:
    talk = opened(imap_server)
    talk.send(b"i IDLE\r\n")
    assert talk.line() == b"+ idling"
    stored(mine, letter("x"))
    modseq = modseq_of([mine.mailbox])[mine.mailbox]
    imap_server.loop.call_soon_threadsafe(feed.hint, mine.mailbox, modseq)
    assert talk.line() == b"* 1 EXISTS"
    talk.send(b"DONE\r\n")
    assert talk.answer(b"i")[-1].startswith(b"i OK")
    talk.close()
    assert idle.IDLE_MAX_S < 30 * 60


def test_the_same_of_a_stranger_and_a_locked_folder(imap_server: Running, mine: Access, bob: Account) -> None:
    talk = opened(imap_server)
    for name in (b"Other Users/bob@example.test/INBOX", b"Nowhere", b"../x"):
        assert talk.say(b"SELECT %b" % (b'"' + name + b'"'))[-1].startswith(b"a NO [NONEXISTENT]")
    talk.close()


def test_several_messages_are_appended_or_none(imap_server: Running, mine: Access) -> None:
    talk = opened(imap_server)
    talk.send(b"a APPEND INBOX {9+}\r\nA: b\r\n\r\nx (\\Seen) {9+}\r\nA: c\r\n\r\ny\r\n")
    assert b"[APPENDUID" in talk.answer()[-1]
    talk.send(b"a APPEND INBOX {9+}\r\nA: b\r\n\r\nx {0+}\r\n\r\n")
    assert talk.answer()[-1].startswith(b"a NO")
    assert b"* STATUS INBOX (MESSAGES 2)" in talk.say(b"STATUS INBOX (MESSAGES)")
    talk.close()


def test_what_somebody_moved_away_meanwhile_is_left_alone(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 3)
    talk = opened(imap_server)
    talk.say(b"STORE 1:3 +FLAGS.SILENT (\\Deleted)")
    move(mine, found[1:2], folder_id=folder_id(mine, Role.SENT))
    talk.say(b"UID STORE 2 +FLAGS.SILENT (\\Flagged)")
    assert talk.say(b"UID MOVE 2 Trash")[-1] == b"a OK Moved"
    talk.say(b"EXPUNGE")
    talk.say(b"SELECT Sent")
    assert talk.say(b"FETCH 1:* FLAGS")[0] == b"* 1 FETCH (FLAGS (\\Recent \\Deleted))"
    talk.close()


def test_who_asked_for_silence_still_hears_of_the_others(imap_server: Running, mine: Access) -> None:
    found = stored_many(mine, 2)
    talk = opened(imap_server)
    set_flags(mine, found[:1], add=Flag.ANSWERED)
    assert talk.say(b"STORE 1:2 +FLAGS.SILENT (\\Seen)")[:-1] == [b"* 1 FETCH (UID 1 FLAGS (\\Seen \\Answered))"]
    talk.close()


def test_a_selected_folder_that_goes_is_told(imap_server: Running, mine: Access) -> None:
    talk, other = opened(imap_server), opened(imap_server)
    talk.say(b"CREATE Gone")
    other.say(b"SELECT Gone")
    talk.say(b"SELECT Gone")
    assert talk.say(b"DELETE Gone")[-2:] == [b"* OK [CLOSED] It was the selected one", b"a OK Deleted"]
    assert talk.say(b"NOOP")[-1].startswith(b"a OK")
    assert other.say(b"NOOP")[0] == b"* BYE The selected mailbox is gone"
    talk.close()
    other.close()


def test_a_to_do_mark_goes_both_ways_and_is_heard_at_once(imap_server: Running, mine: Access) -> None:
    one, two = stored_many(mine, 2)
    talk = opened(imap_server, enable=b"CONDSTORE")
    talk.send(b"i IDLE\r\n")
    assert talk.line().startswith(b"+ ")
    marked = mark_todo(mine, [one])
    imap_server.hint(mine.mailbox)
    assert talk.line() == b"* 1 FETCH (UID 1 FLAGS ($Todo) MODSEQ (%d))" % marked.modseq
    finished = finish_todo(mine, [one])
    imap_server.hint(mine.mailbox)
    assert talk.line() == b"* 1 FETCH (UID 1 FLAGS ($Done) MODSEQ (%d))" % finished.modseq
    talk.send(b"DONE\r\n")
    talk.answer(b"i")
    talk.say(b"STORE 2 +FLAGS.SILENT ($Todo)")
    assert [row.entry_id for row in list_page(mine, folder_id(mine), filter=Filter(todo=True)).rows] == [two]
    before = modseq_of([mine.mailbox])
    assert talk.say(b"STORE 2 +FLAGS.SILENT ($Todo)")[-1] == b"a OK Stored"
    assert modseq_of([mine.mailbox]) == before
    talk.close()


def test_a_mailbox_may_have_all_its_62_keywords(imap_server: Running, mine: Access) -> None:
    stored(mine, letter())
    talk = opened(imap_server)
    names = [b"key%d" % number for number in range(62)]
    told = talk.say(b"STORE 1 +FLAGS (" + b" ".join(names) + b")")
    assert told[-2] == b"* 1 FETCH (UID 1 FLAGS (" + b" ".join(names) + b"))"
    assert talk.say(b"STORE 1 +FLAGS (onemore)")[-1].startswith(b"a NO [LIMIT]")
    assert talk.say(b"SEARCH KEYWORD key61")[0] == b"* SEARCH 1"
    assert talk.say(b"SEARCH KEYWORD key7 UNKEYWORD key61")[0] == b"* SEARCH"
    talk.say(b"UID FETCH 1:400 FLAGS")
    talk.close()
