"""Delivering: what one transaction writes."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import changes
from core.access import Access, system_access
from core.errors import ErrorKind, MailError
from mailstore import sql, writer
from mailstore.check_store import check_store
from mailstore.models import (
    Blob,
    Correspondent,
    Entry,
    Flag,
    FolderThread,
    Message,
    Role,
    SearchTodo,
    ThreadOf,
    ThreadReference,
)
from mailstore.selectors import entries, folders, lists
from mailstore.services.correspondents import AGAIN_US
from mailstore.services.deliver import Incoming, Placement, deliver, prepare, store
from mailstore.services.folders import create_folder, delete_folder
from mailstore.services.purge import purge
from mailstore.services.recovery import expire_recoverable
from tests.mailstore.letters import folder_id, letter, stored


def test_one_mail_for_two_is_one_blob_and_two_messages(mine: Access, his: Access) -> None:
    item = Incoming(prepare(letter(), trace=b"Received: here\r\n"), [Placement(mine.mailbox), Placement(his.mailbox)])
    with transaction.atomic():
        found = store([item])[0].entry_ids
    assert (Blob.objects.count(), Message.objects.count(), Entry.objects.count()) == (1, 2, 2)
    assert entries.raw(mine, found[mine.mailbox]) == b"Received: here\r\n" + letter()
    assert entries.original(his, found[his.mailbox]) == letter()


def test_counters_follow(mine: Access) -> None:
    stored(mine, letter("a"))
    stored(mine, letter("b"), flags=int(Flag.SEEN | Flag.FLAGGED))
    inbox = folders.folder_by_role(mine, Role.INBOX)
    assert (inbox.total, inbox.unread, inbox.starred, inbox.uidnext) == (2, 1, 1, 3)
    assert folders.mailbox_usage(mine).used_bytes == inbox.bytes == len(letter("a")) + len(letter("b"))
    assert folders.modseq_of([mine.mailbox])[mine.mailbox] == inbox.highestmodseq


def test_a_mail_lies_once_in_each_of_its_folders(mine: Access) -> None:
    inbox = folder_id(mine)
    placements = [
        Placement(mine.mailbox),
        Placement(mine.mailbox, folder_id=inbox),
        Placement(mine.mailbox, role=Role.JUNK),
    ]
    with transaction.atomic():
        store([Incoming(prepare(letter()), placements)])
    assert (Message.objects.count(), Entry.objects.count()) == (1, 2)


def test_a_folder_that_is_gone_means_the_inbox(mine: Access, his: Access) -> None:
    gone = create_folder(mine, "Gone")
    delete_folder(mine, gone)
    for wrong in (gone, folder_id(his)):
        with transaction.atomic():
            found = store([Incoming(prepare(letter(str(wrong))), [Placement(mine.mailbox, folder_id=wrong)])])
        assert entries.get(mine, found[0].entry_ids[mine.mailbox]).folder_role == Role.INBOX


def test_the_search_index_learns_of_mail_but_not_of_sent_people_twice(mine: Access) -> None:
    stored(mine, letter("a", sender="Alice <alice@example.test>", to="王小明 <Wang@partner.test>"), role=Role.SENT)
    stored(mine, letter("b"))
    assert SearchTodo.objects.count() == 2
    wang = Correspondent.objects.get()
    assert (wang.address, wang.sent_count, wang.received_count) == ("wang@partner.test", 1, 1)


def test_a_mailing_list_is_nobody_to_remember(mine: Access) -> None:
    stored(mine, letter(extra="List-Id: <news.partner.test>"))
    assert not Correspondent.objects.exists()


def threads_of() -> list[int]:
    """The thread of each message, in order of arrival."""
    joined = dict(ThreadOf.objects.values_list("message_id", "thread_id"))
    ids = Message.objects.order_by("id").values_list("id", flat=True)
    return [joined.get(message_id, message_id) for message_id in ids]


def test_answers_join_the_thread_of_their_parent(mine: Access) -> None:
    for name, references in (("a", []), ("b", ["a"]), ("c", ["a", "b"]), ("z", [])):
        stored(mine, letter(name, references=references, sender=f"{name} <{name}@x.test>"))
    found = threads_of()
    assert len(set(found[:3])) == 1
    assert found[3] not in found[:3]
    row = FolderThread.objects.get(thread_id=found[0])
    assert (row.total, row.unread, row.participants.split("\n")) == (3, 3, ["a", "b", "c"])


def test_a_late_parent_joins_its_children(mine: Access) -> None:
    for name, references in (("b", ["a"]), ("c", ["a"]), ("d", ["x"]), ("e", ["d"])):
        stored(mine, letter(name, references=references))
    assert len(set(threads_of())) == 2
    stored(mine, letter("x", references=["a"]))
    assert len(set(threads_of())) == 1
    assert FolderThread.objects.get().total == 5


def test_a_late_parent_in_the_same_group_joins_its_children_too(mine: Access) -> None:
    names = [("b", ["a"]), ("d", ["x"]), ("x", ["a"]), ("n", [])]
    items = [Incoming(prepare(letter(name, references=refs)), [Placement(mine.mailbox)]) for name, refs in names]
    with transaction.atomic():
        store(items)
    found = threads_of()
    assert len(set(found[:3])) == 1
    assert len(set(found)) == 2


def test_threads_of_two_mailboxes_never_meet(mine: Access, his: Access) -> None:
    stored(mine, letter("a"))
    stored(his, letter("b", references=["a"]))
    assert len(set(threads_of())) == 2


def test_a_mail_that_answers_nothing_has_no_rows_of_threads(mine: Access) -> None:
    stored(mine, letter("a"))
    stored(mine, letter("b"))
    assert not any(table.objects.exists() for table in (ThreadOf, ThreadReference, FolderThread))


def test_the_row_of_a_conversation_comes_with_its_second_mail_in_a_folder(mine: Access) -> None:
    stored(mine, letter("a", sender="a <a@x.test>"), flags=int(Flag.SEEN))
    stored(mine, letter("b", references=["a"]), role=Role.SENT)
    assert not FolderThread.objects.exists()
    stored(mine, letter("c", references=["b"], sender="c <c@x.test>"))
    row = FolderThread.objects.get()
    assert (row.total, row.unread, row.participants.split("\n")) == (2, 1, ["a", "c"])
    assert check_store() == []


def test_single_mails_that_a_late_parent_brings_together_are_one_row(mine: Access) -> None:
    for name, references in (("b", ["a"]), ("c", ["x"])):
        stored(mine, letter(name, references=references))
    stored(mine, letter("x", references=["a"]), role=Role.JUNK)
    assert len(set(threads_of())) == 1
    assert FolderThread.objects.get().total == 2
    assert check_store() == []


def test_a_stored_thread_takes_in_what_a_group_brings_together(mine: Access) -> None:
    stored(mine, letter("s"))
    names = [("x", []), ("y", ["x"]), ("z", ["x", "s"])]
    items = [Incoming(prepare(letter(name, references=refs)), [Placement(mine.mailbox)]) for name, refs in names]
    with transaction.atomic():
        store(items)
    assert len(set(threads_of())) == 1
    assert FolderThread.objects.get().total == 4
    assert check_store() == []


def test_a_mail_that_is_gone_for_good_still_ties_its_answers(mine: Access) -> None:
    first = stored(mine, letter("a"))
    stored(mine, letter("b", references=["a"]))
    purge(mine, [first])
    assert expire_recoverable(mine.mailbox, 1 << 62) == 1
    stored(mine, letter("c", references=["a"]))
    assert len(set(threads_of())) == 1
    assert FolderThread.objects.get().total == 2


def test_a_mailbox_that_does_not_exist_is_not_found(mine: Access) -> None:
    item = Incoming(prepare(letter()), [Placement(mine.mailbox), Placement(99_999)])
    with pytest.raises(MailError) as error, transaction.atomic():
        store([item])
    assert error.value.kind is ErrorKind.NOT_FOUND


STATEMENTS = 14
"""Of one group: lock and read counters, six tables, conversations, correspondents, two kinds of counters."""


@pytest.mark.parametrize(("size", "parts"), [(1, 1), (4, 1), (64, 1), (40, 4)])
def test_a_group_takes_the_same_statements_whatever_its_size(mine: Access, his: Access, size: int, parts: int) -> None:  # type: ignore[no-untyped-def]
    items = [Incoming(prepare(letter(str(n))), [Placement((mine, his)[n % 2].mailbox)]) for n in range(size)]
    stored(mine, letter("before"))
    counted = 0

    def count(execute, query, parameters, many, context):  # type: ignore[no-untyped-def]
        nonlocal counted
        counted += 1
        return execute(query, parameters, many, context)

    with transaction.atomic(), connection.execute_wrapper(count):
        store(items)
    assert counted <= STATEMENTS * parts


class RefusedError(Exception):
    """What an `also` may raise."""


def refuse() -> None:
    """An `also` that fails."""
    raise RefusedError


def test_an_item_that_fails_leaves_its_group_alone(transactional_db: None, mine: Access) -> None:
    good = [deliver(Incoming(prepare(letter(f"g{n}")), [Placement(mine.mailbox)])) for n in range(5)]
    refused = deliver(Incoming(prepare(letter("r")), [Placement(mine.mailbox)], refuse))
    nowhere = deliver(Incoming(prepare(letter("n")), [Placement(77_777)]))
    good += [deliver(Incoming(prepare(letter(f"h{n}")), [Placement(mine.mailbox)])) for n in range(5)]
    assert all(future.result(20).entry_ids for future in good)
    with pytest.raises(RefusedError):
        refused.result(20)
    with pytest.raises(MailError):
        nowhere.result(20)
    assert folders.folder_by_role(mine, Role.INBOX).total == 10


def test_what_also_writes_stands_and_falls_with_the_mail(transactional_db: None, mine: Access) -> None:
    def note_and_refuse() -> None:
        sql.run("UPDATE mailstore_mailbox SET used_bytes = 5 WHERE id = %s", [mine.mailbox])
        raise RefusedError

    with pytest.raises(RefusedError):
        deliver(Incoming(prepare(letter()), [Placement(mine.mailbox)], note_and_refuse)).result(20)
    assert folders.mailbox_usage(mine).used_bytes == 0


def test_hints_are_published_before_the_answer(
    transactional_db: None, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr(changes, "publish", lambda hints: heard.extend(hints))
    deliver(Incoming(prepare(letter()), [Placement(mine.mailbox)])).result(20)
    assert heard == [(mine.mailbox, folders.modseq_of([mine.mailbox])[mine.mailbox])]


def test_the_writer_starts_anew_after_a_drain(transactional_db: None, mine: Access) -> None:
    for name in "abc":
        future = deliver(Incoming(prepare(letter(name)), [Placement(mine.mailbox)]))
        writer.drain()
        assert future.done()
    assert lists.list_page(mine, folder_id(mine)).total == 3


def test_a_database_that_can_not_be_reached_is_unavailable(
    transactional_db: None, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(items: object) -> None:
        raise writer.OperationalError("no such host")

    monkeypatch.setattr(writer, "store_group", broken)
    with pytest.raises(MailError) as error:
        deliver(Incoming(prepare(letter()), [Placement(mine.mailbox)])).result(20)
    assert error.value.kind is ErrorKind.UNAVAILABLE
    monkeypatch.undo()
    assert deliver(Incoming(prepare(letter()), [Placement(mine.mailbox)])).result(20).entry_ids


def test_any_bytes_are_stored(mine: Access) -> None:
    for raw in (b"", b"\0\0\xff\xfe", b"Subject: \xd0\0\r\n\r\n", b"From: =?utf-8?b?gICA?= <a\0@b>\r\n\r\nx"):
        assert entries.raw(mine, stored(mine, raw)) == raw


def test_the_system_may_deliver_for_anybody() -> None:
    assert system_access(5).actor == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
def test_nothing_is_walked_through_to_store_a_mail(mine: Access) -> None:
    stored(mine, letter("a"))
    with CaptureQueriesContext(connection) as made:
        stored(mine, letter("b", references=["a", "unknown"]))
        stored(mine, letter("c", references=["unknown", "b"]), role=Role.SENT)
    texts = [
        each["sql"]
        for each in made.captured_queries
        if each["sql"].startswith(("SELECT", "UPDATE", "INSERT", "DELETE"))
    ]
    assert len(texts) > 10
    for text in texts:
        plan = [row[3] for row in sql.rows("EXPLAIN QUERY PLAN " + text.replace("%", "%%"))]
        walked = [line for line in plan if line.startswith("SCAN ") and line.split()[1] not in SMALL]
        assert walked == [], (text, plan)


SMALL = {"w", "s", "u", "n", "new", "json_each", "CONSTANT", *map(str, range(2, 20))}
"""Tables made of a statement's own parameters."""


def test_a_burst_from_one_address_is_noted_once_an_hour(mine: Access) -> None:
    stored(mine, letter("a"), at_us=1_000_000)
    stored(mine, letter("b"), at_us=2_000_000)
    stored(mine, letter("c"), at_us=1_000_000 + AGAIN_US)
    wang = Correspondent.objects.get()
    assert (wang.received_count, wang.last_us) == (2, 1_000_000 + AGAIN_US)
