"""`manage.py serve`: start everything, say where it is, stop everything."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account, Domain
from core.connection import own_host
from core.redis import client
from webmail.demo.welcome import say_accounts
from webmail.serve.prepare import prepare
from webmail.serve.programs import Program, programs
from webmail.serve.supervisor import Supervisor

REDIS_WAIT_S = 10.0
WEB_WAIT_S = 60.0
MAIL_PROGRAMS = (
    ("IMAP", "IMAP_PORT", "IMAPS_PORT"),
    ("POP3", "POP3_PORT", "POP3S_PORT"),
    ("SMTP", "SUBMISSION_PORT", "SUBMISSIONS_PORT"),
)
"""What a mail program is told, with the settings of its ports."""


class Command(BaseCommand):
    """Redis, web, SMTP, IMAP, POP3, indexer, worker and beat on this machine."""

    help = "Start every server of Globalmail and watch them until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to start."""
        parser.add_argument(
            "--only", default="", help="Names, separated by commas: redis,web,smtpd,imapd,pop3d,indexer,worker,beat"
        )
        parser.add_argument("--demo", action="store_true", help="Make a demo company first (kept on a second run)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        wanted = self._wanted(options["only"])
        lock = prepare(program.name for program in wanted)
        if options["demo"]:
            self._say("Looking after the demo company …")
            call_command("demo", quiet=True)
        asyncio.run(self._serve(wanted, demo=options["demo"]))
        lock.close()

    def _wanted(self, only: str) -> list[Program]:
        known = programs()
        names = [name.strip() for name in only.split(",") if name.strip()] or list(known)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise CommandError(f"Unknown: {', '.join(unknown)}. There are {', '.join(known)}.")
        return [known[name] for name in names]

    async def _serve(self, wanted: list[Program], *, demo: bool) -> None:
        supervisor = Supervisor(wanted)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
        self._say(f"Starting {', '.join(program.name for program in wanted)} …")
        greeting = asyncio.create_task(self._greet_when_up(supervisor, demo=demo))
        await supervisor.run(ready=_wait_for)
        await greeting

    async def _greet_when_up(self, supervisor: Supervisor, *, demo: bool) -> None:
        """The address is told when somebody answers there."""
        deadline = time.monotonic() + WEB_WAIT_S
        has_web = any(program.name == "web" for program in supervisor.programs)
        while has_web and not supervisor.is_stopping and time.monotonic() < deadline:
            has_web = not await _is_open(settings.WEB_PORT)
            await asyncio.sleep(0.1)
        if not supervisor.is_stopping:
            await asyncio.get_running_loop().run_in_executor(None, self._greet, demo)

    def _greet(self, demo: bool) -> None:
        write = self.stdout.write
        write("")
        write(f"  Globalmail      {settings.BASE_URL}")
        write(f"  mail comes in   smtp://{settings.LISTEN_HOST}:{settings.MX_PORT}")
        write(f"  mail programs   {settings.PUBLIC_HOST}, sign in with the full address")
        for name, plain, tls in MAIL_PROGRAMS:
            write(f"    {name:<13} {getattr(settings, plain)} (STARTTLS), {getattr(settings, tls)} (TLS)")
        write(f"  data            {settings.DATA_DIR}")
        if demo:
            say_accounts(self.stdout)
        elif not Account.objects.filter(kind=Account.Kind.PERSON).exists():
            self._say_first_steps()
        write("")
        write("  Ctrl-C stops everything.")
        self.stdout.flush()

    def _say_first_steps(self) -> None:
        """Nobody can sign in yet."""
        has_domain = Domain.objects.exists()
        self.stdout.write("")
        self.stdout.write("  Nobody has an account yet. In another terminal, in this folder:")
        if not has_domain:
            self.stdout.write("    .venv/bin/python manage.py create_domain")
        self.stdout.write("    .venv/bin/python manage.py create_account")

    def _say(self, text: str) -> None:
        self.stdout.write(f"· {text}")
        self.stdout.flush()


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(own_host(), port)
    except OSError:
        return False
    writer.close()
    return True


def _wait_for(program: Program) -> None:
    """The others want Redis from their first second; they live without it, but later."""
    if program.name != "redis":
        return
    deadline = time.monotonic() + REDIS_WAIT_S
    while time.monotonic() < deadline:
        try:
            client().ping()
        except Exception:
            time.sleep(0.05)
        else:
            return
