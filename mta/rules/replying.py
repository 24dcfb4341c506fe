"""Whether a mail is answered automatically, and the answer (RFC 3834). No I/O."""

from __future__ import annotations

import re

from django.utils import translation
from django.utils.translation import gettext

from accounts.rows import AccountRow
from mailstore.message import Address, Attribute, Outgoing, Scanned, compose
from mta.rules.looked import Looked

REFERENCES_MAX = 20
LOCAL_PARTS = re.compile(
    r"(?:mailer-daemon|postmaster|abuse|(?:no|do[-_.]?not|never)[-_.]?reply.*|listserv|majordomo|"
    r"bounces?(?:[-+=.].*)?|owner-.*|.*-(?:owner|request|bounces?|relay|return)|srs[01]=.*|prvs=.*|verp=.*)"
)
"""Senders that are no persons (RFC 3834 2)."""
MACHINES = int(Attribute.LIST | Attribute.AUTO_SUBMITTED)


def may_be_answered(looked: Looked, scanned: Scanned, sender: str) -> bool:
    """RFC 3834 2: not to the null sender, to lists, to machines, to those who ask for none."""
    local, _, domain = sender.lower().rpartition("@")
    if not domain or LOCAL_PARTS.fullmatch(local) or scanned.attributes & MACHINES:
        return False
    suppressed = {word.strip() for value in looked.values_of("x-auto-response-suppress") for word in value.split(",")}
    if suppressed & {"all", "autoreply", "oof"}:
        return False
    return not any(looked.values_of(name) for name in ("list-help", "list-subscribe", "x-loop", "feedback-id"))


def answer(scanned: Scanned, *, account: AccountRow, written_to: str, sender: str, text: str) -> bytes:
    """The reply from the address that was written to, in the account's language."""
    with translation.override(account.language):
        subject = gettext("Automatic reply: %(subject)s") % {"subject": scanned.subject}
    original = [scanned.message_id] if scanned.message_id else []
    return compose(
        Outgoing(
            from_=Address(account.name, written_to),
            to=[Address("", sender)],
            subject=subject.strip(),
            text=text,
            in_reply_to=scanned.message_id,
            references=[*scanned.references, *original][-REFERENCES_MAX:],
            # RFC 3834 5: auto-replied; the other is what Exchange obeys.
            extra_headers={"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
        )
    )
