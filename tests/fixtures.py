"""The cast: alice (owner), bob (colleague), charlie (stranger); and a clean memory for every test."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator

import pytest

from accounts import throttle
from accounts.domain_names import _names
from accounts.models import Account
from accounts.verifiers import lately, verified
from core import dbthread, redis
from mailaccess.imap.folder_index import index
from mailaccess.imap.header_fields import header_fields
from mailaccess.imap.search.columns import columns
from mailaccess.imap.search.threading import answers
from mailstore import dictionaries, writer
from mailstore.selectors.list_position import anchors
from mailstore.services import orders
from mta.authentication import spf
from mta.inbound import monitoring
from mta.services import dkim_keys
from mta.spam.counts import forget_counts
from mta.spam.known import forget_names
from tests.factories import make_account


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:  # noqa: PT004
    """Threads that live on have connections: PostgreSQL drops no database that somebody uses."""
    yield
    writer.drain()
    dbthread.close()
    gc.collect()  # a thread that has ended has its connection closed with it


@pytest.fixture(scope="session", autouse=True)
def one_key_of_each_kind() -> Iterator[None]:
    """Making an RSA key takes a tenth of a second, and every domain gets one: here all get the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dkim_keys, "new_key", functools.cache(dkim_keys.new_key))
        yield


@pytest.fixture(autouse=True)
def clean_memory() -> Iterator[None]:
    """What processes remember must not pass from one test to the next: ids come again, and so do modseqs."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    _names.forget()
    monitoring.forget()
    forget_counts()
    forget_names()
    spf._remembered.clear()
    verified.clear()
    lately.clear()
    throttle.local.clear()
    anchors.clear()
    index.forget()
    header_fields.forget()
    columns.forget()
    answers.forget()
    orders._noted.clear()
    dictionaries.forget()
    redis.client.cache_clear()
    redis.announcer.cache_clear()


@pytest.fixture
def alice(db: None) -> Account:
    """The owner."""
    return make_account("alice@example.test")


@pytest.fixture
def bob(db: None) -> Account:
    """A colleague in the same domain."""
    return make_account("bob@example.test")


@pytest.fixture
def charlie(db: None) -> Account:
    """A stranger, in another domain."""
    return make_account("charlie@elsewhere.test")
