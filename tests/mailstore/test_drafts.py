"""Drafts: revisions, files, the copy in 草稿箱."""

from __future__ import annotations

import pytest

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore.models import Draft, DraftAttachment, Message, Recoverable, Role, SearchTodo
from mailstore.selectors import drafts, entries, folders
from mailstore.services.append import append
from mailstore.services.drafts import (
    DraftContent,
    attach,
    create_draft,
    detach,
    discard_draft,
    draft_of_entry,
    save_draft,
    snapshot_draft,
)
from mailstore.services.entries import delete, purge
from tests.mailstore.letters import folder_id, letter

ME = "alice@example.test"


def test_a_save_replaces_the_content_and_raises_the_revision(mine: Access) -> None:
    draft = create_draft(mine, identity=ME, subject="s", options={"receipt": True})
    saved = save_draft(mine, draft.id, 0, DraftContent(identity=ME, to="bob@example.test", html="<p>\0x</p>"))
    assert (saved.revision, saved.subject, saved.html, saved.options) == (1, "", "<p>x</p>", {})
    assert drafts.get_draft(mine, draft.id) == saved


def test_a_save_from_an_older_revision_is_refused_with_what_is_stored(mine: Access) -> None:
    draft = create_draft(mine, identity=ME)
    mine_now = save_draft(mine, draft.id, 0, DraftContent(identity=ME, subject="first window"))
    with pytest.raises(MailError) as error:
        save_draft(mine, draft.id, 0, DraftContent(identity=ME, subject="second window"))
    assert error.value.kind is ErrorKind.IN_USE
    assert error.value.data == {"current": mine_now}


def test_files_are_kept_in_order_and_go(mine: Access) -> None:
    draft = create_draft(mine, identity=ME)
    rows = [attach(mine, draft.id, f"{n}.txt", "text/plain", b"%d" % n) for n in range(3)]
    picture = attach(mine, draft.id, "p.png", "image/png", b"png", content_id="p@x", inline=True)
    detach(mine, rows[1].id)
    assert drafts.get_draft(mine, draft.id).attachments == [rows[0], rows[2], picture]
    assert drafts.attachment_bytes(mine, rows[2].id) == b"2"
    with pytest.raises(MailError):
        drafts.attachment_bytes(mine, rows[1].id)


def test_a_replaced_copy_leaves_neither_recovery_nor_search(mine: Access) -> None:
    draft = create_draft(mine, identity=ME)
    first = snapshot_draft(mine, draft.id, letter("one"))
    second = snapshot_draft(mine, draft.id, letter("two"))
    assert drafts.draft_with_snapshot(mine, second) == draft_of_entry(mine, second) == draft.id
    assert drafts.draft_with_snapshot(mine, first) is None
    assert folders.folder_by_role(mine, Role.DRAFTS).total == Message.objects.count() == 1
    assert not Recoverable.objects.exists()
    assert not SearchTodo.objects.exists()


def test_discarding_takes_the_copy_and_the_files_along_and_may_be_repeated(mine: Access) -> None:
    draft = create_draft(mine, identity=ME)
    attach(mine, draft.id, "a", "text/plain", b"x")
    snapshot_draft(mine, draft.id, letter())
    discard_draft(mine, draft.id)
    discard_draft(mine, draft.id)
    assert [model.objects.count() for model in (Draft, DraftAttachment, Message)] == [0, 0, 0]
    assert folders.mailbox_usage(mine).used_bytes == 0


def test_a_copy_that_was_moved_is_still_the_drafts(mine: Access) -> None:
    draft = create_draft(mine, identity=ME)
    entry = snapshot_draft(mine, draft.id, letter())
    delete(mine, [entry])
    assert drafts.get_draft(mine, draft.id).snapshot_entry_id == entry
    purge(mine, [entry])
    assert not Draft.objects.exists()


def test_a_draft_of_another_program_is_opened_with_its_files(mine: Access) -> None:
    raw = (
        b"From: Alice <alice@example.test>\r\nTo: Bob <bob@example.test>\r\nSubject: Plan\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b"<p>Hello<script>x()</script></p>\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Disposition: attachment; filename=a.pdf\r\n\r\nPDF\r\n--b--\r\n"
    )
    entry = append(mine, folder_id(mine, Role.DRAFTS), raw, flags=16)
    draft = drafts.get_draft(mine, draft_of_entry(mine, entry))
    assert (draft.identity, draft.to, draft.subject, draft.is_plain) == (ME, "Bob <bob@example.test>", "Plan", False)
    assert "Hello" in draft.html
    assert "script" not in draft.html
    assert [(each.filename, drafts.attachment_bytes(mine, each.id)) for each in draft.attachments] == [
        ("a.pdf", b"PDF")
    ]
    assert draft_of_entry(mine, entry) == draft.id
    snapshot_draft(mine, draft.id, letter())
    with pytest.raises(MailError):
        entries.get(mine, entry)


def test_a_draft_is_only_made_of_what_lies_in_drafts(mine: Access) -> None:
    with pytest.raises(MailError) as error:
        draft_of_entry(mine, append(mine, folder_id(mine), letter()))
    assert error.value.kind is ErrorKind.NOT_FOUND


def test_a_text_beyond_every_mail_is_too_large(mine: Access) -> None:
    draft = create_draft(mine, identity=ME)
    with pytest.raises(MailError) as error:
        save_draft(mine, draft.id, 0, DraftContent(identity=ME, html="x" * 8_000_001))
    assert error.value.kind is ErrorKind.TOO_LARGE
