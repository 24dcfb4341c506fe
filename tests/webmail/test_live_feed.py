"""What feeds the live streams, without a server: the compare finds what no hint told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import OperationalError

from core import changes, dbthread
from webmail import live


async def heard(listener: live.Listener) -> dict[int, int]:
    """What the hub tells a stream next."""
    hub = live.Hub()
    hub.add(listener)
    try:
        await asyncio.wait_for(listener.wake.wait(), 60)
    finally:
        await hub.close()
    return listener.pending


@pytest.fixture
def quick(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """Without Redis, and at once. The database's threads look at their connections before any work, so that they need one."""

    async def nobody() -> Any:
        await asyncio.Event().wait()
        yield []

    monkeypatch.setattr(changes, "subscribe", nobody)
    monkeypatch.setattr(changes, "RESYNC_S", 0.001)
    yield
    dbthread.close()


def test_a_change_without_a_hint_is_found_by_comparing(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "modseq_of", lambda mailboxes: dict.fromkeys(mailboxes, 7))
    assert asyncio.run(heard(live.Listener("key", 1, frozenset({4, 5})))) == {4: 7, 5: 7}


def test_a_database_that_was_away_for_a_while_silences_no_stream(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def modseq_of(mailboxes: Sequence[int]) -> dict[int, int]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OperationalError("the database is restarting")
        return {4: 7}

    monkeypatch.setattr(live, "modseq_of", modseq_of)
    assert asyncio.run(heard(live.Listener("key", 1, frozenset({4})))) == {4: 7}
    assert tries >= 3
