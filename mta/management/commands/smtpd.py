"""`manage.py smtpd`: receive mail (MX) and submissions until stopped."""

from __future__ import annotations

import functools
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from core.processes import tune_interpreter
from core.siblings import Finished, Siblings, Tally
from mta.smtp_in.server import run_alone, run_as_sibling


class Command(BaseCommand):
    """Run one SMTP process, or several that share the ports."""

    help = "Receive mail: MX, submission (STARTTLS) and submission over TLS."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many processes."""
        parser.add_argument("--processes", type=int, default=settings.SMTPD_PROCESSES)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM; several have a parent that passes it on."""
        tune_interpreter()
        count = options["processes"]
        if count <= 1:
            run_alone()
            return
        connections.close_all()  # a child must not share one
        work = functools.partial(run_as_sibling, count=count, tally=Tally(count), finished=Finished(count))
        code = Siblings(count, work).run()
        if code:
            sys.exit(code)
