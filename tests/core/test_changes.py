"""Hints of one process: the first leaves at once, what follows it closely leaves together, and nothing stays behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from core import changes

WAIT_S = 60.0
Sent = list[tuple[int, int]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleQueue[Sent]]:
    """What leaves, message by message."""
    found: SimpleQueue[Sent] = SimpleQueue()
    monkeypatch.setattr(changes, "_outbox", changes._Outbox())
    monkeypatch.setattr(changes, "_quiet_until", 0.0)
    monkeypatch.setattr(changes, "_send", lambda hints: found.put(sorted(hints.items())))
    yield found


def test_what_follows_closely_leaves_together_with_the_newest_of_each_mailbox(
    sent: SimpleQueue[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "GAP_S", 0.5)
    changes.publish([(1, 10)])
    assert sent.get_nowait() == [(1, 10)], "the first waits for nobody"
    for hints in ([(1, 12)], [(2, 5)], [(1, 11)]):
        changes.publish(hints)
    assert sent.get(timeout=WAIT_S) == [(1, 12), (2, 5)]
    changes.publish([(3, 1)])
    assert sent.get(timeout=WAIT_S) == [(3, 1)], "the thread goes on"
    assert sent.empty()


def test_hints_of_many_threads_all_arrive(sent: SimpleQueue[Sent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "GAP_S", 0.001)

    def tell(mailbox: int) -> None:
        for modseq in range(1, 201):
            changes.publish([(mailbox, modseq)])

    threads = [threading.Thread(target=tell, args=(mailbox,)) for mailbox in range(5)]
    for thread in threads:
        thread.start()
    newest: dict[int, int] = {}
    while newest != dict.fromkeys(range(5), 200):
        newest |= {mailbox: max(modseq, newest.get(mailbox, 0)) for mailbox, modseq in sent.get(timeout=WAIT_S)}
    for thread in threads:
        thread.join()


def test_without_a_thread_for_it_nothing_waits(sent: SimpleQueue[Sent], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    for number in range(3):
        changes.publish([(1, number + 1)])
        assert sent.get_nowait() == [(1, number + 1)]


def test_a_child_sends_its_own_hints_and_none_of_its_parent(
    sent: SimpleQueue[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "GAP_S", 3_600.0)
    changes.publish([(1, 1)])
    changes.publish([(1, 2)])  # waits
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(changes, "_send", lambda hints: os.write(writer, repr(hints).encode()))
        changes.publish([(2, 7)])
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100) == b"{2: 7}"
    os.close(reader)
    os.close(writer)
    assert sent.get_nowait() == [(1, 1)]
    changes._outbox.send()
    assert sent.get_nowait() == [(1, 2)], "the parent's is still its own"
