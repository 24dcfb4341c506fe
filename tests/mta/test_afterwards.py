"""What is written behind the answers: one row that can't be written takes no other with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from django.db import DataError

from logs_app.models import Event, Kind
from logs_app.services import NewEvent
from mta.inbound import afterwards
from mta.inbound.afterwards import Afterwards

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_the_database_never_takes_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    write = afterwards.record_many

    def refusing(events: Iterable[NewEvent]) -> None:
        events = list(events)
        if any(each.address == "bad" for each in events):
            raise DataError("never")
        write(events)

    monkeypatch.setattr(afterwards, "record_many", refusing)
    waiting = Afterwards()
    waiting.note(lambda: (NewEvent(Kind.RECEIVED, address=name) for name in ("first", "bad", "last")))
    asyncio.run(waiting.flush())
    assert sorted(Event.objects.values_list("address", flat=True)) == ["first", "last"]
    asyncio.run(waiting.flush())
    assert Event.objects.count() == 2
