"""One session for a maildrop (RFC 1939 4), on all machines: a row with a lease, renewed while the session lives.

A process that is killed keeps a maildrop shut for LEASE_S at most.
"""

from __future__ import annotations

import secrets
import time

from django.db import transaction
from django.db.models import Q

from mailaccess.models import MaildropLock

LEASE_S = 60
RENEW_S = 20.0


def take(account_id: int) -> str | None:
    """A token for the maildrop, None while another session has it."""
    token, now = secrets.token_hex(16), int(time.time())
    with transaction.atomic():
        MaildropLock.objects.get_or_create(account_id=account_id, defaults={"token": "", "until_s": 0})
        free = MaildropLock.objects.filter(account_id=account_id, until_s__lt=now)
        return token if free.update(token=token, until_s=now + LEASE_S) else None


def renew(account_id: int, token: str) -> bool:
    """Keep it; False when it was lost."""
    held = MaildropLock.objects.filter(Q(account_id=account_id) & Q(token=token))
    return bool(held.update(until_s=int(time.time()) + LEASE_S))


def give_back(account_id: int, token: str) -> None:
    """Let others in."""
    MaildropLock.objects.filter(account_id=account_id, token=token).update(token="", until_s=0)
