"""`manage.py demo`: a demo company with a few hundred mails, made once; prints who can sign in."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.demo import company
from webmail.demo.fill import DomainTakenError, fill
from webmail.demo.welcome import say_accounts


class Command(BaseCommand):
    """Fills what is empty and shows how to get in."""

    help = "Make a demo company with accounts and mails (kept on a second run), and print its accounts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to print the accounts."""
        parser.add_argument("--quiet", action="store_true", help="do not print the accounts")

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
        if not options["quiet"]:
            say_accounts(self.stdout)
