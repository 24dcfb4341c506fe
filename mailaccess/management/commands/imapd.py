"""`manage.py imapd`: serve IMAP until stopped."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from mailaccess.imap.server import serve


class Command(BaseCommand):
    """Run one IMAP process."""

    help = "Serve mail programs over IMAP (STARTTLS and TLS)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until SIGTERM."""
        asyncio.run(serve())
