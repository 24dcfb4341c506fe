"""Putting letters into a folder by hand: one transaction, few statements, all or nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.models import Entry, EntryLabel, Flag, Role
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.keywords import keywords
from mailstore.services import append as appending
from mailstore.services.append import Letter, append_all, append_ready, ready
from mailstore.services.keywords import make_keyword
from tests.mailstore.letters import letter, stored_many

pytestmark = pytest.mark.django_db


def junk(access: Access) -> int:
    """A folder whose senders nobody remembers."""
    return folder_by_role(access, Role.JUNK).id


def test_they_are_stored_with_their_uids_flags_and_keywords(mine: Access) -> None:
    work = make_keyword(mine, "work").id
    letters = [Letter(letter("a"), int(Flag.SEEN), [work], 5), Letter(letter("b"))]
    made = append_all(mine, junk(mine), letters)
    assert [each.uid for each in made] == [1, 2]
    entries = [Entry.objects.get(pk=each.entry_id) for each in made]
    assert [(entry.uid, entry.flags, bool(entry.keywords)) for entry in entries] == [(1, 1, True), (2, 0, False)]
    assert entries[0].internal_us == 5
    assert list(EntryLabel.objects.values_list("entry_id", "keyword_id")) == [(made[0].entry_id, work)]
    assert [(each.total, each.unread) for each in keywords(mine)] == [(1, 0)]


def test_one_costs_one_ledger_and_no_savepoint(mine: Access) -> None:
    stored_many(mine, 3)
    append_all(mine, junk(mine), [Letter(letter("first"))])
    folder_id, letters = junk(mine), ready([Letter(letter("second"))])
    with CaptureQueriesContext(connection) as found:
        append_ready(mine, folder_id, letters)
    asked = [query["sql"] for query in found.captured_queries]
    assert sum("FROM mailstore_mailbox" in each for each in asked) == 1
    assert sum("FROM mailstore_folder" in each for each in asked) == 1
    assert len([each for each in asked if "SAVEPOINT" not in each]) <= 11, asked


def test_bytes_are_parsed_before_anything_is_locked(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[bool] = []
    depth = len(connection.savepoint_ids)  # the test's own transaction

    def noted(raw: bytes) -> Any:
        inside.append(len(connection.savepoint_ids) > depth)
        return real(raw)

    real = appending.prepare
    monkeypatch.setattr(appending, "prepare", noted)
    append_all(mine, junk(mine), [Letter(letter("a"))])
    assert inside == [False]


def test_what_follows_fails_together_with_it(mine: Access) -> None:
    def fails(entry_ids: list[int]) -> None:
        assert len(entry_ids) == 1
        raise MailError(ErrorKind.INVALID)

    with pytest.raises(MailError):
        append_ready(mine, junk(mine), ready([Letter(letter("a"))]), then=fails)
    assert not Entry.objects.exists()
    assert sql.row("SELECT total, uidnext FROM mailstore_folder WHERE id = %s", [junk(mine)]) == (0, 1)


def test_who_may_not_set_flags_stores_without_them(mine: Access) -> None:
    work = make_keyword(mine, "work").id
    dropping = dataclasses.replace(mine, rights=Right.READ | Right.INSERT)
    [made] = append_all(dropping, junk(mine), [Letter(letter("a"), int(Flag.SEEN | Flag.DELETED), [work])])
    entry = Entry.objects.get(pk=made.entry_id)
    assert (entry.flags, entry.keywords) == (0, 0)  # RFC 4314 4: APPEND does not fail for it
