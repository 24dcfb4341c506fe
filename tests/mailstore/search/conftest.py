"""An empty index for every test: its file outlives the test's transaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from mailstore.search import sqlite
from mailstore.search.index import index
from mailstore.search.indexer import Indexer


@pytest.fixture(autouse=True)
def empty_index(request: pytest.FixtureRequest) -> Iterator[None]:
    """Before; and this thread's connection closed after."""
    if {"db", "transactional_db"} & set(request.fixturenames) and connection.vendor == "sqlite":
        request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
        index().empty()
        index().filled()
    yield
    sqlite.close()


@pytest.fixture
def indexer(db: None) -> Iterator[Indexer]:
    """One that works when asked to."""
    found = Indexer()
    yield found
    found.close()
