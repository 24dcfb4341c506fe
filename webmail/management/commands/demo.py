"""`manage.py demo`: a demo company with a few hundred mails, made once; prints who can sign in."""

from __future__ import annotations

import logging
import time
import unicodedata
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from webmail.demo import company
from webmail.demo.fill import DomainTakenError, fill


class Command(BaseCommand):
    """Fills what is empty and shows how to get in."""

    help = "Make a demo company with accounts and mails (kept on a second run), and print its accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it unless it is there."""
        logging.getLogger("core.changes").setLevel(logging.ERROR)  # nobody listens yet, and Redis is not up
        began = time.monotonic()
        try:
            filled = fill()
        except DomainTakenError:
            raise CommandError(
                f"{company.DOMAIN} exists here already and is no demo. Use another DATA_DIR for the demo."
            ) from None
        if filled.arrived or filled.sent:
            took = time.monotonic() - began
            self.stdout.write(
                f"Demo company: {filled.arrived} mails received, {filled.sent} sent, {filled.drafts} drafts, {took:.1f} s."
            )
        self.say_accounts()

    def say_accounts(self) -> None:
        """Address, people and password."""
        write = self.stdout.write
        write("")
        write(f"  {company.TITLE} ({company.DOMAIN}): sign in at {settings.BASE_URL}")
        write(f"  The password of every account is  {company.PASSWORD}")
        write("")
        for each in company.COLLEAGUES:
            if each.kind == Account.Kind.SHARED:
                continue
            write(f"    {each.address:<24}{_padded(each.name, 16)}{_padded(each.title, 30)}{_remark(each)}".rstrip())
        if settings.LISTEN_HOST not in {"127.0.0.1", "::1", "localhost"}:
            write("")
            write(self.style.WARNING("  Everybody knows this password, and LISTEN_HOST opens the demo to the network."))


def _remark(colleague: company.Colleague) -> str:
    if colleague.role != Account.Role.MEMBER:
        return f"administration: {settings.BASE_URL}/admin/"
    return "start here" if colleague == company.COLLEAGUES[0] else ""


def _padded(text: str, width: int) -> str:
    """To `width` columns of a terminal, where a Han character takes two."""
    taken = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    return text + " " * max(1, width - taken)
