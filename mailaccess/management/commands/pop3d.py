"""`manage.py pop3d`: serve POP3 until stopped."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from core.processes import freeze_loaded
from mailaccess.pop3.connection import Connection
from mailaccess.server import serve


class Command(BaseCommand):
    """Run one POP3 process."""

    help = "Serve mail programs over POP3 (STARTTLS and TLS)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until SIGTERM."""
        ports = {"plain": settings.POP3_PORT, "tls": settings.POP3S_PORT}
        freeze_loaded()
        asyncio.run(serve("pop3", lambda gate, tls: Connection(gate, tls=tls), **ports))
