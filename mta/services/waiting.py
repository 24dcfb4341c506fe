"""What waits when an account is erased: its own mail before a gate, its quarantine, and what others wait for from it.

Mail of somebody who is gone does not leave weeks later in his name: it is stopped, as its author could have done, and lies
among the drafts of the mailbox. Whoever sent it from a mailbox that was not his own is told. What has left its author
already goes its way.
"""

from __future__ import annotations

import time

from django.db.models import QuerySet
from django.utils.translation import gettext as _, ngettext

from accounts.models import Account
from core.access import system_access
from core.errors import ErrorKind, MailError
from mailstore.services.deliver import store
from mta.approval.asking import ask_another, tell
from mta.models import Approval, QuarantinedMail, Submission
from mta.notices import notice
from mta.services.cancel import take_back
from mta.services.moderation import ask_others, posts_before


def lost_with(account: Account) -> list[str]:
    """For whoever is asked whether an account is to be erased: what goes with it."""
    asked = _asked(account).count() + posts_before(account).count()
    held = QuarantinedMail.objects.filter(account=account, state=QuarantinedMail.State.HELD).count()
    said = [
        (
            ngettext(
                "%d mail that is scheduled or waits for approval is not sent; it stays among the drafts",
                "%d mails that are scheduled or wait for approval are not sent; they stay among the drafts",
                count := _gated(account).count(),
            ),
            count,
        ),
        (ngettext("%d mail in quarantine is deleted", "%d mails in quarantine are deleted", held), held),
        (
            ngettext(
                "%d mail of others waits for a decision of this account; somebody else is asked",
                "%d mails of others wait for a decision of this account; somebody else is asked",
                asked,
            ),
            asked,
        ),
    ]
    return [words % count for words, count in said if count]


def stop_mail_of(account: Account) -> None:
    """The `AccountStep`, in the transaction that erases."""
    for submission in _gated(account).order_by("pk"):
        try:
            take_back(system_access(account.pk), submission.pk)
        except MailError as error:
            if error.kind is not ErrorKind.IN_USE:
                raise
            continue  # it left at this moment
        _tell(submission, account)
    ask_others(account)
    for approval in _asked(account):
        substitute = Account.objects.filter(pk=approval.substitute_id, status=Account.Status.ACTIVE)
        for reader in substitute.select_related("domain"):
            tell(approval, reader)
            break
        else:
            ask_another(approval, time.time_ns() // 1000)


def _gated(account: Account) -> QuerySet[Submission]:
    return Submission.objects.filter(mailbox_id=account.pk, is_gated=True)


def _asked(account: Account) -> QuerySet[Approval]:
    return Approval.objects.filter(state=Approval.State.PENDING, approver_id=account.pk).select_related("submission")


def _tell(submission: Submission, account: Account) -> None:
    """Whoever wrote it from this mailbox, where that was somebody else."""
    if submission.actor_id == account.pk:
        return
    author = Account.objects.filter(pk=submission.actor_id, status=Account.Status.ACTIVE).select_related("domain")

    def words() -> tuple[str, str]:
        facts = {"mailbox": account.address, "subject": submission.subject or _("(no subject)")}
        text = _(
            "Your mail “%(subject)s” from %(mailbox)s was still waiting when that mailbox was deleted, so it was not sent."
        )
        return _("Not sent: %(subject)s") % facts, text % facts

    store([notice(each, words) for each in author])
