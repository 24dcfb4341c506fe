"""What the walk over all addresses needs: Alice's secret things, a request for each address, a snapshot of all rows."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import (
    Account,
)
from accounts.selectors import access_for
from accounts.services import (
    create_client_code,
)
from mailstore.models import Entry, Role
from mailstore.selectors.conversations import conversation_page
from mailstore.selectors.folders import folder_by_role
from mailstore.services import drafts, folders
from mailstore.services.drafts import DraftContent
from mailstore.services.entries import purge
from mailstore.services.keywords import create_label, set_keywords
from mailstore.services.todos import mark_todo
from mta.models import Approval, SendSettings, Submission
from tests.factories import quarantined
from tests.webmail.mails import PNG, deliver, mail, with_files
from webmail import drafting, reading
from webmail.acting import UNDO_SALT

SECRET = "geheimsache"
"""Part of everything of Alice's; nobody else may ever see it."""
SIGNED = {"approval_link", "forward_confirm", "held_post", "quarantine_link"}
"""Pages that a signed link opens to whoever has it; `test_signed.py`, `test_quarantine.py` and `test_approvals.py` have their tests."""
PUBLIC = {"health", "metrics", "sign_in", "sign_out", "switch_language", "switch_display"}
PUBLIC |= {"acme_challenge", "autoconfig", "autoconfig_well_known", "mta_sts"}


@dataclasses.dataclass(frozen=True)
class Things:
    """Alice's rows, by id."""

    mailbox: int
    folder: int
    inbox: int
    entry: int
    draft: int
    draft_entry: int
    file: int
    submission: int
    gone: int
    """A mail that was deleted for good and can be recovered."""
    label: int
    thread: int
    code: int
    """A client code."""
    waiting: int
    """A scheduled mail."""
    held: int
    """A mail in quarantine."""
    approval: int
    """What Alice is asked to agree to."""
    undo: str


@dataclasses.dataclass(frozen=True)
class Ask:
    """One request, and what answers are right: `stranger` for who has no right at all, `reader` for who may read."""

    url: str
    stranger: set[int] = dataclasses.field(default_factory=lambda: {404})
    reader: set[int] = dataclasses.field(default_factory=lambda: {200})
    data: dict[str, Any] | None = None
    """What is posted; None is a GET."""

    def by(self, client: Client, **headers: str) -> HttpResponse:
        """Ask it."""
        if self.data is None:
            return client.get(self.url, headers=headers)
        files = {"file": SimpleUploadedFile(self.data["file"], PNG)} if "file" in self.data else {}
        return client.post(self.url, {**self.data, **files}, headers=headers)


WAYS: dict[str, dict[str, str]] = {
    "page": {},
    "list": {"HX-Request": "true", "HX-Target": "list"},
    "pane": {"HX-Request": "true"},
    "json": {"Accept": "application/json"},
}
"""The forms in which our own scripts ask for an address."""


def things_of(alice: Account, word: str = SECRET) -> Things:
    """A mail with files, a folder, a draft with a file and its copy, a sent mail, a token of Undo."""
    access = access_for(alice, alice.pk)
    SendSettings.objects.create(account=alice, follows=True)
    entry = deliver(alice, with_files().replace(b"</p>", f" {word}</p>".encode()))
    folder = folders.create_folder(access, word)
    draft = drafts.create_draft(access, identity=alice.address)
    content = DraftContent(
        identity=alice.address, to="bob@example.test", cc="", bcc="", subject=word, html="", text=word,
        is_plain=True, options={},
    )  # fmt: skip
    draft = drafts.save_draft(access, draft.id, draft.revision, content)
    file = drafts.attach(access, draft.id, f"{word}.png", "image/png", PNG)
    drafting.snapshot(access, alice, draft, close=True)
    draft_entry = Entry.objects.get(folder_id=folder_by_role(access, Role.DRAFTS).id)
    sent = drafts.create_draft(access, identity=alice.address)
    sent = drafts.save_draft(access, sent.id, sent.revision, content)
    submission = drafting.send(access, alice, sent)
    later = drafts.create_draft(access, identity=alice.address)
    later = drafts.save_draft(access, later.id, later.revision, content)
    waiting = drafting.send(access, alice, later, schedule_us=(int(time.time()) + 86_400) * 1_000_000)
    asked = Submission.objects.get(pk=submission)
    approval = Approval.objects.create(
        submission=asked, domain_id=alice.domain_id, sender_id=0, sender="x", recipients=word, recipient_count=1,
        subject=word, size_bytes=1, rule_name=word, approver_id=alice.pk, approver=alice.address, requested_us=1,
        on_deadline="pass",
    )  # fmt: skip
    gone = deliver(alice, mail(Subject=word, Message_ID="<gone@x.test>"))
    purge(access, [gone])
    inbox = folder_by_role(access, Role.INBOX).id
    label = create_label(access, word).id
    set_keywords(access, [entry], add=[label])
    todo = deliver(alice, mail(Subject=f"{word} to do", Message_ID="<todo@x.test>"))
    mark_todo(access, [todo])
    thread = conversation_page(access, folder_by_role(access, Role.INBOX).id, unmarked=True).rows[0].thread_id
    code = create_client_code(alice, word)[0].pk
    held = quarantined(alice, word).pk
    undo = signing.dumps([[alice.pk, alice.pk], [entry, inbox]], salt=UNDO_SALT, compress=True)
    return Things(
        alice.pk, folder, inbox, entry, draft.id, draft_entry.pk, file.id, submission, gone, label, thread, code,
        waiting, held, approval.pk, undo,
    )  # fmt: skip


def requests_for(things: Things, own: Things) -> dict[str, list[Ask]]:
    """For each name of the mail pages the requests to Alice's things (and to one's own with hers mixed in)."""
    return {
        **_pages(things, own),
        **_marks(things, own),
        **_reading(things),
        **_composing(things, own),
        **_ways(things, own),
    }


def _ways(it: Things, own: Things) -> dict[str, list[Ask]]:
    """Mail on its way."""
    acts = ("edit", "now", "cancel")
    return {
        "quarantine": [
            Ask(reverse("quarantine", args=[it.mailbox])),
            Ask(reverse("quarantine", args=[own.mailbox]) + f"?before={it.held}", reader={404}),
        ],
        "quarantine_mail": [
            Ask(reverse("quarantine_mail", args=[it.mailbox, it.held])),
            Ask(reverse("quarantine_mail", args=[own.mailbox, it.held]), reader={404}),
        ],
        "quarantine_act": [
            *(
                Ask(reverse("quarantine_act", args=[it.mailbox]), data={"act": a, "ids": [it.held]}, reader={403})
                for a in ("release", "trust", "delete")
            ),
            Ask(reverse("quarantine_act", args=[own.mailbox]), data={"act": "release", "ids": [it.held]}, reader={404}),
        ],
        "quarantine_digest": [
            Ask(reverse("quarantine_digest", args=[it.mailbox]), data={"digest": "on"}, reader={403}),
        ],
        "outbox": [Ask(reverse("outbox", args=[it.mailbox]))],
        "outbox_act": [
            Ask(reverse("outbox_act", args=[it.mailbox, it.waiting])),
            Ask(reverse("outbox_act", args=[own.mailbox, it.waiting]), reader={404}),
            *(Ask(reverse("outbox_act", args=[it.mailbox, it.waiting]), data={"act": a}, reader={403}) for a in acts),
            *(Ask(reverse("outbox_act", args=[own.mailbox, it.waiting]), data={"act": a}, reader={404}) for a in acts),
        ],
        "outbox_body": [
            Ask(reverse("outbox_body", args=[it.mailbox, it.waiting])),
            Ask(reverse("outbox_body", args=[own.mailbox, it.waiting]), reader={404}),
        ],
        "outbox_part": [
            Ask(reverse("outbox_part", args=[it.mailbox, it.waiting, "1"])),
            Ask(reverse("outbox_part", args=[own.mailbox, it.waiting, "1"]), reader={404}),
        ],
        "approval": [
            Ask(reverse("approval", args=[it.approval]), data=d, reader={404}) for d in (None, {"decision": "x"})
        ],
        "approval_body": [Ask(reverse("approval_body", args=[it.approval]), reader={404})],
        "approval_part": [Ask(reverse("approval_part", args=[it.approval, "1"]), reader={404})],
        "way": [Ask(reverse("way", args=[it.submission]))],
        "way_recall": [
            Ask(reverse("way_recall", args=[it.submission]), data=data, reader={403}) for data in (None, {})
        ],
    }


def _pages(it: Things, own: Things) -> dict[str, list[Ask]]:
    write = {"reader": {403}}
    acts = ("read", "unread", "star", "unstar", "delete", "junk", "not_junk")
    act = reverse("act")
    return {
        "mailbox": [Ask(reverse("mailbox", args=[it.mailbox]), reader={302})],
        "folder": [Ask(reverse("folder", args=[each])) for each in (it.folder, it.inbox)],
        "search": [Ask(f"{reverse('search')}?q={SECRET}&mailbox={it.mailbox}")],
        "recovery": [Ask(f"{reverse('recovery')}?q={query}&mailbox={it.mailbox}") for query in ("", SECRET)],
        "act": [
            Ask(act, data={"act": "recover", "ids": [it.gone], "folder": it.folder}, **write),
            Ask(act, data={"act": "recover", "ids": [it.gone], "folder": own.folder}, reader={404}),
            # A list that one may not see is not given along with the answer to an act that one may do.
            Ask(
                act,
                data={"act": "unstar", "ids": [own.entry], "view": reverse("folder", args=[it.inbox])},
                stranger={200, 302},
                reader={200, 302},
            ),
            *(Ask(act, data={"act": name, "ids": [it.entry]}, **write) for name in acts),
            *(Ask(act, data={"act": name, "whole": "1", "folder_id": it.inbox}, **write) for name in acts),
            Ask(act, data={"act": "empty", "whole": "1", "folder_id": it.inbox}, **write),
            Ask(act, data={"act": "move", "ids": [it.entry], "folder": it.folder}, **write),
            *(Ask(act, data={"act": name, "ids": [it.entry]}, **write) for name in ("todo", "done", "restore")),
            *(
                Ask(act, data={"act": name, "threads": [it.thread], "folder_id": it.inbox}, **write)
                for name in ("read", "delete", "todo")
            ),
            Ask(act, data={"act": "read", "threads": [it.thread], "folder_id": own.inbox}, reader={404}),
            Ask(act, data={"unstar_thread": it.thread, "folder_id": it.inbox}, **write),
            *(Ask(act, data={name: it.entry}, **write) for name in ("todo", "done", "star", "unstar")),
            Ask(act, data={"label": it.label, "ids": [it.entry]}, **write),
            Ask(act, data={"act": "unlabel", "label": it.label, "ids": [it.entry]}, **write),
            Ask(act, data={"act": "label", "label": it.label, "ids": [own.entry]}, reader={404}),
            Ask(act, data={"act": "label_new", "new_label": "x", "ids": [it.entry]}, **write),
            Ask(act, data={"act": "delete", "ids": [own.entry, it.entry]}, reader={404}),
            Ask(act, data={"act": "move", "ids": [own.entry], "folder": it.folder}, reader={404}),
            Ask(act, data={"undo": it.undo}, reader={404}),
        ],
        "folder_new": [
            Ask(f"{reverse('folder_new')}?mailbox={it.mailbox}", **write),
            Ask(reverse("folder_new"), data={"name": "x", "parent": "0", "mailbox": it.mailbox}, **write),
            Ask(reverse("folder_new"), data={"name": "x", "parent": it.folder}, stranger={422}, reader={422}),
        ],
        "folder_edit": [
            Ask(reverse("folder_edit", args=[it.folder]), **write),
            Ask(reverse("folder_edit", args=[it.folder]), data={"name": "x", "parent": "0"}, **write),
            Ask(
                reverse("folder_edit", args=[own.folder]),
                data={"name": "x", "parent": it.folder},
                stranger={422},
                reader={422},
            ),
        ],
        "folder_delete": [
            Ask(reverse("folder_delete", args=[it.folder]), **write),
            Ask(reverse("folder_delete", args=[it.folder]), data={"x": "1"}, **write),
        ],
    }


def _marks(it: Things, own: Things) -> dict[str, list[Ask]]:
    """Labels, to-do marks, conversations, client codes."""
    write: dict[str, Any] = {"reader": {403}}
    of_label = [it.mailbox, it.label]
    mixed = [own.mailbox, it.label]
    form = {"name": "x", "colour": "red"}
    return {
        "todo": [Ask(reverse("todo", args=[it.mailbox]))],
        "todo_done": [Ask(reverse("todo_done", args=[it.mailbox]))],
        "program_revoke": [Ask(reverse("program_revoke", args=[it.code]), data={"x": "1"}, reader={404})],
        "labels": [Ask(reverse("labels", args=[it.mailbox]))],
        "label": [
            Ask(reverse("label", args=of_label)),
            Ask(reverse("label", args=mixed), reader={404}),
        ],
        "label_new": [Ask(reverse("label_new", args=[it.mailbox]), data=data, **write) for data in (None, form)],
        "label_edit": [
            *(Ask(reverse("label_edit", args=of_label), data=data, **write) for data in (None, form)),
            *(Ask(reverse("label_edit", args=mixed), data=data, reader={404}) for data in (None, form)),
        ],
        "label_delete": [
            *(Ask(reverse("label_delete", args=of_label), data=data, **write) for data in (None, {"x": "1"})),
            Ask(reverse("label_delete", args=mixed), data={"x": "1"}, reader={404}),
        ],
        "conversation": [
            Ask(reverse("conversation", args=[it.inbox, it.thread])),
            Ask(reverse("conversation", args=[own.inbox, it.thread]), reader={404}),
        ],
    }


def _reading(it: Things) -> dict[str, list[Ask]]:
    plain = ("message_body", "source", "original", "attachments")
    return {
        "message": [Ask(reverse("message", args=[folder, it.entry]) + "?images=1") for folder in (it.inbox,)]
        + [Ask(reverse("message", args=[it.folder, it.entry]), reader={302})],
        **{name: [Ask(reverse(name, args=[it.entry]))] for name in plain},
        "message_cid": [Ask(reverse("message_cid", args=[it.entry]) + "?cid=logo@x")],
        "message_image": [Ask(reading.picture_url(it.entry, "https://pictures.test/big.png"))],
        "attachment": [Ask(reverse("attachment", args=[it.entry, number])) for number in ("2", "4")],
        # Whose pictures are shown is the reader's own preference, not the mailbox's.
        "message_trust_images": [
            Ask(reverse("message_trust_images", args=[it.entry]), data={"x": "1"}, reader={302}),
        ],
    }


def _composing(it: Things, own: Things) -> dict[str, list[Ask]]:
    draft = {"revision": 0, "identity": "x", "to": "x@example.test", "subject": "x", "text": "x"}
    modes = ("reply", "reply_all", "forward", "forward_attached", "edit_as_new")
    write: dict[str, Any] = {"reader": {403}}

    def url(name: str, *more: int) -> str:
        return reverse(name, args=[it.draft, *more])

    return {
        # An answer is written in the reader's own mailbox.
        "compose_new": [
            *(
                Ask(reverse("compose_new"), data={"mode": mode, "source": it.entry}, reader={200, 302})
                for mode in modes
            ),
            Ask(reverse("compose_new"), data={"mode": "go_on", "source": it.draft_entry}, reader={403}),
        ],
        "compose": [Ask(url("compose"))],
        "compose_save": [Ask(url("compose_save"), data={**draft, **close}, **write) for close in ({}, {"close": "1"})],
        "compose_send": [Ask(url("compose_send"), data=draft, **write)],
        "compose_discard": [Ask(url("compose_discard"), data={"x": "1"}, **write)],
        "compose_undo": [
            Ask(url("compose_undo", it.submission), data={"x": "1"}, **write),
            Ask(reverse("compose_undo", args=[own.draft, it.submission]), data={"x": "1"}, reader={404}),
        ],
        "compose_attach": [Ask(url("compose_attach"), data={"file": "x.png"}, **write)],
        "compose_file": [
            Ask(url("compose_file", it.file)),
            Ask(reverse("compose_file", args=[own.draft, it.file]), reader={404}),
        ],
        "compose_detach": [
            Ask(url("compose_detach", it.file), data={"x": "1"}, **write),
            Ask(reverse("compose_detach", args=[own.draft, it.file]), data={"x": "1"}, reader={404}),
        ],
    }


OWN = {
    "home": "",
    "inbox": "",
    "programs": "",
    "recovery": "",
    "search": f"?q={SECRET}",
    "approvals": "",
    "approval_log": "",
    "delivery_log": "",
    "sending": "",
    "compose_new": "",
    "compose_editor": "",
    "compose_complete": f"?q={SECRET}",
}
"""Pages without anybody's id: everybody has his own, with nothing of Alice's on it."""
POSTED = {
    "compose_recipients": {"text": "x@example.test"},
    "switch_language": {"language": "en"},
    "switch_display": {"theme": "dark"},
}


def page_of(model: type[Model], name: str) -> str:
    """The name of an administration page."""
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"


LISTS = ("changelist", "export", "add")
ROWS = ("change", "delete", "history")
SITE = {"index", "app_list", "autocomplete", "jsi18n", "login", "logout", "password_change", "password_change_done"}
CLOSED = {"search", "view_on_site"}
"""Addresses of the administration that answer nobody."""


def details_of(model: type[Model]) -> tuple[str, ...]:
    """What can be done on the page of one row."""
    return tuple(getattr(admin.site._registry[model], "actions_detail", None) or ())


def admin_names() -> set[str]:
    """Every address of the administration that the walk knows."""
    names = {f"admin:{name}" for name in SITE | CLOSED}
    names |= {page_of(model, name) for model in admin.site._registry for name in details_of(model)}
    return names | {page_of(model, name) for model in admin.site._registry for name in (*LISTS, *ROWS)}


def admin_rows(rows: dict[type[Model], Model]) -> Iterator[str]:
    """Every address of each of these rows."""
    for model, row in rows.items():
        for name in (*ROWS, *details_of(model)):
            yield reverse(page_of(model, name), args=[row.pk])


def admin_lists() -> Iterator[str]:
    """Every list, form, export, search, filter and completion."""
    for model, pages in admin.site._registry.items():
        for name in LISTS:
            url = reverse(page_of(model, name))
            yield from (url, f"{url}?q={SECRET[:5]}", f"{url}?o=1")
        for source, owner in [(pages, model), *((inline, inline.model) for inline in pages.inlines)]:
            for field in source.autocomplete_fields:
                query = f"app_label={owner._meta.app_label}&model_name={owner._meta.model_name}&field_name={field}"
                yield f"{reverse('admin:autocomplete')}?{query}&term={SECRET[:5]}"
    yield from (reverse(f"admin:{name}") for name in ("index", "jsi18n", "password_change", "password_change_done"))
    yield from (reverse("admin:app_list", args=[label]) for label in ("accounts", "logs_app"))


def names(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """The names of all addresses of the origin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, prefix + (f"{pattern.namespace}:" if pattern.namespace else ""))
        elif isinstance(pattern, URLPattern) and not (prefix and pattern.name is None):  # the admin's own redirects
            yield f"{prefix}{pattern.name}"


def snapshot(mailbox: int | None = None) -> dict[str, list[Any]]:
    """All rows of all tables but sessions; with `mailbox` only what belongs to it."""
    found = {}
    for model in apps.get_models():
        rows = model._default_manager.all()
        columns = {field.attname for field in model._meta.concrete_fields}
        if mailbox is not None:
            if "mailbox_id" not in columns:
                continue
            rows = rows.filter(mailbox_id=mailbox)
        if model is not Session:
            found[model._meta.label] = sorted(rows.values_list(), key=repr)
    return found


def changed(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Rows that came or changed, by table."""
    return {
        name: [row for row in rows if row not in before[name]] for name, rows in after.items() if rows != before[name]
    }
