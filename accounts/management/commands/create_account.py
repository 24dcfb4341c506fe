"""`manage.py create_account`: make an account; asks for what it isn't told, a password above all."""

from __future__ import annotations

import getpass
import secrets
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.addressing import Parts, canonical_local_part, parse
from accounts.domain_names import domain_named, local_domains
from accounts.models import Account, Address, Domain
from accounts.password_rules import MIN_LENGTH, problems_of
from accounts.services import create_account
from accounts.verifiers import MAX_SECRET
from core.errors import ErrorKind, MailError

SENTENCES = {
    "too_short": f"it has fewer than {MIN_LENGTH} characters",
    "too_long": f"it has more than {MAX_SECRET} characters",
    "characters": "it holds characters that mail programs can't send",
    "account_name": "it is too close to the account's name",
    "too_common": "it is on every attacker's list",
}
TRIES = 3


class Command(BaseCommand):
    """Makes one account and says where to sign in."""

    help = "Make an account. Without arguments it asks; the password is read from the terminal."

    def add_arguments(self, parser: CommandParser) -> None:
        """The account and where its password comes from."""
        parser.add_argument("address", nargs="?", help="for example alice@example.com")
        parser.add_argument("--name", default="", help="the person's name")
        parser.add_argument("--role", default="", choices=["", *Account.Role.values])
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        parser.add_argument("--generate-password", action="store_true", help="make a password and print it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, or explain why not."""
        asking = not options["address"]
        parts = self._address(options["address"])
        domain = self._domain(parts)
        name = options["name"] or (self._ask(f"Name [{parts.local_part}]: ") if asking else "") or parts.local_part
        role = options["role"] or (self._role() if asking else Account.Role.MEMBER)
        password = self._password(parts.address, name, options)
        try:
            account = create_account(domain, parts.local_part, name=name, password=password, role=role)
        except MailError as error:
            raise CommandError(_sentence(error, parts.address)) from None
        self._say_next(account, password if options["generate_password"] else "")

    def _address(self, given: str | None) -> Parts:
        if given:
            return self._checked(given)
        names = sorted(local_domains())
        if not names:
            raise CommandError("There is no domain yet: .venv/bin/python manage.py create_domain")
        for _ in range(TRIES):
            answer = self._ask(f"Address (for example eve@{names[0]}): ")
            try:
                return self._checked(f"{answer}@{names[0]}" if answer and "@" not in answer else answer)
            except CommandError as error:
                self.stderr.write(str(error))
        raise CommandError("No address, no account.")

    def _checked(self, text: str) -> Parts:
        """An address in a domain of ours that is not in use."""
        parts = parse(text)
        if parts is None:
            raise CommandError(f"{text!r} is no address.")
        self._domain(parts)
        try:
            canonical_local_part(parts.local_part)
        except MailError as error:
            raise CommandError(_sentence(error, parts.address)) from None
        if Address.objects.filter(address=parts.address).exists():
            raise CommandError(f"{parts.address} is already in use.")
        return parts

    def _domain(self, parts: Parts) -> Domain:
        row = domain_named(parts.domain)
        if row is None:
            raise CommandError(f"{parts.domain} is not a domain of this system: manage.py create_domain {parts.domain}")
        return Domain.objects.get(pk=row.id)

    def _role(self) -> str:
        default = Account.Role.MEMBER
        if not Account.objects.filter(role=Account.Role.OPERATOR).exists():
            default = Account.Role.OPERATOR  # whoever installs needs one account that may do everything
        answer = self._ask(f"Role ({', '.join(Account.Role.values)}) [{default}]: ") or default
        if answer not in Account.Role.values:
            raise CommandError(f"{answer!r} is no role.")
        return answer

    def _password(self, address: str, name: str, options: dict[str, Any]) -> str:
        if options["generate_password"]:
            return secrets.token_urlsafe(12)
        if options["password_stdin"]:
            return self._require_good(sys.stdin.readline().rstrip("\n"), address, name)
        self._require_terminal()
        for _ in range(TRIES):
            first = getpass.getpass("Password: ")
            problems = problems_of(first, address=address, name=name)
            if problems:
                self.stderr.write(_refusal(problems))
            elif first != getpass.getpass("Once more: "):
                self.stderr.write("The two are different.")
            else:
                return first
        raise CommandError("No password, no account.")

    def _require_good(self, password: str, address: str, name: str) -> str:
        problems = problems_of(password, address=address, name=name)
        if problems:
            raise CommandError(_refusal(problems))
        return password

    def _ask(self, question: str) -> str:
        self._require_terminal()
        try:
            return input(question).strip()
        except EOFError:
            raise CommandError("Nobody answers.") from None

    def _require_terminal(self) -> None:
        if not sys.stdin.isatty():
            raise CommandError("No terminal to ask on: give the address, and --password-stdin or --generate-password.")

    def _say_next(self, account: Account, password: str) -> None:
        self.stdout.write(self.style.SUCCESS(f"Account {account.address} is made ({account.role})."))
        if password:
            self.stdout.write(f"Password: {password}")
        self.stdout.write(f"Sign in at {settings.BASE_URL}/ with the full address.")
        if account.is_staff:
            self.stdout.write(f"Administration: {settings.BASE_URL}/admin/")


def _refusal(problems: list[str]) -> str:
    return "This password is refused: " + ", ".join(SENTENCES[problem] for problem in problems) + "."


def _sentence(error: MailError, address: str) -> str:
    if error.kind is ErrorKind.EXISTS:
        return f"{address} is already in use."
    if "problems" in error.data:
        return _refusal(list(error.data["problems"]))  # type: ignore[call-overload]
    return (
        f"{error.data.get('name', address)!r} is no valid {str(error.data.get('field', 'address')).replace('_', ' ')}."
    )
