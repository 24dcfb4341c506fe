"""`manage.py export_mail`: a mailbox into mbox, Maildir or .eml files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from core.access import system_access
from mailstore.portable.exporting import ExportReport, export_mail
from mailstore.portable.sources import Form
from mailstore.selectors.folders import folder_tree


class Command(BaseCommand):
    """Prints progress by folder; the exit code is 1 when a message could not be read."""

    help = "Export an account's mail with folders, flags and arrival times. Repeating writes nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose mailbox, where to, how."""
        parser.add_argument("address", help="the account's address")
        parser.add_argument("target", type=Path, help="a directory; for zip a file")
        parser.add_argument("--form", choices=[form.value for form in Form], default=Form.MBOX.value)
        parser.add_argument("--folder", action="append", help="only this folder (A/B); may be repeated")

    def handle(self, *_: Any, **options: Any) -> None:
        """Export, print, exit."""
        account = Account.objects.filter(address=options["address"].lower()).first()
        if account is None:
            raise CommandError(f"There is no account {options['address']}.")
        access = system_access(account.pk)
        chosen = [self._folder_id(access, path) for path in options["folder"]] if options["folder"] else None
        report = export_mail(
            access, options["target"], Form(options["form"]), folder_ids=chosen, progress=self._progress
        )
        for failure in report.failures:
            self.stdout.write(f"not exported: {failure.place}: {failure.reason}")
        self.stdout.write(
            f"{report.exported} exported ({report.exported_bytes} bytes) from {report.folders} folders, "
            f"{len(report.failures)} could not be read"
        )
        if report.failures:
            sys.exit(1)

    def _progress(self, report: ExportReport) -> None:
        self.stderr.write(f"{report.folders} folders, {report.exported} mails, {report.exported_bytes >> 20} MB")

    def _folder_id(self, access: Any, path: str) -> int:
        paths: dict[int, tuple[str, ...]] = {}
        for row in folder_tree(access):
            paths[row.id] = (*paths.get(row.parent_id, ()), row.name)
            if "/".join(paths[row.id]) == path:
                return row.id
        raise CommandError(f"There is no folder {path}.")
