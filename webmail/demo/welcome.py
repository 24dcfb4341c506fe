"""Who can sign in to the demo, for the terminal."""

from __future__ import annotations

import unicodedata
from typing import Protocol

from django.conf import settings

from accounts.models import Account
from webmail.demo import company


class Terminal(Protocol):
    """Django's wrapped standard output."""

    def write(self, msg: str) -> object:
        """A line."""


def say_accounts(out: Terminal) -> None:
    """People, password and what to mind."""
    out.write("")
    out.write(f"  {company.TITLE} ({company.DOMAIN}), the password of every account is  {company.PASSWORD}")
    out.write("")
    for each in company.COLLEAGUES:
        if each.kind == Account.Kind.SHARED:
            continue
        line = f"    {each.address:<24}{_padded(each.name, 16)}{_padded(each.title, 30)}{_remark(each)}"
        out.write(line.rstrip())
    if settings.LISTEN_HOST not in {"127.0.0.1", "::1", "localhost"}:
        out.write("")
        out.write("  Mind: everybody knows this password, and LISTEN_HOST opens the demo to the network.")


def _remark(colleague: company.Colleague) -> str:
    if colleague.role != Account.Role.MEMBER:
        return f"administration: {settings.BASE_URL}/admin/"
    return "start here" if colleague == company.COLLEAGUES[0] else ""


def _padded(text: str, width: int) -> str:
    """To `width` columns of a terminal, where a Han character takes two."""
    taken = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    return text + " " * max(1, width - taken)
