"""Telling an author that a recipient got nothing: a DSN (RFC 3464) into his own mailbox, in his language."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Account
from mailstore.message import Address, DeliveryReport, RecipientStatus, build_dsn
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.models import Submission


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """One recipient that will get nothing: enhanced code (RFC 3463), what was said, by whom."""

    recipient: str
    code: str
    text: str
    remote_host: str = ""


def notify_sender(submission: Submission, original: bytes, failures: Sequence[Failure]) -> None:
    """Deliver a failure report inside the caller's transaction.

    Nobody is told about mail that had no author: the null sender (RFC 5321 4.5.5) and what the system sent itself.
    """
    if not submission.envelope_from or submission.origin == Submission.Origin.SYSTEM:
        return
    owner = Account.objects.select_related("domain").filter(pk=submission.mailbox_id).first()
    if owner is None or owner.status == Account.Status.ERASED:
        return
    report = build_dsn(_report(submission, owner, original, failures))
    store([Incoming(prepare(report, trace=b"Return-Path: <>\r\n"), [Placement(owner.pk)])])


def _report(submission: Submission, owner: Account, original: bytes, failures: Sequence[Failure]) -> DeliveryReport:
    with translation.override(owner.language):
        name, subject, text = _words(submission, failures)
    system = f"mailer-daemon@{owner.domain.name}"
    created = datetime.datetime.fromtimestamp(submission.created_us / 1_000_000, datetime.UTC)
    return DeliveryReport(
        from_=Address(name, system),
        to=submission.envelope_from,
        subject=subject,
        text=text,
        reporting_mta=settings.EHLO_NAME,
        recipients=[_status(failure) for failure in failures],
        original=original,
        date=timezone.now(),
        arrival_date=created,
    )


def _words(submission: Submission, failures: Sequence[Failure]) -> tuple[str, str, str]:
    lines = [
        _("Your message could not be delivered to these recipients:"),
        "",
        *(f"  {failure.recipient}\n    {_reason(failure)}" for failure in failures),
        "",
        _("Subject: %(subject)s") % {"subject": submission.subject or _("(no subject)")},
        _("It will not be tried again. The technical details are attached."),
    ]
    return _("Mail delivery"), _("Undelivered: %(subject)s") % {"subject": submission.subject}, "\n".join(lines)


def _reason(failure: Failure) -> str:
    """What the code means, in words, and what the other side said."""
    known = {
        "5.1.1": _("There is no such mailbox."),
        "5.1.2": _("There is no such domain, or it takes no mail."),
        "5.1.10": _("The domain takes no mail."),
        "5.2.1": _("The mailbox is disabled."),
        "5.2.2": _("The mailbox is full."),
        "5.3.4": _("The message is too large for the recipient."),
        "5.7.1": _("The recipient does not take mail from you."),
        "4.4.7": _("The other server could not be reached for a long time."),
    }
    words = known.get(failure.code, _("The other server refused the message."))
    said = f"{failure.remote_host}: {failure.text}" if failure.remote_host else failure.text
    return f"{words} ({failure.code} {said})" if said else f"{words} ({failure.code})"


def _status(failure: Failure) -> RecipientStatus:
    return RecipientStatus(
        recipient=failure.recipient,
        action="failed",
        status=failure.code,
        diagnostic=failure.text,
        remote_mta=failure.remote_host,
        last_attempt=timezone.now(),
    )
