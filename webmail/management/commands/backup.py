"""`manage.py backup`: everything into one directory, while it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.errors import MailError
from webmail.backup.make import BackupReport, make_backup

EVERY = 1_000


class Command(BaseCommand):
    """Prints where it is; the exit code is 1 when the store itself lacks something."""

    help = "Write database, large blobs, key ring and certificates to a new directory. Mail goes on meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("target", nargs="?", type=Path, help="by default DATA_DIR/backups/<date and time>")

    def handle(self, *_: Any, **options: Any) -> None:
        """Back up, print, exit."""
        name = timezone.now().strftime("%Y%m%d-%H%M%S")
        target: Path = options["target"] or settings.DATA_DIR / "backups" / name
        told = 0

        def tell(report: BackupReport) -> None:
            nonlocal told
            if report.objects - told >= EVERY:
                told = report.objects
                self.stderr.write(f"{report.objects} objects, {report.object_bytes >> 20} MB")

        try:
            report = make_backup(target, progress=tell)
        except MailError as error:
            raise CommandError(
                f"No backup: {error.kind.value} {error.data.get('error') or error.data.get('path')}"
            ) from error
        for missing in report.missing:
            self.stdout.write(f"not in the backup, because the store has lost it: {missing}")
        self.stdout.write(f"{report.path}: database, key ring, {report.objects} objects ({report.object_bytes} bytes)")
        self.stdout.write("Who has it can read all mail and sign in as anybody: keep it as safe as the server itself.")
        if report.missing:
            sys.exit(1)
