"""What people were writing when the demo begins: drafts, as the composer keeps them."""

from __future__ import annotations

import tomllib
from typing import Any

from accounts.models import Account
from core.access import system_access
from mailstore.selectors.folders import folder_by_role
from mailstore.services.drafts import create_draft
from webmail import composing, drafting
from webmail.demo import company, markup
from webmail.demo.script import FOLDER, people


def create_drafts() -> int:
    """Drafts for those who have none; how many were made."""
    accounts = company.accounts()
    given = tomllib.loads((FOLDER / "drafts.toml").read_text("utf-8"))["draft"]
    idle = {name for name, account in accounts.items() if not _has_drafts(account)}
    wanted = [each for each in given if each["from"] in idle]
    for each in wanted:
        _create(accounts[each["from"]], each)
    return len(wanted)


def _has_drafts(account: Account) -> bool:
    return folder_by_role(system_access(account.pk), "drafts").total > 0


def _create(author: Account, given: dict[str, Any]) -> None:
    access = drafting.writing_access(author, author.pk)
    draft = create_draft(
        access,
        identity=author.address,
        to=_addresses(given.get("to", ())),
        cc=_addresses(given.get("cc", ())),
        subject=given["subject"],
        html=markup.to_html(given["text"], str),
        text=markup.to_plain(given["text"]),
        options=dict(composing.DEFAULT_OPTIONS),
    )
    drafting.snapshot(access, author, draft, close=True)


def _addresses(keys: list[str]) -> str:
    known = people()
    return ", ".join(f"{known[key].name} <{known[key].address}>" for key in keys)
