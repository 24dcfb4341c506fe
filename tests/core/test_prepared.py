"""Queries that are built once give what the ORM gives."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from core import prepared
from core.prepared import Prepared
from logs_app.models import Event, Kind
from logs_app.services import record
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


def test_a_row_that_is_as_it_was_gives_a_model_of_its_own() -> None:
    account = make_account("alice@example.test")
    first = ACCOUNT.first(account.pk)
    assert first is not None
    first.name = first.domain.title = "Changed by one who asked"
    first._state.fields_cache["loaded"] = first
    second, third = ACCOUNT.first(account.pk), ACCOUNT.first(account.pk)
    assert second is not None and third is not None
    assert (second.name, second.domain.title) == (account.name, account.domain.title)
    assert set(second._state.fields_cache) == {"domain"}
    assert second is not third and second.domain is not third.domain
    assert second == third
    second.name = "Alice the second"
    second.save()
    now = ACCOUNT.first(account.pk)
    assert now is not None and now.name == "Alice the second"


def test_what_could_be_changed_in_place_is_made_anew() -> None:
    record(Kind.SIGN_IN, address="alice@example.test", data={"program": "Foxmail"})
    event = Event.objects.get()
    events: Prepared[Event] = Prepared(lambda pk: Event.objects.filter(pk=pk))
    first = events.first(event.pk)
    assert first is not None
    first.data["program"] = "Thunderbird"
    second = events.first(event.pk)
    assert second is not None and second.data == {"program": "Foxmail"}


def test_no_more_rows_are_remembered_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MADE_MAX", 2)
    people = [make_account(f"{name}@example.test") for name in ("alice", "bob", "carol")]
    query: Prepared[Account] = Prepared(lambda pk: Account.objects.select_related("domain").filter(pk=pk))
    for _ in range(2):
        assert [query.first(each.pk) for each in people] == people
        assert len(query._built.query._made) <= 2
