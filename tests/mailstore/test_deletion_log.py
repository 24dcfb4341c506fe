"""The deletion log: who, with which program, which mail, and back again."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.event_words import DELETIONS, told
from accounts.models import Account
from core.access import EDITOR, Access, Via
from core.errors import MailError
from logs_app.models import Event, Kind
from logs_app.selectors import deletions
from mailstore.models import Role
from mailstore.selectors import lists
from mailstore.services import entries as acting
from mailstore.services.deletion_log import MAILS, Deletion
from mailstore.services.drafts import create_draft, discard_draft, snapshot_draft
from mailstore.services.folders import empty_folder
from tests.mailstore.letters import folder_id, letter, stored, stored_many


@pytest.fixture
def browsing(mine: Access) -> Access:
    """Alice in a browser."""
    return dataclasses.replace(mine, via=Via("web", "Firefox", "192.0.2.7"))


def actions(access: Access) -> list[str]:
    """What the log says, oldest first."""
    return [row.action for row in deletions(access.mailbox)][::-1]


def test_a_deletion_says_who_how_and_which_mail(browsing: Access) -> None:
    acting.delete(browsing, [stored(browsing, letter("gone"))])
    (row,) = deletions(browsing.mailbox)
    assert (row.action, row.actor, row.protocol, row.program) == ("trash", "", "web", "Firefox")
    assert row.remote_address == "192.0.2.7"
    (deleted,) = row.mails
    assert (deleted.subject, deleted.message_id) == ("Budget 预算", "<gone@letters.test>")
    assert deleted.sender == "王小明 <wang@partner.test>"
    event = Event.objects.get(kind=Kind.DELETION)
    assert (event.address, event.domain_id) == (
        "alice@example.test",
        Account.objects.get(pk=browsing.mailbox).domain_id,
    )


def test_every_way_out_and_back_is_in_it(mine: Access) -> None:
    one, two, three = stored_many(mine, 3)
    trash, inbox = folder_id(mine, Role.TRASH), folder_id(mine)
    acting.move_back(mine, acting.delete(mine, [one]).undo)
    acting.move(mine, [one], folder_id=trash)
    acting.move(mine, [two], folder_id=folder_id(mine, Role.JUNK))
    acting.delete(mine, [one])
    acting.purge(mine, [three])
    acting.recover(mine, [one])
    acting.move(mine, [two], folder_id=inbox)
    acting.delete(mine, [two])
    empty_folder(mine, trash)
    expected = ["trash", "undo", "trash", "purge", "purge", "recover", "trash", "empty"]
    assert actions(mine) == expected


def test_a_colleague_in_a_shared_mailbox_is_named(mine: Access, his: Access) -> None:
    entry = stored(mine, letter())
    acting.delete(Access(his.actor, mine.mailbox, EDITOR), [entry])
    (row,) = deletions(mine.mailbox)
    assert row.actor == "bob@example.test"
    assert deletions(his.mailbox) == []


def test_what_fails_is_not_in_it(mine: Access, his: Access) -> None:
    entry = stored(mine, letter())
    with pytest.raises(MailError):
        acting.purge(his, [entry])
    acting.move(mine, [entry], folder_id=folder_id(mine))
    assert not Event.objects.filter(kind=Kind.DELETION).exists()


def test_replaced_copies_of_drafts_are_not_in_it(mine: Access) -> None:
    draft = create_draft(mine, identity="alice@example.test")
    for number in range(3):
        snapshot_draft(mine, draft.id, letter(f"draft{number}"))
    discard_draft(mine, draft.id)
    assert actions(mine) == []


def test_many_mails_share_events_and_statements(mine: Access) -> None:
    few, many = stored_many(mine, 60), stored_many(mine, 600, first=60)
    with CaptureQueriesContext(connection) as cheap:
        acting.purge(mine, few)
    with CaptureQueriesContext(connection) as dear:
        acting.purge(mine, many)
    rows = deletions(mine.mailbox, limit=100)
    assert sorted(len(row.mails) for row in rows) == sorted([MAILS, 10] + [MAILS] * 12)
    assert sum(len(row.mails) for row in rows) == 660
    assert len(dear) <= len(cheap) + 2


def test_the_log_goes_on_by_key(mine: Access) -> None:
    for number in range(5):
        acting.delete(mine, [stored(mine, letter(f"n{number}"))])
    first = deletions(mine.mailbox, limit=2)
    rest = deletions(mine.mailbox, before=first[-1].id, limit=10)
    assert [row.id for row in first + rest] == sorted((row.id for row in first + rest), reverse=True)
    assert len(rest) == 3
    assert deletions(mine.mailbox, before=1 << 40) == []


@pytest.mark.parametrize("action", list(Deletion))
def test_every_action_has_words_for_the_administrator(mine: Access, action: Deletion) -> None:
    assert action.value in DELETIONS
    acting.purge(mine, stored_many(mine, 3), action=action)
    words = told(Event.objects.get(kind=Kind.DELETION))
    assert "Letter 0" in words
    assert "2" in words


def test_a_mail_without_message_id_or_subject_is_told_too(mine: Access) -> None:
    raw = b"From: x@y.test\r\n\r\nbody\r\n"
    acting.purge(mine, [stored(mine, raw)])
    (deleted,) = deletions(mine.mailbox)[0].mails
    assert (deleted.subject, deleted.message_id, deleted.sender) == ("", "", "x@y.test")
    assert "x@y.test" in told(Event.objects.get(kind=Kind.DELETION))
    assert lists.list_page(mine, folder_id(mine)).rows == []
