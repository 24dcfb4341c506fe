"""`manage.py move_database`: from this installation's database to another one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import ErrorKind, MailError
from webmail.backup.move import move_database, registered
from webmail.serve.prepare import only_one
from webmail.settings import database_config

EVERY = 20_000


class Command(BaseCommand):
    """Shows progress by table; nothing is changed here."""

    help = "Copy everything to another database (SQLite to PostgreSQL or back) and compare it. Stop `serve` first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("url", help="postgres://user:password@host/name, or sqlite:////path/to/mail.db")

    def handle(self, *_: Any, **options: Any) -> None:
        """Move, compare, say what is next."""
        lock = only_one()
        try:
            with registered("target", database_config(options["url"])) as target:
                copied = move_database("default", target, progress=self._tell)
        except MailError as error:
            raise CommandError(_sentence(error)) from error
        finally:
            lock.close()
        for label, each in copied.items():
            if each.rows:
                self.stdout.write(f"{label:<32} {each.rows:>9} rows  {each.digest[:16]}")
        self.stdout.write("Everything was read back and is the same.")
        self.stdout.write(f"Next: set DATABASE_URL={options['url']}, run manage.py reindex, then serve.")

    def _tell(self, table: str, rows: int) -> None:
        if rows % EVERY == 0:
            self.stderr.write(f"{table}: {rows}")


def _sentence(error: MailError) -> str:
    if error.kind is ErrorKind.EXISTS:
        return f"The target is not empty ({error.data['table']}). Nothing was changed."
    return f"What was read back from {error.data.get('table')} differs. The target was left empty."
