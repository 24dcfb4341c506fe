"""`manage.py stress`: random commands from many mail programs at one mailbox, every answer checked."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.soak.place import temporary_place


class Command(BaseCommand):
    """Starts the run in a process of its own, whose settings are the temporary installation's."""

    help = (
        "Start IMAP in a temporary place, let clients do random things in one mailbox while the server is killed now and "
        "then, and compare every answer with what earlier answers said. KEEP=1 keeps the folder."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """How long, how many, how wild."""
        parser.add_argument("--seconds", type=float, default=60.0)
        parser.add_argument("--clients", type=int, default=6)
        parser.add_argument("--seed", type=int, default=None, help="repeat the choices of another run")
        parser.add_argument("--kill", type=float, default=0.3, help="chance of a kill -9 before each comparison")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; CommandError (exit code 1) when a rule was broken."""
        seed = random.randrange(10**6) if options["seed"] is None else options["seed"]
        command = [sys.executable, "-m", "webmail.stress", "--seed", str(seed)]
        for name in ("seconds", "clients", "kill"):
            command += [f"--{name}", str(options[name])]
        with temporary_place() as environment:
            self.stdout.write(f"stress: seed {seed}, {environment['DATA_DIR']}")
            self.stdout.flush()
            if subprocess.run(command, env=environment, cwd=settings.BASE_DIR, check=False).returncode:
                raise CommandError(f"stress failed; the installation is kept: {environment['DATA_DIR']}")
        self.stdout.write("stress: every answer was right")
