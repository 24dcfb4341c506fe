"""The journal: every mail that leaves its author, whole, inside a report that says its envelope, Bcc included."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Account
from mailstore import blobs
from mailstore.message import Address, Outgoing, OutgoingPart, compose
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.inbound.recipients import Target, find_target, merge_accounts
from mta.models import Submission
from mta.services.system_mail import queue_mail

RECIPIENTS_MAX = 20_000


def write_journal(submission: Submission, wire: bytes, recipients: Sequence[str], address: str) -> None:
    """Deliver or queue the report, in the transaction that hands the mail over."""
    system = Account.objects.filter(domain=submission.domain_id, kind=Account.Kind.SYSTEM).first()
    if system is None or submission.mailbox_id == system.pk:
        return
    lines = [
        f"Sender: {submission.envelope_from}",
        f"Subject: {submission.subject}",
        f"Message-Id: <{submission.message_id}>",
        *(f"Recipient: {each}" for each in recipients[:RECIPIENTS_MAX]),
    ]
    report = compose(
        Outgoing(
            from_=Address("Journal", system.address),
            to=[Address("", address)],
            subject=submission.subject,
            text="\r\n".join(lines) + "\r\n",
            attachments=[OutgoingPart("message.eml", "message/rfc822", wire)],
            extra_headers={"Auto-Submitted": "auto-generated", "X-MS-Journal-Report": ""},
        )
    )
    target = find_target(address, sender="")
    if isinstance(target, Target):
        # However full it is: a journal with holes is none.
        reached = [account.id for account, _matched in merge_accounts([target]).values()]
        places = [Placement(account_id) for account_id in dict.fromkeys([*reached, *(a.id for a in target.full)])]
        if places:
            store([Incoming(prepare(report, trace=b"Return-Path: <>\r\n"), places)])
    elif target.name == "ELSEWHERE":
        content = blobs.encode(report)
        queue_mail(submission.domain_id, [address], content, message_id="", subject=submission.subject)
