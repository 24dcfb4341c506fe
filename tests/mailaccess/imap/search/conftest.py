"""Every test with an index, columns and answers of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from mailaccess.imap.search.columns import columns
from mailaccess.imap.search.threading import answers
from tests.mailstore.search.conftest import empty_index

__all__ = ["empty_index"]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Ids and UIDs of two tests are the same numbers."""
    columns.forget()
    answers.forget()
    yield
    columns.forget()
    answers.forget()


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)
