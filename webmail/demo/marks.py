"""What people have put on their mail: labels, to-do marks. Found by subject; a second run changes nothing."""

from __future__ import annotations

import tomllib
from typing import Any

from core.access import Access
from mailstore.selectors.keywords import keywords
from mailstore.selectors.lists import Filter, list_page
from mailstore.services.keywords import create_label, set_keywords
from mailstore.services.todos import finish_todo, mark_todo
from webmail import drafting
from webmail.demo import company
from webmail.demo.script import FOLDER
from webmail.labels import COLOURS


def put_marks() -> None:
    """All of them, durably."""
    accounts = company.accounts()
    given = tomllib.loads((FOLDER / "marks.toml").read_text("utf-8"))
    owners = {name: drafting.writing_access(account, account.pk) for name, account in accounts.items()}
    for each in given["label"]:
        _label(owners[each["owner"]], each)
    for kind in ("todo", "done"):
        for each in given[kind]:
            access = owners[each["owner"]]
            found = [entry for subject in each["subjects"] for entry in _mails(access, subject)[:1]]
            mark_todo(access, found)
            if kind == "done":
                finish_todo(access, found)


def _label(access: Access, given: dict[str, Any]) -> None:
    known = {row.label: row.id for row in keywords(access)}
    label = known.get(given["name"]) or create_label(access, given["name"], colour=COLOURS[given["colour"]][0]).id
    set_keywords(access, [entry for subject in given["subjects"] for entry in _mails(access, subject)], add=[label])


def _mails(access: Access, subject: str) -> list[int]:
    """Mails with this in their subject, newest first."""
    rows = list_page(access, None, filter=Filter(text=subject), limit=500).rows
    return [row.entry_id for row in rows if subject in row.subject]
