"""The composer: drafts, files, checks, sending."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Domain
from accounts.selectors import access_for
from mailstore.message import read
from mailstore.models import Draft, Entry, Flag, Folder, Role
from mailstore.selectors import drafts as drafts_read, entries
from mailstore.services.drafts import DraftRow
from mta.models import Delivery, Submission
from tests.webmail.mails import PNG, browser_of, deliver, mail, with_files

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser."""
    return browser_of(alice)


def written(**fields: Any) -> dict[str, Any]:
    """What a browser posts for a mail to Bob."""
    return {
        "revision": 0,
        "identity": "alice@example.test",
        "to": "Bob <bob@example.test>",
        "subject": "Lunch",
        "format": "html",
        "html": "<p>At noon?</p>",
        "save_to_sent": "on",
    } | fields


def start(client: Client, **fields: Any) -> Draft:
    """A draft as the composer's first save makes it."""
    answer = client.post(reverse("compose_new") + "?then=save", written(**fields), headers=JSON)
    assert answer.status_code == 200, answer.content
    return Draft.objects.get(pk=int(answer.json()["id"]))


def step(client: Client, draft: Draft, name: str, **fields: Any) -> Any:
    """Save or send a draft from where it stands."""
    draft.refresh_from_db()
    content = written(revision=draft.revision, **fields)
    return client.post(reverse(f"compose_{name}", args=[draft.pk]), content, headers=JSON)


def answer_to(client: Client, entry_id: int, mode: str, **fields: Any) -> Draft:
    """The draft that a button of the reading pane makes."""
    answer = client.post(reverse("compose_new"), {"mode": mode, "source": str(entry_id), **fields})
    assert answer.status_code == 302, answer.content
    return Draft.objects.latest("id")


def row(account: Account, draft: Draft) -> DraftRow:
    """The draft with its files."""
    return drafts_read.get_draft(access_for(account, account.pk), draft.pk)


def in_folder(account: Account, role: str) -> list[bytes]:
    """The mails in a system folder."""
    folder = Folder.objects.get(mailbox_id=account.pk, role=role)
    found = Entry.objects.filter(folder_id=folder.pk).order_by("id")
    return [entries.raw(access_for(account, account.pk), each.pk) for each in found]


def test_opening_the_composer_makes_no_draft(client: Client) -> None:
    answer = client.get(reverse("compose_new"), {"to": "bob@example.test", "subject": "Hi", "body": "<b>"})
    assert b'value="Hi"' in answer.content
    assert b"bob@example.test" in answer.content
    assert not Draft.objects.exists()


def test_the_first_save_makes_a_draft_and_a_copy_in_drafts(client: Client, alice: Account) -> None:
    draft = start(client)
    assert (draft.subject, draft.to) == ("Lunch", "Bob <bob@example.test>")
    assert b"Subject: Lunch" in in_folder(alice, Role.DRAFTS)[0]


def test_a_composer_that_posts_again_after_a_reload_goes_on_with_its_draft(client: Client, alice: Account) -> None:
    save = reverse("compose_new") + "?then=save"
    first = client.post(save, written(composer="c1"), headers=JSON).json()["id"]
    again = client.post(save, written(composer="c1", subject="Supper"), headers=JSON).json()["id"]
    other = client.post(save, written(composer="c2"), headers=JSON).json()["id"]
    assert first == again != other
    assert row(alice, Draft.objects.get(pk=int(first))).subject == "Supper"


def test_a_save_from_an_older_revision_is_refused_and_changes_nothing(client: Client) -> None:
    draft = start(client)
    first = draft.revision
    assert step(client, draft, "save", subject="second").status_code == 200
    stale = client.post(
        reverse("compose_save", args=[draft.pk]), written(revision=first, subject="third"), headers=JSON
    )
    draft.refresh_from_db()
    assert stale.status_code == 409
    assert stale.json()["revision"] == draft.revision
    assert draft.subject == "second"


def test_a_repeated_save_is_no_conflict(client: Client) -> None:
    draft = start(client)
    content = written(revision=draft.revision, subject="once")
    url = reverse("compose_save", args=[draft.pk])
    assert [client.post(url, content, headers=JSON).status_code for _ in range(2)] == [200, 200]


def test_a_conflict_without_scripts_keeps_the_typed_text(client: Client) -> None:
    draft = start(client)
    step(client, draft, "save", subject="second")
    answer = client.post(
        reverse("compose_save", args=[draft.pk]), written(revision=0, subject="mine", format="plain", text="my words")
    )
    assert answer.status_code == 409
    assert b"my words" in answer.content
    assert b'value="mine"' in answer.content


def test_sending_reaches_the_colleague_and_sent_and_takes_the_draft_away(
    client: Client, alice: Account, bob: Account
) -> None:
    draft = start(client)
    answer = step(client, draft, "send", html="<p>At <b>noon</b>?<script>x()</script></p>")
    assert answer.status_code == 200, answer.content
    (received,) = in_folder(bob, Role.INBOX)
    (kept,) = in_folder(alice, Role.SENT)
    readable = read(received)
    assert "<b>noon</b>" in (readable.html or "")
    assert "x()" not in (readable.html or "")
    assert (readable.text or "").strip() == "At noon?"
    assert read(kept).subject == "Lunch"
    assert not Draft.objects.filter(pk=draft.pk).exists()
    assert in_folder(alice, Role.DRAFTS) == []
    assert Delivery.objects.get().state == Delivery.State.DELIVERED


def test_bcc_is_kept_in_sent_and_seen_by_nobody_else(client: Client, alice: Account, bob: Account) -> None:
    step(client, start(client), "send", to="x@lichtwerk.test", bcc="bob@example.test")
    assert b"Bcc: bob@example.test" in in_folder(alice, Role.SENT)[0]
    assert b"bob@example.test" not in in_folder(bob, Role.INBOX)[0].partition(b"From:")[2]


def test_without_save_to_sent_there_is_no_copy(client: Client, alice: Account, bob: Account) -> None:
    content = written()
    del content["save_to_sent"]
    draft = start(client)
    draft.refresh_from_db()
    content["revision"] = draft.revision
    assert client.post(reverse("compose_send", args=[draft.pk]), content, headers=JSON).status_code == 200
    assert in_folder(alice, Role.SENT) == []
    assert len(in_folder(bob, Role.INBOX)) == 1


def test_the_flags_become_header_fields(client: Client, bob: Account) -> None:
    step(client, start(client), "send", high_priority="on", receipt="on")
    readable = read(in_folder(bob, Role.INBOX)[0])
    assert readable.high_priority
    assert readable.receipt_to[0].address == "alice@example.test"


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"to": ""}, "to"), ({"to": "", "cc": "", "bcc": "x"}, "bcc"), ({"cc": "no at sign"}, "cc"), ({"to": "a@"}, "to")],
)
def test_a_mail_that_can_not_be_sent_is_refused_with_the_reason(
    client: Client, fields: dict[str, str], field: str
) -> None:
    draft = start(client)
    answer = step(client, draft, "send", **fields)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["errors"][0]
    assert not Submission.objects.exists()
    draft.refresh_from_db()
    assert draft.html == "<p>At noon?</p>"


def test_too_many_recipients_are_refused(client: Client) -> None:
    Domain.objects.update(max_recipients=2)
    answer = step(client, start(client), "send", to="a@b.test, c@d.test, e@f.test")
    assert answer.status_code == 422
    assert "2" in answer.json()["errors"][0]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"subject": " "}, "subject"),
        ({"html": "<p>please see the attachment</p>"}, "attachment"),
        ({"html": "<p>报价单见附件</p>"}, "attachment"),
    ],
)
def test_what_may_be_forgotten_is_asked_once(client: Client, bob: Account, fields: dict[str, str], name: str) -> None:
    draft = start(client)
    answer = step(client, draft, "send", **fields)
    assert answer.status_code == 422
    assert [each["name"] for each in answer.json()["warnings"]] == [name]
    assert step(client, draft, "send", confirmed=name, **fields).status_code == 200
    assert len(in_folder(bob, Role.INBOX)) == 1


def test_a_quoted_attachment_is_not_asked_for(client: Client, alice: Account) -> None:
    draft = answer_to(client, deliver(alice, mail(html="<p>see the attachment</p>")), "reply")
    content = written(revision=draft.revision, to="bob@example.test", html=f"<p>thanks</p>{draft.html}")
    assert client.post(reverse("compose_send", args=[draft.pk]), content, headers=JSON).status_code == 200


def test_the_page_without_scripts_asks_too_and_keeps_the_text(client: Client) -> None:
    draft = start(client)
    content = written(revision=draft.revision, subject="", format="plain", text="my words")
    answer = client.post(reverse("compose_send", args=[draft.pk]), content)
    assert answer.status_code == 422
    assert b"my words" in answer.content
    assert b'name="confirmed" value="subject"' in answer.content


def test_a_from_that_is_not_mine_is_refused(client: Client, bob: Account) -> None:
    answer = step(client, start(client), "send", identity="bob@example.test")
    assert answer.status_code == 422
    assert not Submission.objects.exists()


def test_a_reply_threads_and_marks_the_original(client: Client, alice: Account, bob: Account) -> None:
    entry_id = deliver(alice, mail(html="<p>Question</p>"))
    draft = answer_to(client, entry_id, "reply")
    assert (draft.to, draft.subject) == ("Anna Schmidt <anna@lichtwerk.test>", "Re: Price list")
    assert "Question" in draft.html
    assert not Entry.objects.get(pk=entry_id).flags & Flag.ANSWERED
    step(client, draft, "send", html=f"<p>Yes</p>{draft.html}")
    readable = read(in_folder(bob, Role.INBOX)[0])
    assert readable.references == ("1@lichtwerk.test",)
    assert Entry.objects.get(pk=entry_id).flags & Flag.ANSWERED


def test_a_forward_carries_files_and_pictures(client: Client, alice: Account, bob: Account) -> None:
    entry_id = deliver(alice, with_files())
    draft = answer_to(client, entry_id, "forward")
    files = {each.filename: each for each in row(alice, draft).attachments}
    assert {"采购.pdf", "page.html", "photo.png", "logo.png"} <= set(files)
    assert files["logo.png"].is_inline
    shown = client.get(reverse("compose", args=[draft.pk])).content.decode()
    assert f"/compose/{draft.pk}/files/{files['logo.png'].id}" in shown
    assert "cid:logo@x" in draft.html
    step(client, draft, "send", html=draft.html)
    sent = read(in_folder(bob, Role.INBOX)[0])
    assert "cid:logo@x" in (sent.html or "")
    assert {each.filename for each in sent.attachments} == set(files)
    assert Entry.objects.get(pk=entry_id).flags & Flag.FORWARDED


def test_forward_as_attachment_carries_the_original(client: Client, alice: Account, bob: Account) -> None:
    raw = mail()
    draft = answer_to(client, deliver(alice, raw), "forward_attached")
    step(client, draft, "send")
    (part,) = read(in_folder(bob, Role.INBOX)[0]).attachments
    assert (part.filename, part.content_type) == ("Price list.eml", "message/rfc822")


def test_edit_as_new_starts_a_new_conversation(client: Client, alice: Account, bob: Account) -> None:
    draft = answer_to(client, deliver(alice, mail("Body")), "edit_as_new")
    assert (draft.subject, draft.text.strip(), draft.source_entry_id) == ("Price list", "Body", None)


def test_the_first_empty_line_of_a_text_stays_in_the_page(client: Client, alice: Account) -> None:
    """HTML forgets a line break right behind <textarea>; the caret would stand on the line of the quote."""
    draft = answer_to(client, deliver(alice, mail("Yes?")), "reply")
    page = client.get(reverse("compose", args=[draft.pk])).content.decode()
    assert draft.text.startswith("\n\n")
    assert re.search(r"<textarea[^>]*data-editor-text[^>]*>&#10;\n\n\S", page)


def test_a_quick_reply_is_sent_at_once(client: Client, alice: Account, bob: Account) -> None:
    entry_id = deliver(alice, mail("Question", From="bob@example.test"))
    client.post(reverse("compose_new"), {"mode": "reply", "source": entry_id, "quick": "Yes.\nAlice", "send": "1"})
    text = read(in_folder(bob, Role.INBOX)[0]).text or ""
    assert text.startswith("Yes.\nAlice")
    assert "> Question" in text
    assert Entry.objects.get(pk=entry_id).flags & Flag.ANSWERED


def test_a_file_is_uploaded_shown_and_removed(client: Client, alice: Account) -> None:
    draft = start(client)
    file = SimpleUploadedFile("报价.html", b"<script>x()</script>", "image/png")
    answer = client.post(reverse("compose_attach", args=[draft.pk]), {"file": file}, headers=JSON)
    assert answer.status_code == 200
    assert "报价.html" in answer.json()["html"]
    shown = client.get(answer.json()["url"])
    assert shown["Content-Disposition"].startswith("attachment")
    assert shown["Content-Type"] == "application/octet-stream"
    removed = client.post(f"{answer.json()['url']}/remove", headers=JSON)
    assert removed.status_code == 200
    assert not row(alice, draft).attachments


def test_without_scripts_attaching_and_removing_keeps_what_is_written(client: Client, alice: Account) -> None:
    draft = start(client)
    file = SimpleUploadedFile("price.txt", b"12 USD", "text/plain")
    content = written(revision=draft.revision, subject="an offer", format="plain", text="my words")
    client.post(reverse("compose_attach", args=[draft.pk]), content | {"file": file})
    kept = row(alice, draft)
    assert (kept.subject, kept.text.strip(), len(kept.attachments)) == ("an offer", "my words", 1)
    remove = reverse("compose_detach", args=[draft.pk, kept.attachments[0].id])
    client.post(remove, content | {"revision": kept.revision, "subject": "a better offer"})
    kept = row(alice, draft)
    assert (kept.subject, len(kept.attachments)) == ("a better offer", 0)


def test_a_pasted_picture_is_sent_by_content_id(client: Client, alice: Account, bob: Account) -> None:
    draft = start(client)
    file = SimpleUploadedFile("p.png", PNG, "image/png")
    url = client.post(reverse("compose_attach", args=[draft.pk]), {"file": file, "inline": "1"}, headers=JSON).json()[
        "url"
    ]
    step(client, draft, "send", html=f'<p>Look <img src="http://testserver{url}" alt=""></p>')
    sent = read(in_folder(bob, Role.INBOX)[0])
    assert sent.attachments[0].inline
    assert f"cid:{sent.attachments[0].content_id}" in (sent.html or "")


def test_a_picture_taken_out_of_the_text_is_not_sent(client: Client, bob: Account) -> None:
    draft = start(client)
    file = SimpleUploadedFile("p.png", PNG, "image/png")
    client.post(reverse("compose_attach", args=[draft.pk]), {"file": file, "inline": "1"}, headers=JSON)
    step(client, draft, "send")
    assert read(in_folder(bob, Role.INBOX)[0]).attachments == ()


def test_files_beyond_the_limit_of_a_mail_are_refused(client: Client, alice: Account) -> None:
    Domain.objects.update(message_max_bytes=2 * 1024 * 1024)
    draft = start(client)
    file = SimpleUploadedFile("big.bin", b"x" * 1_700_000)
    answer = client.post(reverse("compose_attach", args=[draft.pk]), {"file": file}, headers=JSON)
    assert answer.status_code == 422
    assert "2 MB" in answer.json()["error"]
    assert not row(alice, draft).attachments


def test_discarding_leaves_nothing(client: Client, alice: Account) -> None:
    draft = start(client)
    assert client.post(reverse("compose_discard", args=[draft.pk]), headers=JSON).status_code == 200
    assert not Draft.objects.exists()
    assert in_folder(alice, Role.DRAFTS) == []


def test_where_to_go_afterwards_is_ours_alone(client: Client) -> None:
    draft = start(client)
    for wanted in ("https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:x"):
        answer = step(client, draft, "save", next=wanted, close="1")
        assert answer.status_code == 200
        content = written(revision=answer.json()["revision"], next=wanted, close="1")
        assert client.post(reverse("compose_save", args=[draft.pk]), content)["Location"] == reverse("inbox")


def test_pasted_recipients_are_parsed_in_any_form(client: Client, bob: Account) -> None:
    text = "Bob <bob@example.test>； 李娜 lina@lichtwerk.test\nnobody@example.test, what"
    people = client.post(reverse("compose_recipients"), {"text": text}).json()["people"]
    assert [(each["address"], each["valid"]) for each in people] == [
        ("bob@example.test", True),
        ("lina@lichtwerk.test", True),
        ("nobody@example.test", False),
        ("what", False),
    ]
    assert all(each["reason"] for each in people if not each["valid"])


def test_completion_finds_correspondents_and_colleagues_but_no_strangers(
    client: Client, bob: Account, charlie: Account
) -> None:
    step(client, start(client), "send", to="王小明 <wang@lichtwerk.test>")

    def found(text: str) -> list[str]:
        return [each["address"] for each in client.get(reverse("compose_complete"), {"q": text}).json()["people"]]

    assert found("wxm") == ["wang@lichtwerk.test"]
    assert found("xiaoming") == ["wang@lichtwerk.test"] or found("wangxiao") == ["wang@lichtwerk.test"]
    assert found("bob") == ["bob@example.test"]
    assert found("charlie") == []
    assert found("") == []


def test_a_draft_in_its_folder_opens_in_the_composer(client: Client, alice: Account) -> None:
    draft = start(client)
    draft.refresh_from_db()
    entry = Entry.objects.get(pk=draft.snapshot_entry_id)
    answer = client.get(reverse("message", args=[entry.folder_id, entry.pk]))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("compose", args=[draft.pk])


def test_a_draft_of_a_mail_program_can_be_gone_on_with(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail("Half a sen", From="alice@example.test", To="bob@example.test"), role=Role.DRAFTS)
    folder_id = Entry.objects.get(pk=entry_id).folder_id
    assert b'value="go_on"' in client.get(reverse("message", args=[folder_id, entry_id])).content
    draft = answer_to(client, entry_id, "go_on")
    assert (draft.to, draft.text.strip()) == ("bob@example.test", "Half a sen")


def test_a_stranger_finds_no_draft(client: Client, bob: Account, charlie: Account) -> None:
    draft = start(client)
    file = SimpleUploadedFile("a.txt", b"x")
    url = client.post(reverse("compose_attach", args=[draft.pk]), {"file": file}, headers=JSON).json()["url"]
    for stranger in (bob, charlie):
        browser = browser_of(stranger)
        assert browser.get(reverse("compose", args=[draft.pk])).status_code == 404
        assert browser.get(url).status_code == 404
        for name in ("save", "send", "attach", "discard"):
            answer = browser.post(reverse(f"compose_{name}", args=[draft.pk]), written(revision=draft.revision))
            assert answer.status_code == 404, name
        assert browser.post(f"{url}/remove").status_code == 404
        assert browser.post(reverse("compose_undo", args=[draft.pk, 1])).status_code == 404
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_a_stranger_answers_no_mail_of_mine(alice: Account, bob: Account, charlie: Account) -> None:
    entry_id = deliver(alice, mail())
    for stranger in (bob, charlie):
        for mode in ("reply", "reply_all", "forward", "forward_attached", "edit_as_new", "go_on"):
            answer = browser_of(stranger).post(reverse("compose_new"), {"mode": mode, "source": entry_id})
            assert answer.status_code == 404
    assert not Draft.objects.exists()


@pytest.mark.parametrize("source", ["", "x", "-1", "9" * 30, "１２"])
def test_an_answer_to_nothing_is_404(client: Client, source: str) -> None:
    assert client.post(reverse("compose_new"), {"mode": "reply", "source": source}).status_code == 404


def test_a_held_mail_can_be_taken_back(client: Client, bob: Account, settings: Any) -> None:
    settings.UNDO_SEND_S = 600
    draft = start(client)
    undo = step(client, draft, "send").json()["undo"]
    assert in_folder(bob, Role.INBOX) == []
    assert client.post(undo["url"], headers=JSON).json()["next"] == reverse("compose", args=[draft.pk])
    assert Draft.objects.filter(pk=draft.pk).exists()
    assert Delivery.objects.get().state == Delivery.State.CANCELLED


def test_the_editor_has_a_policy_of_its_own_and_other_pages_stay_strict(client: Client) -> None:
    editor = client.get(reverse("compose_editor"))["Content-Security-Policy"]
    composer = client.get(reverse("compose_new"))["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in editor
    assert "script-src 'self';" in editor
    assert "unsafe" not in composer


def test_sent_individually_each_sees_himself_and_the_author_keeps_one_mail(
    client: Client, alice: Account, bob: Account
) -> None:
    draft = start(client, cc="Ann <ann@far.example>", bcc="x@far.example", individual="on")
    page = client.get(reverse("compose", args=[draft.pk])).content.decode()
    assert 'name="individual" checked' in page
    answer = step(client, draft, "send", cc="Ann <ann@far.example>", bcc="x@far.example", individual="on")
    assert answer.status_code == 200, answer.content
    submission = Submission.objects.get()
    assert submission.is_individual
    assert dict(Delivery.objects.values_list("recipient", "name")) == {
        "bob@example.test": "Bob",
        "ann@far.example": "Ann",
        "x@far.example": "",
    }
    sent = read(entries.raw(access_for(alice, alice.pk), submission.sent_entry_id or 0))
    assert [each.address for each in sent.to] == ["bob@example.test", "ann@far.example", "x@far.example"]
    assert not sent.cc
    (copy,) = Entry.objects.filter(mailbox_id=bob.pk)
    assert [each.address for each in read(entries.raw(access_for(bob, bob.pk), copy.pk)).to] == ["bob@example.test"]


def test_names_in_the_text_are_each_recipients_own_or_the_author_is_told_who_has_none(
    client: Client, alice: Account, bob: Account
) -> None:
    fields = {"subject": "To {{name}}", "html": "<p>Dear {{姓名}}, at noon?</p>", "individual": "on"}
    draft = start(client, cc="x@far.example", **fields)
    answer = step(client, draft, "send", cc="x@far.example", **fields)
    assert answer.status_code == 422
    assert "x@far.example" in answer.json()["errors"][0]
    assert answer.json()["field"] == "to"
    draft.refresh_from_db()
    assert "Dear {{姓名}}" in draft.html
    assert step(client, draft, "send", cc="Ann <x@far.example>", **fields).status_code == 200
    (copy,) = Entry.objects.filter(mailbox_id=bob.pk)
    got = read(entries.raw(access_for(bob, bob.pk), copy.pk))
    assert (got.subject, (got.text or "").strip()) == ("To Bob", "Dear Bob, at noon?")
    assert "<p>Dear Bob, at noon?</p>" in (got.html or "")
