"""A store with the cast in it, and what every test of it checks at its end: that the rows agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from mailstore import writer
from mailstore.check_store import check_store
from mailstore.selectors.list_position import anchors


@pytest.fixture(autouse=True)
def agreeing_rows(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drain the writer; then `check_store` finds nothing, unless the test says that it breaks something."""
    anchors.clear()
    needs = [name for name in ("transactional_db", "db") if name in request.fixturenames]
    if needs:
        request.getfixturevalue(needs[0])  # so that the database is there until this has looked at it
    yield
    writer.drain()
    if needs and "breaks_rows" not in request.fixturenames:
        assert check_store() == []


@pytest.fixture
def breaks_rows() -> None:
    """For a test that leaves rows that disagree."""


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


@pytest.fixture
def his(bob: Account) -> Access:
    """Bob in his."""
    return access_for(bob, bob.pk)
