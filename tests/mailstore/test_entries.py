"""Acting on entries: flags, moves, copies, deleting, recovery; and strangers, who find nothing anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from core.access import OWNER, READER, Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.models import Entry, Expunged, Flag, Folder, Message, Recoverable, Role, ThreadReference
from mailstore.selectors import correspondents, drafts, entries, folders, lists
from mailstore.selectors.folder_state import changes_after
from mailstore.services import (
    correspondents as people,
    drafts as drafting,
    entries as acting,
    folders as foldering,
    selection,
)
from mailstore.services.append import append
from mailstore.services.entries import Selection
from tests.mailstore.letters import folder_id, letter, stored, stored_many


def kind_of(call: Callable[[], object]) -> ErrorKind | None:
    """The refusal of a call, or None."""
    try:
        call()
    except MailError as error:
        return error.kind
    return None


def quota(account: Account, size: int) -> None:
    """Give an account so much room."""
    Account.objects.filter(pk=account.pk).update(quota_bytes=size)


def test_flags_change_counters_and_modseq_only_where_they_change(mine: Access) -> None:
    one, two = stored_many(mine, 2)
    first = acting.set_flags(mine, [one], add=Flag.SEEN | Flag.FLAGGED)
    again = acting.set_flags(mine, [one, two], add=Flag.SEEN)
    assert (first.entry_ids, again.entry_ids) == ([one], [two])
    assert again.modseq == first.modseq + 1
    assert acting.set_flags(mine, [one], add=Flag.SEEN).modseq == 0
    inbox = folders.folder_by_role(mine, Role.INBOX)
    assert (inbox.unread, inbox.starred, inbox.highestmodseq) == (0, 1, again.modseq)
    changed = changes_after(inbox.id, first.modseq, 10)
    assert changed is not None
    assert [row[0] for row in changed.rows] == [entries.get(mine, two).uid]


def test_flags_by_uid_tell_what_was_there_and_touch_one_folder(mine: Access, his: Access) -> None:
    found = stored_many(mine, 4)
    acting.set_flags(mine, found[1:3], add=Flag.SEEN)
    stored_many(mine, 4, role=Role.JUNK)
    inbox = folder_id(mine)
    before, modseq = acting.set_flags_by_uid(mine, inbox, [4, 1, 2, 99], add=Flag.SEEN, remove=Flag(0))
    assert before == [(0, 0, [1, 4]), (Flag.SEEN, 0, [2])]
    assert (folders.folder(mine, inbox).unread, folders.folder_by_role(mine, Role.JUNK).unread) == (0, 4)
    assert folders.folder(mine, inbox).highestmodseq == modseq
    assert acting.set_flags_by_uid(mine, inbox, [1], add=Flag.SEEN, remove=Flag(0)) == ([(Flag.SEEN, 0, [1])], 0)
    assert acting.set_flags_by_uid(mine, inbox, [], add=Flag.SEEN, remove=Flag(0)) == ([], 0)
    assert (
        kind_of(lambda: acting.set_flags_by_uid(his, inbox, [1], add=Flag(0), remove=Flag.SEEN)) is ErrorKind.NOT_FOUND
    )
    looking = Access(his.actor, mine.mailbox, READER)
    refused = kind_of(lambda: acting.set_flags_by_uid(looking, inbox, [1], add=Flag(0), remove=Flag.SEEN))
    assert refused is ErrorKind.NO_PERMISSION
    Folder.objects.filter(pk=inbox).update(is_read_only=True)
    refused = kind_of(lambda: acting.set_flags_by_uid(mine, inbox, [1], add=Flag(0), remove=Flag.SEEN))
    assert refused is ErrorKind.NO_PERMISSION


def test_a_move_keeps_the_id_and_can_be_undone(mine: Access) -> None:
    found = stored_many(mine, 3)
    junk = folder_id(mine, Role.JUNK)
    moved = acting.move(mine, found[:2], folder_id=junk)
    assert [entries.get(mine, entry).folder_role for entry in found] == ["junk", "junk", "inbox"]
    inbox = folder_id(mine)
    changed = changes_after(inbox, 1, 10)
    assert changed is not None
    assert (changed.gone, [row[0] for row in changed.rows]) == ([(1, 2)], [3])
    assert acting.move_back(mine, moved.undo) == 2
    assert folders.folder(mine, inbox).total == 3
    assert entries.get(mine, found[0]).uid == 4


def test_an_undo_after_the_folder_has_gone_leads_to_the_inbox(mine: Access) -> None:
    (entry,) = stored_many(mine, 1)
    work = foldering.create_folder(mine, "Work")
    acting.move(mine, [entry], folder_id=work)
    moved = acting.delete(mine, [entry])
    foldering.delete_folder(mine, work)
    acting.move_back(mine, moved.undo)
    assert entries.get(mine, entry).folder_role == Role.INBOX


def test_deleting_twice_purges_and_recovery_brings_back(mine: Access) -> None:
    found = stored_many(mine, 2)
    assert len(acting.delete(mine, found).undo) == 2
    assert acting.delete(mine, found[:1]).purged == 1
    assert kind_of(lambda: entries.get(mine, found[0])) is ErrorKind.NOT_FOUND
    usage = folders.mailbox_usage(mine)
    assert (usage.used_bytes, usage.recoverable_bytes) == (Entry.objects.get().size, Recoverable.objects.get().size)
    assert len(acting.recover(mine, found[:1]).undo) == 1
    back = entries.get(mine, found[0])
    assert (back.folder_role, back.uid, back.thread_count) == ("inbox", 3, 1)
    assert kind_of(lambda: acting.recover(mine, found[:1])) is ErrorKind.NOT_FOUND


def test_a_purged_copy_whose_twin_lives_is_not_recoverable(mine: Access) -> None:
    (entry,) = stored_many(mine, 1)
    (twin,) = acting.copy(mine, [entry], folder_id=folder_id(mine, Role.SENT))
    acting.purge(mine, [entry])
    assert not Recoverable.objects.exists()
    acting.purge(mine, [twin])
    assert Recoverable.objects.get().pk == twin


def test_recovery_ends_and_then_nothing_is_left(mine: Access) -> None:
    found = [stored(mine, letter("a")), stored(mine, letter("b", references=["a"]))]
    acting.purge(mine, found)
    assert acting.expire_recoverable(mine.mailbox, 1) == 0
    assert acting.expire_recoverable(mine.mailbox, 1 << 60) == 2
    assert not Message.objects.exists()
    assert not ThreadReference.objects.exists()
    assert folders.mailbox_usage(mine).recoverable_bytes == 0


def test_recovery_has_as_much_room_as_the_quota_and_the_oldest_goes(mine: Access, alice: Account) -> None:
    found = stored_many(mine, 4)
    size = Entry.objects.first().size  # type: ignore[union-attr]
    quota(alice, 2 * size + 10)
    for entry in found:
        acting.purge(mine, [entry])
    assert sorted(Recoverable.objects.values_list("id", flat=True)) == found[2:]


def test_quota_refuses_what_people_put_in(mine: Access, alice: Account) -> None:
    entry = stored(mine, letter("a"))
    draft = drafting.create_draft(mine, identity="alice@example.test")
    quota(alice, len(letter("a")) + 5)
    for call in (
        lambda: append(mine, folder_id(mine), letter("b")),
        lambda: acting.copy(mine, [entry], folder_id=folder_id(mine, Role.SENT)),
        lambda: drafting.attach(mine, draft.id, "a", "text/plain", b"123456"),
        lambda: drafting.snapshot_draft(mine, draft.id, letter("c")),
    ):
        with pytest.raises(MailError) as error:
            call()
        assert error.value.kind is ErrorKind.OVER_QUOTA
        assert error.value.data == {"used": len(letter("a")), "quota": len(letter("a")) + 5}
    assert folders.folder_by_role(mine, Role.DRAFTS).total == 0


def test_a_whole_folder_in_slices(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "SLICE", 7)
    monkeypatch.setattr(selection.sql, "SLICE", 7)
    found = stored_many(mine, 30)
    inbox, junk = folder_id(mine), folder_id(mine, Role.JUNK)
    assert len(acting.set_flags(mine, found[:10], add=Flag.SEEN).entry_ids) == 10
    unread = Selection(folder_id=inbox, filter=lists.Filter(unread=True))
    assert len(acting.move(mine, unread, folder_id=junk).undo) == 20
    assert [row.entry_id for row in lists.list_page(mine, inbox).rows] == found[9::-1]
    uids = list(Entry.objects.filter(folder_id=junk).order_by("sort_us").values_list("uid", flat=True))
    assert uids == list(range(1, 21))
    matching = Selection(folder_id=junk, filter=lists.Filter(text="letter 2"))
    assert acting.delete(mine, matching).undo == [(found[12], junk), *((entry, junk) for entry in found[20:])]
    assert foldering.empty_folder(mine, junk) == 9
    assert acting.purge(mine, Selection(folder_id=junk)) == 0


def test_selecting_a_folder_takes_only_what_was_there(mine: Access) -> None:
    found = stored_many(mine, 2)
    slices = selection.slices_of(mine, Selection(folder_id=folder_id(mine)))
    assert next(slices) == found
    stored_many(mine, 1, first=10)
    assert list(slices) == []


def test_entries_that_have_gone_meanwhile_are_skipped(mine: Access) -> None:
    found = stored_many(mine, 2)
    acting.purge(mine, found[:1])
    assert acting.set_flags(mine, found, add=Flag.SEEN).entry_ids == found[1:]
    assert kind_of(lambda: acting.set_flags(mine, found[:1], add=Flag.SEEN)) is ErrorKind.NOT_FOUND


def test_neighbours_and_the_conversation(mine: Access) -> None:
    a, b, c = (stored(mine, letter(name, references=["a"]), at_us=at) for name, at in (("a", 1), ("b", 2), ("c", 3)))
    acting.move(mine, [c], folder_id=folder_id(mine, Role.SENT))
    newer, older = entries.neighbours(mine, a)
    assert (newer and newer.entry_id, older) == (b, None)
    assert [row.entry_id for row in entries.thread(mine, a)] == [a, b, c]
    acting.delete(mine, [b])
    assert [row.entry_id for row in entries.thread(mine, a)] == [a, c]
    assert [row.entry_id for row in entries.thread(mine, b)] == [a, b, c]


def test_a_read_only_folder_keeps_its_entries(mine: Access) -> None:
    entry = stored(mine, letter())
    Folder.objects.filter(role=Role.INBOX).update(is_read_only=True)
    assert kind_of(lambda: acting.delete(mine, [entry])) is ErrorKind.NO_PERMISSION
    assert kind_of(lambda: acting.set_flags(mine, [entry], add=Flag.SEEN)) is ErrorKind.NO_PERMISSION
    assert len(acting.copy(mine, [entry], folder_id=folder_id(mine, Role.SENT))) == 1


def test_an_append_says_what_it_refuses(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = append(mine, folder_id(mine, Role.JUNK), letter(), flags=int(Flag.SEEN), internal_us=12)
    row = entries.get(mine, entry)
    assert (row.flags, row.internal_us, row.folder_role) == (Flag.SEEN, 12, "junk")
    monkeypatch.setattr("django.conf.settings.MESSAGE_MAX_BYTES", 10)
    assert kind_of(lambda: append(mine, folder_id(mine), letter())) is ErrorKind.TOO_LARGE


def test_expunged_ranges_are_runs(mine: Access) -> None:
    found = stored_many(mine, 6)
    acting.purge(mine, [found[0], found[1], found[3], found[5]])
    assert list(Expunged.objects.order_by("first_uid").values_list("first_uid", "last_uid")) == [(1, 2), (4, 4), (6, 6)]


def test_completion_finds_names_pinyin_and_addresses(mine: Access) -> None:
    stored(mine, letter("a"))
    stored(mine, letter("b", sender="Bob Marsh <marsh@partner.test>"))
    for prefix, address in {
        "王": "wang",
        "WANG X": "wang",
        "wxm": "wang",
        "mar": "marsh",
        "bob": "marsh",
        "marsh@": "marsh",
    }.items():
        assert [row.address for row in correspondents.complete(mine, prefix, 5)] == [f"{address}@partner.test"], prefix
    assert correspondents.complete(mine, "%", 5) == []
    assert correspondents.complete(mine, " ", 5) == []


Calls = dict[str, tuple[Right, Callable[[Access], Any]]]


def everything(owner: Access) -> Calls:
    """Every service and selector, on things of `owner`, with the right that it needs."""
    entry, draft = stored(owner, letter()), drafting.create_draft(owner, identity="a@example.test")
    file = drafting.attach(owner, draft.id, "a", "text/plain", b"x")
    snapshot = drafting.snapshot_draft(owner, draft.id, letter("s"))
    purged = stored(owner, letter("p"))
    acting.purge(owner, [purged])
    work, inbox = foldering.create_folder(owner, "Work"), folder_id(owner)
    content = drafting.DraftContent(identity="a@example.test")
    return {
        "list": (Right.READ, lambda a: lists.list_page(a, inbox)),
        "search": (Right.READ, lambda a: lists.list_page(a, inbox, filter=lists.Filter(text="x"))),
        "position": (Right.READ, lambda a: lists.position(a, inbox, 2, 1)),
        "get": (Right.READ, lambda a: entries.get(a, entry)),
        "raw": (Right.READ, lambda a: entries.raw(a, entry)),
        "original": (Right.READ, lambda a: entries.original(a, entry)),
        "neighbours": (Right.READ, lambda a: entries.neighbours(a, entry)),
        "thread": (Right.READ, lambda a: entries.thread(a, entry)),
        "folder": (Right.READ, lambda a: folders.folder(a, inbox)),
        "get_draft": (Right.READ, lambda a: drafts.get_draft(a, draft.id)),
        "attachment": (Right.READ, lambda a: drafts.attachment_bytes(a, file.id)),
        "flags": (Right.FLAG, lambda a: acting.set_flags(a, [entry], add=Flag.SEEN)),
        "flags of all": (Right.FLAG, lambda a: acting.set_flags(a, Selection(folder_id=inbox), add=Flag.SEEN)),
        "copy": (Right.INSERT, lambda a: acting.copy(a, [entry], folder_id=work)),
        "move": (Right.MOVE, lambda a: acting.move(a, [entry], folder_id=work)),
        "undo": (Right.MOVE, lambda a: acting.move_back(a, [(entry, inbox)])),
        "delete": (Right.DELETE, lambda a: acting.delete(a, [entry])),
        "recover": (Right.INSERT, lambda a: acting.recover(a, [purged])),
        "append": (Right.INSERT, lambda a: append(a, work, letter("w"))),
        "purge": (Right.DELETE, lambda a: acting.purge(a, [entry])),
        "empty": (Right.DELETE, lambda a: foldering.empty_folder(a, work)),
        "create below": (Right.FOLDERS, lambda a: foldering.create_folder(a, "Below", parent_id=work)),
        "rename": (Right.FOLDERS, lambda a: foldering.rename_folder(a, work, "Play")),
        "move folder": (Right.FOLDERS, lambda a: foldering.move_folder(a, work, parent_id=0)),
        "save": (Right.INSERT, lambda a: drafting.save_draft(a, draft.id, 0, content)),
        "attach": (Right.INSERT, lambda a: drafting.attach(a, draft.id, "b", "text/plain", b"y")),
        "snapshot": (Right.INSERT, lambda a: drafting.snapshot_draft(a, draft.id, letter("t"))),
        "draft of": (
            Right.INSERT,
            lambda a: drafting.draft_of_entry(a, drafts.get_draft(owner, draft.id).snapshot_entry_id or snapshot),
        ),
        "detach": (Right.INSERT, lambda a: drafting.detach(a, file.id)),
        "discard": (Right.INSERT, lambda a: drafting.discard_draft(a, draft.id)),
        "delete folder": (Right.FOLDERS, lambda a: foldering.delete_folder(a, _leaf(owner, work))),
    }


def _leaf(owner: Access, folder: int) -> int:
    """Something below a folder that can be deleted, else the folder."""
    below = [row.id for row in folders.folder_tree(owner) if row.parent_id == folder]
    return below[0] if below else folder


def test_a_stranger_finds_nothing(mine: Access, charlie: Account) -> None:
    stranger = Access(charlie.pk, charlie.pk, OWNER)
    before = sql.rows("SELECT id, folder_id, flags, modseq FROM mailstore_entry ORDER BY id")
    for name, (_, call) in everything(mine).items():
        before = sql.rows("SELECT id, folder_id, flags, modseq FROM mailstore_entry ORDER BY id")
        assert kind_of(lambda: call(stranger)) is ErrorKind.NOT_FOUND, name  # noqa: B023
        assert sql.rows("SELECT id, folder_id, flags, modseq FROM mailstore_entry ORDER BY id") == before


def test_every_service_needs_its_right_and_no_other(mine: Access) -> None:
    for name, (right, call) in everything(mine).items():
        lacking = Access(mine.actor, mine.mailbox, OWNER & ~right)
        assert kind_of(lambda: call(lacking)) is ErrorKind.NO_PERMISSION, name  # noqa: B023
        call(Access(mine.actor, mine.mailbox, READER | right))


def test_noting_whom_one_wrote_to_needs_the_right_to_send(mine: Access) -> None:
    reader = Access(mine.actor, mine.mailbox, READER)
    assert kind_of(lambda: people.note_sent(reader, [], timezone.now())) is ErrorKind.NO_PERMISSION


@pytest.mark.parametrize("number", [0, -1, 1, 1 << 62, (1 << 63) - 1, 1 << 70])
def test_numbers_that_are_nobodys_are_not_found(mine: Access, number: int) -> None:
    for call in (
        lambda: entries.get(mine, number),
        lambda: entries.raw(mine, number),
        lambda: lists.list_page(mine, number),
        lambda: folders.folder(mine, number),
        lambda: acting.set_flags(mine, [number], add=Flag.SEEN),
        lambda: drafts.get_draft(mine, number),
        lambda: drafting.discard_draft(mine, number),
        lambda: foldering.delete_folder(mine, number),
    ):
        assert kind_of(call) is ErrorKind.NOT_FOUND
