"""Telling an author what became of his mail: a DSN (RFC 3464) into his own mailbox, in his language.

Failures unless he asked for silence (RFC 3461 4.1), deliveries when he asked for them.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Account
from core.times import moment, zone_named
from mailstore.message import Address, DeliveryReport, RecipientStatus, build_dsn
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.models import Submission
from mta.smtp_in.dsn import decode_xtext
from mta.wishes import NO_WISH, RecipientWish


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """One recipient that will get nothing: enhanced code (RFC 3463), what was said, by whom."""

    recipient: str
    code: str
    text: str
    remote_host: str = ""
    wish: RecipientWish = NO_WISH


@dataclasses.dataclass(frozen=True, slots=True)
class Delay(Failure):
    """One recipient whose mail has not gone yet and is tried on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Success:
    """One recipient whose mail was delivered here, or `is_relayed` to a server that reports nothing."""

    recipient: str
    code: str
    remote_host: str = ""
    is_relayed: bool = False
    wish: RecipientWish = NO_WISH


def notify_sender(submission: Submission, original: bytes, failures: Sequence[Failure]) -> None:
    """Deliver a failure report inside the caller's transaction, about those that the author wants to hear of."""
    wanted = [failure for failure in failures if failure.wish.on_failure]
    if wanted:
        _deliver(submission, original, _failure_words, [_failed(failure) for failure in wanted], wanted)


def confirm_to_sender(submission: Submission, original: bytes, successes: Sequence[Success]) -> None:
    """Deliver a report of success inside the caller's transaction, about those that the author wants to hear of."""
    wanted = [success for success in successes if success.wish.on_success]
    if wanted:
        _deliver(submission, original, _success_words, [_delivered(success) for success in wanted], wanted)


def tell_delay(submission: Submission, original: bytes, delays: Sequence[Delay]) -> None:
    """Deliver a report inside the caller's transaction that mail is late and still tried (RFC 3464 2.3.3)."""
    if delays:
        _deliver(submission, original, _delay_words, [_delayed(submission, delay) for delay in delays], delays)


def _deliver(
    submission: Submission,
    original: bytes,
    words: Callable[[Submission, Sequence[Any]], tuple[str, str, str]],
    statuses: list[RecipientStatus],
    about: Sequence[Failure] | Sequence[Success],
) -> None:
    """Nobody is told about mail that had no author: the null sender (RFC 5321 4.5.5) and what the system sent itself."""
    if not submission.envelope_from or submission.origin == Submission.Origin.SYSTEM:
        return
    owner = Account.objects.select_related("domain").filter(pk=submission.mailbox_id).first()
    if owner is None or owner.status == Account.Status.ERASED:
        return
    with translation.override(owner.language):
        name, subject, text = words(submission, about)
    report = build_dsn(_report(submission, owner, original, statuses, (name, subject, text)))
    store([Incoming(prepare(report, trace=b"Return-Path: <>\r\n"), [Placement(owner.pk)])])


def _report(
    submission: Submission,
    owner: Account,
    original: bytes,
    statuses: list[RecipientStatus],
    words: tuple[str, str, str],
) -> DeliveryReport:
    name, subject, text = words
    return DeliveryReport(
        from_=Address(name, f"mailer-daemon@{owner.domain.name}"),
        to=submission.envelope_from,
        subject=subject,
        text=text,
        reporting_mta=settings.EHLO_NAME,
        recipients=statuses,
        original=original,
        whole_original=submission.returned == "FULL",  # RFC 3461 4.3
        date=timezone.now(),
        arrival_date=moment(submission.created_us),
        envelope_id=decode_xtext(submission.envelope_id),
    )


def _success_words(submission: Submission, successes: Sequence[Success]) -> tuple[str, str, str]:
    reached = [success.recipient for success in successes if not success.is_relayed]
    relayed = [success.recipient for success in successes if success.is_relayed]
    lines = (
        [_("Your message was delivered to these recipients:"), *(f"  {each}" for each in reached)] if reached else []
    )
    if relayed:
        lines.append(_("The servers of these recipients took your message and will not say what became of it:"))
        lines += [f"  {each}" for each in relayed]
    lines += ["", _("Subject: %(subject)s") % {"subject": submission.subject or _("(no subject)")}]
    return _("Mail delivery"), _("Delivered: %(subject)s") % {"subject": submission.subject}, "\n".join(lines)


def _failure_words(submission: Submission, failures: Sequence[Failure]) -> tuple[str, str, str]:
    lines = [
        _("Your message could not be delivered to these recipients:"),
        "",
        *(f"  {failure.recipient}\n    {_reason(failure)}" for failure in failures),
        "",
        _("Subject: %(subject)s") % {"subject": submission.subject or _("(no subject)")},
        _("It will not be tried again. The technical details are attached."),
    ]
    return _("Mail delivery"), _("Undelivered: %(subject)s") % {"subject": submission.subject}, "\n".join(lines)


def _delay_words(submission: Submission, delays: Sequence[Delay]) -> tuple[str, str, str]:
    lines = [
        _("Your message has not reached these recipients yet:"),
        "",
        *(f"  {delay.recipient}\n    {_said(delay)}" for delay in delays),
        "",
        _("Subject: %(subject)s") % {"subject": submission.subject or _("(no subject)")},
        _("It will be tried again until %(until)s; you need not send it again.") % {"until": _last_try(submission)},
    ]
    return _("Mail delivery"), _("Delayed: %(subject)s") % {"subject": submission.subject}, "\n".join(lines)


def _last_try(submission: Submission) -> str:
    owner = Account.objects.filter(pk=submission.mailbox_id).values_list("time_zone", flat=True).first()
    zone = zone_named(owner or settings.DEFAULT_USER_TIME_ZONE)
    return _until(submission).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _until(submission: Submission) -> datetime.datetime:
    since_us = max(submission.created_us, submission.release_us)
    return moment(since_us) + datetime.timedelta(seconds=settings.RETRY_FOR_S)


def _said(failure: Failure) -> str:
    return f"{failure.remote_host}: {failure.text}" if failure.remote_host else failure.text


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
    said = _said(failure)
    return f"{words} ({failure.code} {said})" if said else f"{words} ({failure.code})"


def _delivered(success: Success) -> RecipientStatus:
    return RecipientStatus(
        recipient=success.recipient,
        action="relayed" if success.is_relayed else "delivered",
        status=success.code,
        remote_mta=success.remote_host,
        original_recipient=_original_recipient(success.wish),
        last_attempt=timezone.now(),
    )


def _original_recipient(wish: RecipientWish) -> str:
    """The address in ORCPT, without its type."""
    return decode_xtext(wish.original.partition(";")[2])


def _failed(failure: Failure) -> RecipientStatus:
    return RecipientStatus(
        recipient=failure.recipient,
        action="failed",
        status=failure.code,
        diagnostic=failure.text,
        remote_mta=failure.remote_host,
        original_recipient=_original_recipient(failure.wish),
        last_attempt=timezone.now(),
    )


def _delayed(submission: Submission, delay: Delay) -> RecipientStatus:
    return dataclasses.replace(_failed(delay), action="delayed", will_retry_until=_until(submission))
