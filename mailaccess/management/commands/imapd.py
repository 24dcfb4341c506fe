"""`manage.py imapd`: serve IMAP until stopped."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from core.processes import freeze_loaded
from core.serving import EVERY_MINUTE
from mailaccess.imap.connection import Connection
from mailaccess.imap.recent import recents
from mailaccess.imap.search import files
from mailaccess.imap.search.ahead import ahead
from mailaccess.imap.search.collation import make_tables
from mailaccess.server import AT_CLOSE, serve


class Command(BaseCommand):
    """Run one IMAP process."""

    help = "Serve mail programs over IMAP (STARTTLS and TLS)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until SIGTERM."""
        ports = {"plain": settings.IMAP_PORT, "tls": settings.IMAPS_PORT}
        make_tables()
        freeze_loaded()
        files.form()
        EVERY_MINUTE.extend((recents.save, files.tidy))
        AT_CLOSE.append(ahead.close)
        asyncio.run(serve("imap", lambda gate, tls: Connection(gate, tls=tls), **ports))
        recents.save()
