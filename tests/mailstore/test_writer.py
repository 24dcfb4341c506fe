"""The group-committing writer: futures of threads and of event loops, and how often it tells of changes."""

from __future__ import annotations

import asyncio

import pytest

from core.access import Access
from core.errors import MailError
from mailstore import writer
from mailstore.models import Entry, Mailbox
from mailstore.services.deliver import Incoming, Placement, deliver, deliver_async, prepare
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
    monkeypatch.setattr(writer, "PUBLISH_EVERY_S", 60.0)
    for number in range(5):
        deliver(item(mine.mailbox, f"m{number}")).result(20)
    writer.drain()
    modseq = Mailbox.objects.get(pk=mine.mailbox).modseq
    assert published[-1] == [(mine.mailbox, modseq)]
    assert len(published) <= 2
