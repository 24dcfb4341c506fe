"""`manage.py smtpd`: receive mail (MX) and submissions until stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from core.processes import die_with_parent, tune_interpreter
from mta.smtp_in.server import serve


class Command(BaseCommand):
    """Run one SMTP process, or several that share the ports."""

    help = "Receive mail: MX, submission (STARTTLS) and submission over TLS."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many processes."""
        parser.add_argument("--processes", type=int, default=settings.SMTPD_PROCESSES)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM; the first process passes it on to the others."""
        tune_interpreter()
        children = [_fork() for _ in range(options["processes"] - 1)]
        asyncio.run(serve())
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)


def _fork() -> int:
    """Start a sibling before any thread or connection exists; its pid."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        die_with_parent(parent)
        asyncio.run(serve())
        os._exit(0)
    return child
