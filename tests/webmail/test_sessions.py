"""Sessions are read by a query of our own and end as Django's do."""

from __future__ import annotations

import datetime

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from webmail.sessions import SessionStore

pytestmark = pytest.mark.django_db


def saved() -> str:
    """A session that remembers something."""
    store = SessionStore()
    store["who"] = "alice"
    store.save()
    assert store.session_key
    return store.session_key


def test_a_session_is_read_with_one_query(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    key = saved()
    with django_assert_num_queries(1):
        assert SessionStore(key)["who"] == "alice"


def test_an_expired_session_is_empty_and_loses_its_key() -> None:
    key = saved()
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - datetime.timedelta(seconds=1))
    store = SessionStore(key)
    assert "who" not in store
    assert store.session_key is None


def test_a_deleted_session_is_empty_at_once() -> None:
    key = saved()
    assert SessionStore(key)["who"] == "alice"
    SessionStore(key).flush()
    assert "who" not in SessionStore(key)
    assert not Session.objects.filter(pk=key).exists()
