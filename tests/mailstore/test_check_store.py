"""check_store: what it finds, what it repairs, what it can't."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from core.access import Access
from mailstore import sql
from mailstore.check_store import check_store
from mailstore.models import Flag
from mailstore.selectors import folders
from mailstore.services.drafts import attach, create_draft, snapshot_draft
from mailstore.services.entries import purge, set_flags
from mailstore.services.todos import mark_todo
from tests.mailstore.letters import letter, stored, stored_many

LISTS = {
    "list of unread": "DELETE FROM mailstore_flaglist WHERE flag = 1",
    "list of starred": "INSERT INTO mailstore_flaglist SELECT folder_id, 4, sort_us, id FROM mailstore_entry WHERE (flags & 4) = 0",
    "list of another folder": "UPDATE mailstore_flaglist SET folder_id = folder_id + 1",
}
"""PostgreSQL's rows of unread and starred mail; SQLite has indexes."""
DAMAGE = {
    **(LISTS if connection.vendor == "postgresql" else {}),
    "folder total": "UPDATE mailstore_folder SET total = total + 1 WHERE role = 'inbox'",
    "folder unread": "UPDATE mailstore_folder SET unread = 0 WHERE role = 'inbox'",
    "folder starred": "UPDATE mailstore_folder SET starred = 7 WHERE role = 'junk'",
    "folder bytes": "UPDATE mailstore_folder SET bytes = bytes + 1 WHERE role = 'inbox'",
    "uidnext": "UPDATE mailstore_folder SET uidnext = 2 WHERE role = 'inbox'",
    "uidnext below an expunged uid": "UPDATE mailstore_folder SET uidnext = 7 WHERE role = 'inbox'",
    "highestmodseq": "UPDATE mailstore_folder SET highestmodseq = 1 WHERE role = 'inbox'",
    "changes without a record": "DELETE FROM mailstore_entrychange",
    "changes of a folder that is gone": "UPDATE mailstore_entrychange SET folder_id = folder_id + 100000",
    "mailbox modseq": "UPDATE mailstore_mailbox SET modseq = 1",
    "used bytes": "UPDATE mailstore_mailbox SET used_bytes = 0",
    "recoverable bytes": "UPDATE mailstore_mailbox SET recoverable_bytes = 0",
    "next id": "UPDATE mailstore_mailbox SET next_id = 3",
    "entry without message": "DELETE FROM mailstore_message WHERE id = (SELECT max(message_id) FROM mailstore_entry)",
    "message without entry": "DELETE FROM mailstore_entry WHERE id = (SELECT max(id) FROM mailstore_entry WHERE flags = 0)",
    "recoverable without message": "DELETE FROM mailstore_message WHERE id IN (SELECT message_id FROM mailstore_recoverable)",
    "message without thread": "DELETE FROM mailstore_threadof WHERE message_id = (SELECT max(message_id) FROM mailstore_threadof)",
    "thread in a thread": "INSERT INTO mailstore_threadof (message_id, mailbox_id, thread_id) SELECT thread_id, mailbox_id, "
    "(SELECT min(id) FROM mailstore_message) - 1 FROM mailstore_threadof",
    "reference without thread": "UPDATE mailstore_threadreference SET thread_id = 5",
    "thread counts": "UPDATE mailstore_folderthread SET unread = 3",
    "thread gone": "DELETE FROM mailstore_folderthread",
    "thread of a folder that has none": "UPDATE mailstore_folderthread SET folder_id = folder_id + 1",
    "thread date": "UPDATE mailstore_folderthread SET last_us = 4",
    "search todo": "UPDATE mailstore_searchtodo SET message_id = message_id + 1000000",
    "to-do without its flag": "UPDATE mailstore_entry SET flags = flags & 127 WHERE (flags & 128) <> 0",
    "to-do flag of what is done": "UPDATE mailstore_todo SET done_us = 5",
    "to-do flag of no to-do": "DELETE FROM mailstore_todo",
    "attachment without draft": "UPDATE mailstore_draftattachment SET draft_id = draft_id + 1000",
    "draft without its copy": "UPDATE mailstore_draft SET snapshot_entry_id = snapshot_entry_id + 1000",
}


def furnished(mine: Access) -> None:
    """A bit of everything."""
    found = stored_many(mine, 6)
    stored(mine, letter("starred", references=["m1"]), flags=int(Flag.FLAGGED | Flag.SEEN))
    stored(mine, letter("child", references=["unknown"]))
    purge(mine, [stored(mine, letter("gone"))])
    mark_todo(mine, found[:1])
    draft = create_draft(mine, identity="alice@example.test")
    attach(mine, draft.id, "a", "text/plain", b"x")
    snapshot_draft(mine, draft.id, letter("draft"))
    assert len(found) == 6
    set_flags(mine, found[:1], add=Flag.ANSWERED)


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_repaired(mine: Access, name: str) -> None:
    furnished(mine)
    assert check_store() == []
    assert sql.run(DAMAGE[name]) > 0
    found = check_store()
    assert found
    assert check_store(mine.mailbox) == [each for each in found if each.mailbox == mine.mailbox]
    assert all(each.repaired for each in check_store(repair=True))
    assert check_store() == []


def test_labels_are_checked_and_repaired(mine: Access) -> None:
    (entry,) = stored_many(mine, 1)
    sql.run(
        sql.insert("mailstore_keyword", "mailbox_id, bit, atom, label, colour, total, unread"),
        [mine.mailbox, 3, "work", "", "", 0, 0],
    )
    sql.run("UPDATE mailstore_entry SET keywords = 8 WHERE id = %s", [entry])
    assert {each.check for each in check_store(repair=True)} == {"label rows", "keyword counters"}
    assert sql.row("SELECT total, unread FROM mailstore_keyword") == (1, 1)
    purge(mine, [entry])
    assert sql.row("SELECT total, unread FROM mailstore_keyword") == (0, 0)


def test_bytes_that_are_gone_stay_reported(mine: Access, breaks_rows: None) -> None:
    stored(mine, letter())
    sql.run("DELETE FROM mailstore_blob")
    assert [each.check for each in check_store(repair=True)] == ["blob of message"]
    assert [each.repaired for each in check_store(repair=True)] == [False]


def test_the_command_says_what_it_finds_and_exits_so(mine: Access) -> None:
    out = StringIO()
    call_command("check_store", stdout=out)
    assert out.getvalue() == "0 findings\n"
    sql.run("UPDATE mailstore_mailbox SET used_bytes = 5")
    with pytest.raises(SystemExit) as ended:
        call_command("check_store", stdout=out)
    assert ended.value.code == 1
    call_command("check_store", repair=True, stdout=out)
    assert "used, recoverable bytes" in out.getvalue()
    assert folders.mailbox_usage(mine).used_bytes == 0
