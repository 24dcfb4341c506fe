"""`manage.py restore`: a backup into an empty installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import ErrorKind, MailError
from webmail.backup.restore import restore_backup


class Command(BaseCommand):
    """Verifies everything, then restores."""

    help = "Restore a backup into an empty DATA_DIR and database. Verifies every file first."
    requires_system_checks = []  # noqa: RUF012 - Django's name

    def add_arguments(self, parser: CommandParser) -> None:
        """From where."""
        parser.add_argument("source", type=Path)

    def handle(self, *_: Any, **options: Any) -> None:
        """Restore and say what is next."""
        source: Path = options["source"]
        try:
            manifest = restore_backup(source)
        except MailError as error:
            raise CommandError(_sentence(error, source)) from error
        self.stdout.write(f"Restored {source} of {manifest['created_at']}: {len(manifest['files'])} files.")
        self.stdout.write("Next: manage.py migrate, manage.py check_store, manage.py reindex, then serve.")


def _sentence(error: MailError, source: Path) -> str:
    if error.kind is ErrorKind.EXISTS:
        return f"There is an installation already ({error.data['path']}). Restore into an empty DATA_DIR."
    if error.kind is ErrorKind.NOT_FOUND:
        return f"{source} is no backup, or one that was not finished."
    if error.kind is ErrorKind.INVALID:
        problems = error.data["problems"]
        return f"{source} can't be restored: " + "; ".join(problems if isinstance(problems, list) else [str(problems)])
    return f"Not restored: {error.data.get('error', error.kind.value)}"
