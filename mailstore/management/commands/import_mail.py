"""`manage.py import_mail`: mbox, Maildir or .eml into a mailbox."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from core.access import Via, system_access
from core.errors import MailError
from mailstore.portable.importing import ImportReport, import_mail
from mailstore.portable.sources import Form, form_of, read_source

EVERY = 500
"""Messages between two lines of progress."""


class Command(BaseCommand):
    """Prints progress and what could not be taken; the exit code is 1 when something was left out."""

    help = "Import mail from an mbox file, a Maildir, .eml files or a zip of them. Repeating imports nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose mailbox, and what."""
        parser.add_argument("address", help="the account's address")
        parser.add_argument("path", type=Path)
        parser.add_argument("--form", choices=[form.value for form in Form], help="told by looking when it isn't given")
        parser.add_argument("--into", default="", help="make the source's folders below this one (A/B)")

    def handle(self, *_: Any, **options: Any) -> None:
        """Import, print, exit."""
        account = Account.objects.filter(address=options["address"].lower()).first()
        if account is None:
            raise CommandError(f"There is no account {options['address']}.")
        path: Path = options["path"]
        try:
            form = Form(options["form"]) if options["form"] else form_of(path)
        except MailError as error:
            raise CommandError(f"{path}: nothing there that can be imported ({error.kind.value}).") from error
        found = read_source(path, form, max_bytes=settings.MESSAGE_MAX_BYTES)
        into = [part for part in options["into"].split("/") if part]
        access = system_access(account.pk, via=Via("import"))
        report = import_mail(access, found, into=into, progress=self._progress())
        self._tell(report)

    def _progress(self) -> Any:
        told = 0

        def tell(report: ImportReport) -> None:
            nonlocal told
            done = report.imported + report.already_there + report.failed
            if done - told >= EVERY:
                told = done
                self.stderr.write(f"{done} read, {report.imported} imported, {report.imported_bytes >> 20} MB")

        return tell

    def _tell(self, report: ImportReport) -> None:
        for failure in report.failures:
            self.stdout.write(f"not imported: {failure.place}: {failure.reason}")
        if report.dropped_keywords:
            self.stdout.write(f"keywords without room (62 at most): {', '.join(sorted(report.dropped_keywords))}")
        if report.stopped is not None:
            data = report.stopped.data
            self.stdout.write(
                f"stopped at {report.stopped_at}: the mailbox is full ({data['used']} of {data['quota']} bytes). "
                "Raise its quota and run this again: it goes on here."
            )
        self.stdout.write(
            f"{report.imported} imported ({report.imported_bytes} bytes), {report.already_there} were there already, "
            f"{report.failed} could not be imported"
        )
        if report.failed or report.stopped is not None:
            sys.exit(1)
