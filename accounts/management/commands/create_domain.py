"""`manage.py create_domain`: make a mail domain; asks for what it isn't told."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.addressing import canonical_domain
from accounts.models import Domain
from accounts.services import create_domain
from accounts.services.domains import require_free_name
from core.errors import ErrorKind, MailError

TRIES = 3
PROGRAM = ".venv/bin/python manage.py"


class Command(BaseCommand):
    """Makes one domain and says what to do next."""

    help = "Make a mail domain. Without arguments it asks."

    def add_arguments(self, parser: CommandParser) -> None:
        """The domain and its look."""
        parser.add_argument("name", nargs="?", help="for example example.com")
        parser.add_argument("--title", default="", help="the company's name")
        parser.add_argument(
            "--language", default=settings.LANGUAGE_CODE, choices=[code for code, _ in settings.LANGUAGES]
        )
        parser.add_argument("--time-zone", default=settings.DEFAULT_USER_TIME_ZONE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, or explain why not."""
        name = options["name"] or self._free_name()
        title = options["title"] or ("" if options["name"] else self._ask("Company name (may stay empty): "))
        try:
            domain = create_domain(name, title=title, language=options["language"], time_zone=options["time_zone"])
        except MailError as error:
            raise CommandError(_sentence(error, name)) from None
        self._say_next(domain)

    def _free_name(self) -> str:
        """Ask until it is a domain that nobody has; a few times."""
        for _ in range(TRIES):
            name = self._ask("Domain (for example example.com): ")
            try:
                require_free_name(canonical_domain(name))
            except MailError as error:
                self.stderr.write(_sentence(error, name))
            else:
                return name
        raise CommandError("No name, no domain.")

    def _ask(self, question: str) -> str:
        if not sys.stdin.isatty():
            raise CommandError("Name the domain: manage.py create_domain example.com")
        try:
            return input(question).strip()
        except EOFError:
            raise CommandError("Nobody answers.") from None

    def _say_next(self, domain: Domain) -> None:
        self.stdout.write(self.style.SUCCESS(f"Domain {domain.name} is made, with postmaster@ and all@."))
        self.stdout.write("Next:")
        self.stdout.write(
            f"  1. Its first administrator:  {PROGRAM} create_account admin@{domain.name} --role domain_admin"
        )
        self.stdout.write(
            f"  2. In DNS, MX of {domain.name} and CNAME of webmail.{domain.name}: {settings.PUBLIC_HOST}"
        )


def _sentence(error: MailError, name: str) -> str:
    if error.kind is ErrorKind.EXISTS:
        return f"{name} is already a domain or another name of one."
    return f"{error.data.get('name', name)!r} is no valid {str(error.data.get('field', 'domain')).replace('_', ' ')}."
