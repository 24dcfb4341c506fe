"""Queries that are built once give what the ORM gives."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from core.prepared import Prepared
from tests.factories import make_account

pytestmark = pytest.mark.django_db

ACCOUNT = Prepared(lambda pk: Account.objects.select_related("domain").filter(pk=pk))


def test_a_row_is_the_model_that_the_orm_makes_with_what_it_is_joined_to_in_one_query() -> None:
    account = make_account("alice@example.test")
    expected = Account.objects.select_related("domain").get(pk=account.pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = ACCOUNT.first(account.pk)
        assert found is not None
        domain = found.domain
    assert len(queries) == 1
    names = [field.attname for field in Account._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {name: getattr(expected, name) for name in names}
    names = [field.attname for field in type(domain)._meta.concrete_fields]
    assert [getattr(domain, name) for name in names] == [getattr(expected.domain, name) for name in names]
    assert not found._state.adding


def test_every_call_reads_anew() -> None:
    account = make_account("alice@example.test")
    assert ACCOUNT.first(account.pk)
    Account.objects.filter(pk=account.pk).update(name="Somebody else")
    found = ACCOUNT.first(account.pk)
    assert found is not None
    assert found.name == "Somebody else"


def test_nothing_found_is_none() -> None:
    assert ACCOUNT.first(10**9) is None


def test_another_value_is_another_row() -> None:
    people = [make_account(f"{name}@example.test") for name in ("alice", "bob")]
    assert [ACCOUNT.first(each.pk) for each in people] == people


def test_a_query_with_more_than_its_one_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="one parameter"):
        Prepared(lambda pk: Account.objects.filter(pk=pk, name="Alice")).first(1)


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_its_own_connection() -> None:
    account = make_account("alice@example.test")
    ACCOUNT.first(account.pk)
    found: list[Account | None] = []

    def ask() -> None:
        found.append(ACCOUNT.first(account.pk))
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [account]


def test_all_rows_come_in_their_order() -> None:
    for name in ("carol", "bob", "alice"):
        make_account(f"{name}@example.test")
    by_domain = Prepared(lambda name: Account.objects.filter(domain__name=name).order_by("address"))
    assert [each.address.partition("@")[0] for each in by_domain.all("example.test")] == [
        "alice",
        "bob",
        "carol",
        "mailer-daemon",
    ]
    assert by_domain.all("nowhere.test") == []
