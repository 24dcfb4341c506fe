"""`manage.py reindex`: bring the search index in line with the store."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailstore import sql
from mailstore.search.index import index
from mailstore.search.indexer import Indexer, only_indexer
from mailstore.search.rebuild import differences, enqueue, start_over, waiting

REPORT_S = 1.0


class Command(BaseCommand):
    """Shows its progress; with --check only compares, exit code 1 when both differ."""

    help = "Index every message again (searches go on meanwhile), or compare the index with the store."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which mailbox, and how."""
        parser.add_argument("--mailbox", type=int, help="the account's id; all mailboxes without it")
        parser.add_argument(
            "--fresh", action="store_true", help="empty the index first (all mailboxes): the smallest file"
        )
        parser.add_argument("--check", action="store_true", help="compare only")
        parser.add_argument(
            "--repair", action="store_true", help="with --check: put in what is missing, hide what is too much"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Check, or enqueue and index."""
        if options["check"]:
            self._check(options["mailbox"], repair=options["repair"])
            return
        found = start_over() if options["fresh"] else enqueue(options["mailbox"])
        self.stdout.write(f"{found} messages to look at")
        with only_indexer() as is_ours:
            self._work(found) if is_ours else self._watch(found)
        documents, hidden = index().size()
        self.stdout.write(f"done: {documents} messages in the index, {hidden} hidden remains")

    def _work(self, total: int) -> None:
        """Nobody else indexes here: do it."""
        worker = Indexer()
        worker.index.filled()
        done, told = 0, time.monotonic()
        while found := worker.round():
            done += found
            if time.monotonic() - told > REPORT_S:
                told = time.monotonic()
                self.stdout.write(f"{done} of {total}")
        worker.drain()
        worker.close()

    def _watch(self, total: int) -> None:
        """The running indexer does it."""
        while left := waiting():
            self.stdout.write(f"{max(0, total - left)} of {total}")
            time.sleep(REPORT_S)

    def _check(self, mailbox: int | None, *, repair: bool) -> None:
        mailboxes = (
            [mailbox] if mailbox else [row[0] for row in sql.rows("SELECT id FROM mailstore_mailbox ORDER BY id")]
        )
        count = 0
        for each in mailboxes:
            for found in differences(each, repair=repair):
                count += 1
                what = "not in the index" if found.is_missing else "in the index, not in the store"
                self.stdout.write(f"{'repaired' if repair else 'wrong':<9} {each:>8}  {found.message_id:<20} {what}")
        documents, hidden = index().size()
        self.stdout.write(
            f"{count} differences; {documents} messages in the index, {hidden} hidden remains, {waiting()} waiting"
        )
        if count and not repair:
            sys.exit(1)
