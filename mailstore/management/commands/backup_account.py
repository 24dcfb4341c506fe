"""`manage.py backup_account`: everything of one account into one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from core.access import system_access
from core.errors import MailError
from mailstore.archive.backup import AccountBackup, backup_account


class Command(BaseCommand):
    """Shows progress on standard error."""

    help = "Write folders, mail, labels, drafts and settings of an account to one .tar.zst; its mail goes on meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and where to."""
        parser.add_argument("address")
        parser.add_argument("target", type=Path, help="a file that doesn't exist yet, for example alice.tar.zst")

    def handle(self, *_: Any, **options: Any) -> None:
        """Back up and say what is in it."""
        account = Account.objects.filter(address=options["address"].lower()).first()
        if account is None:
            raise CommandError(f"There is no account {options['address']}.")
        try:
            report = backup_account(system_access(account.pk), options["target"], progress=self._tell)
        except MailError as error:
            why = error.data.get("error") or error.data.get("path") or ""
            raise CommandError(f"No backup: {error.kind.value} {why}") from error
        rows = ", ".join(f"{count} {label.partition('.')[2]}" for label, count in report.rows.items())
        self.stdout.write(f"{options['target']}: {report.contents} contents, {rows}")

    def _tell(self, report: AccountBackup) -> None:
        if report.contents % 1_000 < 20:
            self.stderr.write(f"{report.contents} contents, {report.content_bytes >> 20} MB")
