"""Rows of a list: what they say, in which words, and that nothing of a mail gets out of its place."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.utils import timezone, translation
from hypothesis import given, settings as hypothesis_settings, strategies as st

from mailstore.message.scan import Attribute
from mailstore.models import Flag, Role
from mailstore.selectors.lists import ListRow
from webmail.rows import Rows

NOW = datetime.datetime(2026, 11, 25, 9, 0, tzinfo=datetime.UTC)


def row(**fields: Any) -> ListRow:
    """A row with plain defaults; names that aren't given are zero or empty by their type."""
    defaults: dict[str, Any] = {
        name: "" if "str" in str(annotation) else 0 for name, annotation in ListRow.__annotations__.items()
    }
    given_fields = {
        "entry_id": 7,
        "folder_id": 5,
        "sort_us": int(NOW.timestamp() * 1e6),
        "sender_name": "Anna",
        "sender_address": "anna@x.test",
        "subject": "Hi",
        "preview": "Text",
        "thread_count": 1,
    }
    return ListRow(**{**defaults, **given_fields, **fields})


def shown(*, role: str = Role.INBOX, names: dict[int, str] | None = None, current: int = 0, **fields: Any) -> str:
    with translation.override("en"):
        return str(Rows(role=role, folder_names=names, current=current).render([row(**fields)]))


def test_a_row_says_who_what_and_whether_it_was_read() -> None:
    new, read = shown(), shown(flags=int(Flag.SEEN))
    assert ">Anna<" in new and ">Hi<" in new and ">Text<" in new
    assert "is-new" in new and "Unread: " in new
    assert "is-new" not in read and "Unread: " not in read
    assert 'href="/mail/5/7/"' in new


@pytest.mark.parametrize("field", ["subject", "preview", "sender_name", "recipients"])
@hypothesis_settings(max_examples=30, deadline=None)
@given(text=st.text(alphabet="<>&\"'`=/ abc\u202e\0\n", max_size=30))
def test_no_text_of_a_mail_becomes_markup(field: str, text: str) -> None:
    role = Role.SENT if field == "recipients" else Role.INBOX
    inside = shown(role=role, **{field: text})
    plain = shown(role=role, **{field: "x"})
    assert re.sub(r'"[^"]*"|>[^<]*<', "", inside).count("<") <= re.sub(r'"[^"]*"|>[^<]*<', "", plain).count("<")
    assert len(re.findall(r"<(?!/)", inside)) in {
        len(re.findall(r"<(?!/)", plain)),
        len(re.findall(r"<(?!/)", plain)) - 1,
    }


def test_what_is_empty_has_words() -> None:
    assert "(no subject)" in shown(subject="")
    assert "(unknown sender)" in shown(sender_name="", sender_address="")
    assert "(no recipient)" in shown(role=Role.SENT)


def test_marks_are_named() -> None:
    html = shown(
        flags=int(Flag.ANSWERED | Flag.FORWARDED | Flag.FLAGGED),
        attributes=int(Attribute.ATTACHMENT | Attribute.HIGH_PRIORITY),
    )
    for name in ("Has attachments", "Answered", "Forwarded", "High priority"):
        assert name in html
    assert 'name="unstar"' in html and 'aria-pressed="true"' in html


def test_the_opened_mail_is_marked() -> None:
    assert 'aria-current="true"' in shown(current=7)
    assert "aria-current" not in shown(current=8)


def test_a_found_mail_names_its_folder() -> None:
    assert "<Sales>" not in shown(names={5: "<Sales>"})
    assert "&lt;Sales&gt;" in shown(names={5: "<Sales>"})


@pytest.mark.parametrize(
    ("days", "group"),
    [
        (0, "Today"),
        (1, "Yesterday"),
        (2, "This week"),
        (3, "Last week"),
        (9, "Last week"),
        (10, "Earlier"),
        (400, "Earlier"),
    ],
)
def test_days_are_grouped_as_people_speak(days: int, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)  # a Wednesday
    with timezone.override(datetime.UTC):
        html = shown(sort_us=int((NOW - datetime.timedelta(days=days)).timestamp() * 1e6))
    assert f"<h2>{group}</h2>" in html


def test_a_day_begins_in_the_readers_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    late = datetime.datetime(2026, 11, 24, 17, 0, tzinfo=datetime.UTC)
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with timezone.override("Asia/Shanghai"):
        assert "<h2>Today</h2>" in shown(sort_us=int(late.timestamp() * 1e6))
    with timezone.override("America/New_York"):
        assert "<h2>Yesterday</h2>" in shown(sort_us=int(late.timestamp() * 1e6))
