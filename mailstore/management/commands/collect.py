"""`manage.py collect`: remove what time has taken (the worker's schedule calls the same service)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailstore.blobs import GRACE_S
from mailstore.services.collect import collect


class Command(BaseCommand):
    """Prints how much went."""

    help = "Expire recoverable mail, empty Trash and Junk where a domain says so, collect blobs that nobody holds."

    def add_arguments(self, parser: CommandParser) -> None:
        """The grace time."""
        parser.add_argument("--grace", type=int, default=GRACE_S, help="seconds since a blob was last touched")

    def handle(self, *_: Any, **options: Any) -> None:
        """Collect and print."""
        found = collect(grace_s=options["grace"])
        self.stdout.write(
            f"recoverable {found.recoverable}, blobs {found.blobs}, expunged ranges {found.expunged}, "
            f"emptied {found.emptied}, others {found.others}"
        )
