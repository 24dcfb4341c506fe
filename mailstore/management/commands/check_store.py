"""`manage.py check_store`: whether the mail store agrees with itself."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailstore.check_store import check_store


class Command(BaseCommand):
    """Prints a table of findings; the exit code is 1 when something is (still) wrong."""

    help = (
        "Verify counters, ids, threads, labels and blobs of every mailbox; --repair writes what can be computed anew."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One mailbox, or all."""
        parser.add_argument("--mailbox", type=int, help="the account's id; all mailboxes without it")
        parser.add_argument("--repair", action="store_true", help="write the expected values")

    def handle(self, *_: Any, **options: Any) -> None:
        """Check, print, exit."""
        findings = check_store(options["mailbox"], repair=options["repair"])
        for each in findings:
            done = "repaired" if each.repaired else "wrong"
            line = f"{done:<9} {each.mailbox:>8}  {each.check:<36} {each.where:<22} {each.stored} -> {each.expected}"
            self.stdout.write(line)
        self.stdout.write(f"{len(findings)} findings")
        if any(not each.repaired for each in findings):
            sys.exit(1)
