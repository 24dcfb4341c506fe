"""The group-committing writer: futures of threads and of event loops, and how often it tells of changes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import types
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction

from core.access import Access
from core.errors import MailError
from mailstore import writer
from mailstore.models import Entry, Mailbox
from mailstore.services.deliver import Incoming, Placement, deliver, deliver_async, prepare
from mailstore.services.store import Stored
from tests.mailstore.letters import letter

pytestmark = pytest.mark.django_db(transaction=True)


def item(mailbox: int, name: str, **more: object) -> Incoming[None]:
    """One mail for a mailbox."""
    return Incoming(prepare(letter(name)), [Placement(mailbox)], **more)  # type: ignore[arg-type]


def test_an_event_loop_waits_for_many_at_once(mine: Access) -> None:
    async def work() -> list[object]:
        waiting = [deliver_async(item(mine.mailbox if n != 3 else 77_777, f"m{n}")) for n in range(12)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(work())
    assert isinstance(found.pop(3), MailError)
    entries = {entry for each in found for entry in each.entry_ids.values()}  # type: ignore[attr-defined]
    assert entries == set(Entry.objects.values_list("pk", flat=True))
    assert len(entries) == 11


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of the groups that were written."""
    found: list[int] = []
    store_group = writer.store_group

    def noted(items: Sequence[Incoming[Any]]) -> list[Stored]:
        found.append(len(items))
        return store_group(items)

    monkeypatch.setattr(writer, "store_group", noted)
    return found


def test_what_becomes_ready_in_one_turn_of_a_loop_is_one_group(mine: Access, sizes: list[int]) -> None:
    async def work() -> None:
        await asyncio.gather(*[deliver_async(item(mine.mailbox, f"m{n}")) for n in range(12)])

    asyncio.run(work())
    assert sizes == [12]


def test_what_is_queued_while_others_write_goes_with_the_group(
    mine: Access, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, queued = threading.Event(), threading.Event()

    def after_others() -> contextlib.AbstractContextManager[None]:
        waiting.set()
        assert queued.wait(60)
        return transaction.atomic()

    monkeypatch.setattr(writer, "transaction", types.SimpleNamespace(atomic=after_others))
    futures = [deliver(item(mine.mailbox, "first"))]
    assert waiting.wait(60)
    futures += [deliver(item(mailbox, f"m{mailbox}")) for mailbox in (mine.mailbox, 77_777, mine.mailbox)]
    assert futures[2].cancel() is True
    futures.append(deliver(item(77_777, "nobody")))
    queued.set()
    assert all(futures[n].result(60) for n in (0, 1, 3))
    with pytest.raises(MailError):
        futures[4].result(60)
    assert sizes[-1] == 3
    assert Entry.objects.count() == 3


def test_a_loop_that_is_gone_harms_nobody(mine: Access) -> None:
    async def leave() -> None:
        deliver_async(item(mine.mailbox, "gone"))

    asyncio.run(leave())
    assert deliver(item(mine.mailbox, "next")).result(20)
    assert Entry.objects.count() == 2


def test_what_belongs_together_is_asked_once_and_fails_alone(mine: Access) -> None:
    asked: list[list[object]] = []

    def refuse_two(about: list[object]) -> tuple[int, Exception] | None:
        asked.append(about)
        return (about.index(2), KeyError("two")) if 2 in about else None

    async def work() -> list[object]:
        waiting = [deliver_async(item(mine.mailbox, f"m{n}", about=n, together=refuse_two)) for n in range(4)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(work())
    assert [isinstance(each, KeyError) for each in found] == [False, False, True, False]
    assert Entry.objects.count() == 3
    assert max(len(about) for about in asked) > 1


def test_the_newest_hint_is_published_after_the_last_commit(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[list[tuple[int, int]]] = []
    monkeypatch.setattr(writer, "publish", lambda hints: published.append(list(hints)))
    for number in range(5):
        deliver(item(mine.mailbox, f"m{number}")).result(20)
    writer.drain()
    modseq = Mailbox.objects.get(pk=mine.mailbox).modseq
    assert published[-1] == [(mine.mailbox, modseq)]
    assert all(len(hints) == 1 for hints in published), "one for a mailbox, whatever a group holds"
