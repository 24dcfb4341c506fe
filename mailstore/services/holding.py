"""Several reads and services about one mailbox as one step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import transaction

from core.access import Access
from mailstore.ledger import Ledger


@contextlib.contextmanager
def holding(*accesses: Access) -> Iterator[None]:
    """One transaction in which nobody else changes the mailboxes: what is read in the block stays true until it ends, and
    the services called in it happen all or not at all. An entry keeps its id when somebody moves it, so whoever acts on
    what lies in a folder looks for it in such a block. Keep it short: on SQLite nobody else writes meanwhile.
    NOT_FOUND for a mailbox that is gone."""
    with transaction.atomic():
        Ledger([access.mailbox for access in accesses])
        yield
