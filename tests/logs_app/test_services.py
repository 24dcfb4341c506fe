"""Writing the record."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from logs_app import services
from logs_app.models import Event, Kind
from logs_app.retention import KEEP_DAYS, purge_events
from logs_app.selectors import sign_ins
from logs_app.services import record
from logs_app.tasks import purge_events_task

pytestmark = pytest.mark.django_db


def test_an_event_is_kept_as_it_was_told() -> None:
    at = timezone.now() - datetime.timedelta(hours=1)
    record(
        Kind.DELIVERY, at=at, domain_id=1, account_id=2, address="a@b.test", actor="c@b.test", protocol="smtp",
        remote_address="2001:db8::1", succeeded=False, error="550 no",
        data={"subject": "你好", "sizes": [1, 2], "ok": True},
    )  # fmt: skip
    event = Event.objects.get()
    assert (event.at, event.kind, event.domain_id, event.account_id) == (at, "delivery", 1, 2)
    assert (event.address, event.actor, event.protocol) == ("a@b.test", "c@b.test", "smtp")
    assert (event.remote_address, event.succeeded, event.error) == ("2001:db8::1", False, "550 no")
    assert event.data == {"subject": "你好", "sizes": [1, 2], "ok": True}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        (None, None),
        ("unix socket", None),
        ("1" * 999, None),
    ],
)
def test_an_address_that_is_none_is_left_out(given: str | None, kept: str | None) -> None:
    record(Kind.SIGN_IN, remote_address=given)
    assert Event.objects.get().remote_address == kept


def test_what_strangers_send_is_cut_and_cleaned() -> None:
    deep: Any = {}
    inner = deep
    for _ in range(50):
        inner["x"] = {}
        inner = inner["x"]
    data = {
        "nul": "a\0b",
        "surrogate": "\ud800",
        "long": "y" * 10_000,
        "many": list(range(1000)),
        "deep": deep,
        "nan": float("nan"),
    }
    record(Kind.REFUSED, address="x\0" * 1000, error="e" * 1000, protocol="p" * 100, data=data)
    event = Event.objects.get()
    assert (len(event.address), len(event.error), len(event.protocol)) == (320, 200, 16)
    assert event.data["nul"] == "ab"
    assert event.data["surrogate"] == "?"
    assert len(event.data["long"]) == 500
    assert len(event.data["many"]) == 50
    assert event.data["nan"] == "nan"
    assert str(event.data["deep"]).count("x") < 300


def test_an_event_shares_the_fate_of_its_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record(Kind.ADMIN)
        raise RuntimeError
    assert not Event.objects.exists()


def test_each_kind_has_its_time() -> None:
    assert set(KEEP_DAYS) == set(Kind)
    now = timezone.now()
    for kind, days in KEEP_DAYS.items():
        record(kind, at=now - datetime.timedelta(days=days, minutes=-5), address="kept")
        record(kind, at=now - datetime.timedelta(days=days, minutes=5), address="over")
    assert purge_events(now) == len(KEEP_DAYS)
    assert set(Event.objects.values_list("address", flat=True)) == {"kept"}


def test_purging_goes_on_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr("logs_app.retention.SLICE", 3)
    monkeypatch.setattr("logs_app.tasks.SLICE", 3)
    monkeypatch.setattr("logs_app.tasks.wake", woken.append)
    old = timezone.now() - datetime.timedelta(days=1000)
    for _ in range(4):
        record(Kind.SIGN_IN, at=old)
    purge_events_task()
    assert (Event.objects.count(), woken) == (1, ["logs_app.purge_events"])
    purge_events_task()
    assert (Event.objects.count(), len(woken)) == (0, 1)


def test_the_newest_sign_ins_of_one_account_cost_one_query(django_assert_num_queries: Any) -> None:
    now = timezone.now()
    for number in range(5):
        record(Kind.SIGN_IN, account_id=1, at=now - datetime.timedelta(minutes=number), data={"program": f"p{number}"})
        record(Kind.SIGN_IN, account_id=2, at=now)
        record(Kind.ADMIN, account_id=1, at=now)
    with django_assert_num_queries(1):
        assert [row.program for row in sign_ins(1, limit=3)] == ["p0", "p1", "p2"]


def _in_threads(count: int) -> list[BaseException]:
    """Events of so many threads that all wait for the one that writes."""
    failed: list[BaseException] = []

    def one(number: int) -> None:
        try:
            record(Kind.SIGN_IN, address=f"{number}@example.test")
        except DatabaseError as error:
            failed.append(error)
        finally:
            connection.close()

    with services._together._turn:
        threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        while len(services._together._waiting) < count:
            threads[0].join(0.01)
    for thread in threads:
        thread.join()
    return failed


@pytest.mark.django_db(transaction=True)
def test_events_of_many_threads_share_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = services.record_many

    def counted(events: list[services.NewEvent]) -> None:
        sizes.append(len(events))
        real(events)

    monkeypatch.setattr(services, "record_many", counted)
    assert _in_threads(7) == []
    assert sizes == [7]
    assert Event.objects.count() == 7


@pytest.mark.django_db(transaction=True)
def test_who_asks_for_it_writes_the_events_himself() -> None:
    with services.recording_apart() as events:
        services.record(Kind.SIGN_IN, address="a@example.test")
        with transaction.atomic():
            services.record(Kind.ADMIN, address="b@example.test")
    assert [event.address for event in Event.objects.all()] == ["b@example.test"]
    services.record(Kind.SIGN_IN, address="c@example.test")
    assert services.record_groups([events, []]) == [None, None]
    assert {event.address for event in Event.objects.all()} == {"a@example.test", "b@example.test", "c@example.test"}


@pytest.mark.django_db(transaction=True)
def test_when_the_database_fails_everyone_who_waits_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(events: list[services.NewEvent]) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(services, "record_many", broken)
    assert len(_in_threads(3)) == 3
    monkeypatch.undo()
    assert _in_threads(1) == []
    assert Event.objects.count() == 1
