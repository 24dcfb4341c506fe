"""恢复误删邮件: what can come back, in which order, and as what."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.fields import pack
from mailstore.models import Entry, EntryLabel, Flag, Keyword, Recoverable, Role
from mailstore.selectors import lists
from mailstore.selectors.recoverable import DAY_US, recoverable_page, recoverable_position
from mailstore.services import entries as acting
from mailstore.services.drafts import create_draft, discard_draft, snapshot_draft
from mailstore.services.folders import create_folder
from tests.mailstore.letters import folder_id, letter, stored, stored_many


def purged(access: Access, count: int) -> list[int]:
    """`count` mails deleted for good, an hour apart, the first one longest ago."""
    found = stored_many(access, count)
    acting.purge(access, found)
    for number, entry in enumerate(found):
        sql.run(
            "UPDATE mailstore_recoverable SET deleted_us = deleted_us - %s WHERE id = %s",
            [(count - number) * 3_600_000_000, entry],
        )
    return found


def listed(access: Access, **wanted: object) -> list[int]:
    """The ids of a page."""
    return [row.entry_id for row in recoverable_page(access, **wanted).rows]  # type: ignore[arg-type]


def test_the_newest_deletion_is_first_with_all_that_the_page_shows(mine: Access) -> None:
    old, new = purged(mine, 2)
    page = recoverable_page(mine)
    assert [row.entry_id for row in page.rows] == [new, old]
    row = page.rows[0]
    assert (row.subject, row.sender_address, row.recipients) == ("Letter 1", "wang@partner.test", "alice@example.test")
    assert row.deleted_us > row.sort_us
    assert row.sent_us is not None
    assert (page.total, page.days) == (2, 14)


def test_pages_follow_by_key_in_both_directions_and_by_number(mine: Access) -> None:
    found = purged(mine, 7)[::-1]
    first = recoverable_page(mine, limit=3)
    second = recoverable_page(mine, after=first.next, limit=3)
    third = recoverable_page(mine, after=second.next, limit=3)
    ids = [[row.entry_id for row in page.rows] for page in (first, second, third)]
    assert ids == [found[:3], found[3:6], found[6:]]
    assert (first.previous, third.next) == (None, None)
    assert listed(mine, before=third.previous, limit=3) == found[3:6]
    assert listed(mine, before=second.previous, limit=3) == found[:3]
    assert recoverable_position(mine, 1, 3) is None
    assert listed(mine, after=recoverable_position(mine, 2, 3), limit=3) == found[3:6]
    assert listed(mine, after=recoverable_position(mine, 99, 3), limit=3) == found[6:]


def test_a_text_finds_by_subject_and_goes_on_in_parts(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    found = purged(mine, 6)
    assert listed(mine, text="letter 4") == [found[4]]
    monkeypatch.setattr("mailstore.selectors.recoverable.SCAN_ROWS", 2)
    first = recoverable_page(mine, text="Letter 2")
    assert first.rows == []
    assert listed(mine, text="Letter 2", after=recoverable_page(mine, text="x", after=first.next).next) == []
    assert listed(mine, text="Letter 2", after=first.next) == [found[2]]


def test_what_is_older_than_the_domains_days_does_not_show(mine: Access, alice: Account) -> None:
    old, new = purged(mine, 2)
    sql.run("UPDATE mailstore_recoverable SET deleted_us = deleted_us - %s WHERE id = %s", [15 * DAY_US, old])
    assert listed(mine) == [new]
    alice.domain.recovery_days = 30
    alice.domain.save(update_fields=["recovery_days"])
    assert listed(mine) == [new, old]


def test_mail_from_a_locked_folder_neither_shows_nor_comes_back(mine: Access, breaks_rows: None) -> None:
    folder = create_folder(mine, "Secret")
    entry = stored(mine, letter())
    acting.move(mine, [entry], folder_id=folder)
    acting.purge(mine, [entry])
    sql.run("UPDATE mailstore_folder SET lock_scope = 'own' WHERE id = %s", [folder])
    assert listed(mine) == []
    with pytest.raises(MailError) as caught:
        acting.recover(mine, [entry])
    assert caught.value.kind is ErrorKind.NOT_FOUND
    opened = dataclasses.replace(mine, unlocked=frozenset([folder]))
    assert listed(opened) == [entry]
    acting.recover(opened, [entry])


def test_a_stranger_sees_and_recovers_nothing(mine: Access, his: Access) -> None:
    entries = purged(mine, 1)
    assert listed(his) == []
    for ids in (entries, [pack(his.mailbox, 12345)]):
        with pytest.raises(MailError) as caught:
            acting.recover(his, ids)
        assert caught.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize("right", [Right.INSERT])
def test_recovering_needs_the_right_to_insert(mine: Access, right: Right) -> None:
    entries = purged(mine, 1)
    with pytest.raises(MailError) as caught:
        acting.recover(dataclasses.replace(mine, rights=mine.rights & ~right), entries)
    assert caught.value.kind is ErrorKind.NO_PERMISSION


def test_several_come_back_at_once_into_the_chosen_folder_with_flags_and_labels(mine: Access) -> None:
    folder = create_folder(mine, "Projects")
    keyword = Keyword.objects.create(mailbox_id=mine.mailbox, bit=3, atom="$Label1", label="Work")
    found = stored_many(mine, 3)
    acting.set_flags(mine, found[:1], add=Flag.FLAGGED | Flag.SEEN | Flag.DELETED)
    Entry.objects.filter(pk=found[0]).update(keywords=1 << 3 | 1 << 9)
    acting.purge(mine, found)
    Keyword.objects.filter(pk=keyword.pk).update(total=0, unread=0)
    acting.recover(mine, found, folder_id=folder)
    rows = {row.entry_id: row for row in lists.list_page(mine, folder).rows}
    assert set(rows) == set(found)
    assert rows[found[0]].flags == int(Flag.FLAGGED | Flag.SEEN)
    assert rows[found[0]].keywords == 1 << 3
    assert EntryLabel.objects.get().entry_id == found[0]
    keyword.refresh_from_db()
    assert (keyword.total, keyword.unread) == (1, 0)
    assert not Recoverable.objects.exists()


def test_undo_puts_them_back_into_recovery_as_they_were(mine: Access) -> None:
    entries = purged(mine, 2)
    before = [(row.entry_id, row.folder_id, row.deleted_us) for row in recoverable_page(mine).rows]
    recovered = acting.recover(mine, entries, folder_id=folder_id(mine, Role.SENT))
    assert acting.unrecover(mine, recovered.undo) == 2
    assert [(row.entry_id, row.folder_id, row.deleted_us) for row in recoverable_page(mine).rows] == before
    assert acting.unrecover(mine, recovered.undo) == 0


def test_recovering_into_a_full_mailbox_is_refused_and_changes_nothing(mine: Access, alice: Account) -> None:
    entries = purged(mine, 2)
    alice.quota_bytes = Recoverable.objects.first().size  # type: ignore[union-attr]
    alice.save(update_fields=["quota_bytes"])
    with pytest.raises(MailError) as caught:
        acting.recover(mine, entries)
    assert caught.value.kind is ErrorKind.OVER_QUOTA
    assert listed(mine) == entries[::-1]
    assert len(acting.recover(mine, entries[:1]).undo) == 1


def test_copies_of_drafts_and_mail_that_lives_elsewhere_do_not_show(mine: Access) -> None:
    draft = create_draft(mine, identity="alice@example.test")
    for number in range(2):
        snapshot_draft(mine, draft.id, letter(f"draft{number}"))
    discard_draft(mine, draft.id)
    entry = stored(mine, letter("twin"))
    acting.copy(mine, [entry], folder_id=folder_id(mine, Role.SENT))
    acting.purge(mine, [entry])
    assert listed(mine) == []


def test_a_page_costs_five_queries_however_much_there_is(mine: Access) -> None:
    purged(mine, 60)
    with CaptureQueriesContext(
        connection,
    ) as few:
        recoverable_page(mine, limit=5)
    with CaptureQueriesContext(connection) as many:
        recoverable_page(mine, limit=50)
    assert len(few) == len(many) <= 5


def test_the_whole_folder_can_be_emptied_and_recovered(mine: Access) -> None:
    found = stored_many(mine, 20)
    with transaction.atomic():
        acting.delete(mine, found)
    acting.delete(mine, acting.Selection(folder_id=folder_id(mine, Role.TRASH)))
    assert len(acting.recover(mine, listed(mine, limit=100)).undo) == 20
