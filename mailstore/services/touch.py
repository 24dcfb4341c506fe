"""Telling whoever looks at a mailbox that something beside its folders changed: a number that an upper layer counts
(`mailstore.selectors.side.register_count`)."""

from __future__ import annotations

import functools
from collections.abc import Collection

from django.db import transaction

from core.errors import MailError
from mailstore.ledger import Ledger


def touch_on_commit(mailboxes: Collection[int]) -> None:
    """Once the caller's transaction is committed, these mailboxes have a new mod-sequence, in a transaction of its own:
    the caller may hold other mailboxes, and locks are taken in one order. Lost when the process dies between the two; then
    the next change tells it."""
    if mailboxes:
        transaction.on_commit(functools.partial(_touch, sorted(set(mailboxes))), robust=True)


def _touch(mailboxes: list[int]) -> None:
    for mailbox in mailboxes:
        try:
            with transaction.atomic():
                ledger = Ledger([mailbox])
                ledger.mailbox_modseq(mailbox)
                ledger.write()
        except MailError:
            continue  # erased meanwhile
