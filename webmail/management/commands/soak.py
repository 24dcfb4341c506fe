"""`manage.py soak`: let mail flow through a temporary installation while its processes are killed."""

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
        "Start everything in a temporary place, let mail flow, kill -9 processes, and check what was promised. "
        "KEEP=1 keeps the folder."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """How long and how wild."""
        parser.add_argument("--seconds", type=float, default=60.0, help="how long processes are killed")
        parser.add_argument("--seed", type=int, default=None, help="repeat the choices of another run")
        parser.add_argument("--every", type=float, nargs=2, default=(0.5, 4.0), help="seconds between two kills")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; CommandError (exit code 1) when a rule was broken."""
        seed = random.randrange(10**6) if options["seed"] is None else options["seed"]
        every = [str(each) for each in options["every"]]
        command = [sys.executable, "-m", "webmail.soak", "--seed", str(seed), "--every", *every]
        with temporary_place() as environment:
            self.stdout.write(f"soak: seed {seed}, {environment['DATA_DIR']}")
            self.stdout.flush()
            code = subprocess.run(
                [*command, "--seconds", str(options["seconds"])], env=environment, cwd=settings.BASE_DIR, check=False
            ).returncode
            if code:
                raise CommandError(f"soak failed; the installation is kept: {environment['DATA_DIR']}")
        self.stdout.write("soak: every promise was kept")
