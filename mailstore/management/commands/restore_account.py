"""`manage.py restore_account`: an archive of `backup_account` into an empty mailbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.addressing import parse
from accounts.models import Account, Domain
from accounts.services import create_account
from core.access import system_access
from core.errors import ErrorKind, MailError
from mailstore.archive.form import verify
from mailstore.archive.restore import restore_account


class Command(BaseCommand):
    """Verifies the archive, then restores."""

    help = "Restore an account's archive. The mailbox must be empty; with --create the account is made."

    def add_arguments(self, parser: CommandParser) -> None:
        """From where, and to whom."""
        parser.add_argument("source", type=Path)
        parser.add_argument("--address", default="", help="another account than the one it is a backup of")
        parser.add_argument("--create", action="store_true", help="make the account, without a password")
        parser.add_argument("--replace", action="store_true", help="delete for good what the mailbox holds")

    def handle(self, *_: Any, **options: Any) -> None:
        """Restore and say what came."""
        source: Path = options["source"]
        try:
            facts = verify(source)["account"]
            address = (options["address"] or facts["address"]).lower()
            account = Account.objects.filter(address=address).first()
            if account is None and options["create"]:
                account = self._create(address, facts)
            if account is None:
                raise CommandError(f"There is no account {address}; --create makes it.")
            rows = restore_account(system_access(account.pk), source, replace=options["replace"])
        except MailError as error:
            raise CommandError(_sentence(error, source)) from error
        self.stdout.write(
            f"{address}: " + ", ".join(f"{count} {label.partition('.')[2]}" for label, count in rows.items())
        )

    def _create(self, address: str, facts: dict[str, Any]) -> Account:
        parts = parse(address)
        domain = Domain.objects.filter(name=parts.domain).first() if parts else None
        if parts is None or domain is None:
            raise CommandError(f"There is no domain for {address}.")
        fields = {name: facts[name] for name in ("name", "title", "kind", "language", "time_zone", "quota_bytes")}
        return create_account(domain, parts.local_part, password=None, **fields)


def _sentence(error: MailError, source: Path) -> str:
    if error.kind is ErrorKind.IN_USE:
        return "The mailbox holds mail. Restore to another account, or give --replace to delete it for good first."
    if error.kind is ErrorKind.NOT_FOUND:
        return f"There is no {source}."
    return f"Not restored: {error.data.get('problem') or error.data.get('error') or error.kind.value}"
