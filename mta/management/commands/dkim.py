"""`manage.py dkim`: a domain's DNS records and the rotation of its keys."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Domain
from core.errors import ErrorKind, MailError
from mta.records.check import check_domain, finish_rotation
from mta.records.wanted import wanted_records
from mta.services.dkim_keys import activate_keys, rotate_keys


class Command(BaseCommand):
    """Prints the records; the exit code tells nothing about the DNS."""

    help = "Show the DNS records that a domain needs (--check: look them up), or give it new DKIM keys (--rotate)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The domain and what to do."""
        parser.add_argument("domain")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--check", action="store_true", help="look every record up")
        what.add_argument("--rotate", action="store_true", help="make new keys, which wait for their records")
        what.add_argument("--finish", action="store_true", help="use new keys if their records are in the DNS")
        what.add_argument("--activate", action="store_true", help="use new keys now, found or not")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it and print."""
        domain = Domain.objects.filter(name=options["domain"].lower()).first()
        if domain is None:
            raise CommandError(f"There is no domain {options['domain']}.")
        if options["rotate"]:
            self._rotate(domain)
        elif options["finish"] or options["activate"]:
            done = activate_keys(domain) if options["activate"] else finish_rotation(domain)
            self.stdout.write("The new keys sign from now on." if done else "No new keys are ready.")
        elif options["check"]:
            for each in check_domain(domain):
                self.stdout.write(f"{each.state:<8} {each.wanted.kind:<5} {each.name}  {' | '.join(each.found)}")
        else:
            self._print(domain)

    def _rotate(self, domain: Domain) -> None:
        try:
            keys = rotate_keys(domain)
        except MailError as error:
            if error.kind is not ErrorKind.IN_USE:
                raise
            raise CommandError("New keys are waiting for their DNS records already.") from None
        for key in keys:
            self.stdout.write(f"{key.selector}._domainkey.{domain.name} TXT {key.public_record}")

    def _print(self, domain: Domain) -> None:
        for each in wanted_records(domain):
            priority = "" if each.priority is None else f"{each.priority} "
            self.stdout.write(f"{each.name(domain.name)} {each.ttl_s} {each.kind} {priority}{each.value}")
