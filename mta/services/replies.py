"""Automatic replies are set by their owner or his administrator."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction

from accounts.models import Account
from accounts.services.permission import apply, audit
from core.errors import ErrorKind, MailError
from mta.models import AutoReplied, AutoReply
from mta.services.owners import require_owner

REPLY_FIELDS = frozenset({"is_active", "begins_at", "ends_at", "text", "outside_text", "answers_outside", "every_days"})
TEXT_MAX_CHARS = 10_000
EVERY_DAYS_MAX = 90


@transaction.atomic
def set_reply(account: Account, *, actor: Account | None = None, **fields: Any) -> AutoReply:
    """Set fields of REPLY_FIELDS; the others keep what they were. Obeyed within a second; whoever had an answer gets
    the new one too. Raises INVALID (with `field`), NO_PERMISSION, NOT_FOUND."""
    require_owner(actor, account)
    if not fields.keys() <= REPLY_FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(fields.keys() - REPLY_FIELDS)))
    Account.objects.select_for_update().get(pk=account.pk)
    row = AutoReply.objects.filter(pk=account.pk).first()
    is_new = row is None
    reply = row or AutoReply(account=account)
    _require_valid({name: fields.get(name, getattr(reply, name)) for name in REPLY_FIELDS})
    if is_new:
        for name, value in fields.items():
            setattr(reply, name, value)
        reply.save(force_insert=True)
    if is_new or apply(reply, fields):
        AutoReplied.objects.filter(account=account).delete()
        if actor is None or actor.pk != account.pk:
            audit(actor, "set_reply", domain_id=account.domain_id, address=account.address)
    return reply


@transaction.atomic
def remove_reply(reply: AutoReply, *, actor: Account | None = None) -> None:
    """Text and all. Raises NO_PERMISSION, NOT_FOUND."""
    require_owner(actor, reply.account)
    if actor is None or actor.pk != reply.account_id:
        audit(actor, "remove_reply", domain_id=reply.account.domain_id, address=reply.account.address)
    AutoReplied.objects.filter(account=reply.account_id).delete()
    reply.delete()


def _require_valid(fields: dict[str, Any]) -> None:
    text, outside = str(fields["text"]), str(fields["outside_text"])
    if not text.strip() or len(text) > TEXT_MAX_CHARS or "\0" in text:
        raise MailError(ErrorKind.INVALID, field="text")
    if len(outside) > TEXT_MAX_CHARS or "\0" in outside:
        raise MailError(ErrorKind.INVALID, field="outside_text")
    days = fields["every_days"]
    if not isinstance(days, int) or not 1 <= days <= EVERY_DAYS_MAX:
        raise MailError(ErrorKind.INVALID, field="every_days")
    begins, ends = fields["begins_at"], fields["ends_at"]
    for name, moment in (("begins_at", begins), ("ends_at", ends)):
        if moment is not None and (not isinstance(moment, datetime.datetime) or moment.tzinfo is None):
            raise MailError(ErrorKind.INVALID, field=name)
    if begins is not None and ends is not None and ends <= begins:
        raise MailError(ErrorKind.INVALID, field="ends_at")
