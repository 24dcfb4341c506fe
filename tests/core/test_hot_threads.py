"""The thread that worked last works next; none is started before all others are busy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait

import pytest

from core.hot_threads import HotThreads

WAIT_S = 60.0


@pytest.fixture
def pool() -> Iterator[HotThreads]:
    made = HotThreads(3, "hot")
    yield made
    made.shutdown()


def own_name() -> str:
    return threading.current_thread().name


def test_one_who_asks_again_and_again_meets_one_thread(pool: HotThreads) -> None:
    async def ask() -> set[str]:
        loop = asyncio.get_running_loop()
        return {await loop.run_in_executor(pool, own_name) for _ in range(200)}

    assert asyncio.run(ask()) == {"hot_0"}
    assert len(pool) == 1


def test_of_several_idle_threads_the_last_one_works(pool: HotThreads) -> None:
    release = [threading.Event() for _ in range(3)]
    futures = [pool.submit(each.wait, WAIT_S) for each in release]
    assert len(pool) == 3
    for number in (2, 0, 1):
        release[number].set()
        assert futures[number].result(WAIT_S)
    assert pool.submit(own_name).result(WAIT_S) == "hot_1"


def test_what_is_too_much_waits_its_turn_and_nothing_is_left(pool: HotThreads) -> None:
    release = threading.Event()
    order: list[int] = []
    busy = [pool.submit(release.wait, WAIT_S) for _ in range(3)]
    waiting = [pool.submit(order.append, number) for number in range(50)]
    gone = pool.submit(order.append, -1)
    assert gone.cancel()
    release.set()
    wait([*busy, *waiting], WAIT_S)
    assert sorted(order) == list(range(50))
    with pytest.raises(CancelledError):
        gone.result(WAIT_S)


def test_a_failure_is_his_who_asked(pool: HotThreads) -> None:
    def divide(by: int) -> float:
        return 1 / by

    with pytest.raises(ZeroDivisionError):
        pool.submit(divide, 0).result(WAIT_S)
    assert pool.submit(divide, 1).result(WAIT_S) == 1


def test_the_end_waits_for_what_was_submitted_and_takes_nothing_more() -> None:
    pool = HotThreads(1, "hot")
    release = threading.Event()
    first, second = pool.submit(release.wait, WAIT_S), pool.submit(own_name)
    release.set()
    pool.shutdown()
    assert first.done() and second.done()
    with pytest.raises(RuntimeError):
        pool.submit(own_name)


def test_who_is_still_waiting_at_the_end_may_be_told_that_it_will_not_be() -> None:
    pool = HotThreads(1, "hot")
    release = threading.Event()
    first, second = pool.submit(release.wait, WAIT_S), pool.submit(own_name)
    pool.shutdown(wait=False, cancel_futures=True)
    release.set()
    pool.shutdown()
    assert first.result(WAIT_S)
    assert second.cancelled()
