"""How often something may happen in a minute, counted in this process."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import rates
from core.rates import Rates
from tests.flows.test_redis import redis_server

WHO = "192.0.2.77"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A time that stands still, and no Redis."""
    now = [0.0]
    monkeypatch.setattr(rates.time, "monotonic", lambda: now[0])
    yield now


def alone(limits: dict[str, int]) -> Rates:
    """Counters that ask nobody."""
    found = Rates(limits)
    found._quiet_until = float("inf")
    return found


@pytest.mark.parametrize("limit", [2, 6, 14, 60])
def test_half_of_the_limit_goes_through_at_once_whatever_the_time_of_day(clock: list[float], limit: int) -> None:
    chance = random.Random(11)  # noqa: S311 - times of day
    for _ in range(300):
        clock[0] = chance.uniform(0, 1e6)
        counting = alone({"mail": limit})
        answers = [asyncio.run(counting.take("mail", "192.0.2.1")) for _ in range(limit // 2 + 1)]
        assert answers == [True] * (limit // 2) + [False], clock


def test_what_is_not_limited_is_not_counted(clock: list[float]) -> None:
    counting = alone({"mail": 0})
    assert all(asyncio.run(counting.take(what, "a")) for what in ("mail", "other") for _ in range(100))


def test_several_are_counted_with_one_question_and_each_by_itself(tmp_path: Path, settings: Any) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/r.sock"

    async def asked() -> tuple[list[dict[str, bool]], bool, bool]:
        counting = Rates({"mail": 4, "people": 2})
        try:
            wanted = {"mail": 1, "people": 1, "other": 1}
            answers = [await counting.take_each(wanted, WHO) for _ in range(3)]
            return answers, await counting.take("mail", WHO), await counting.take("mail", WHO)
        finally:
            await counting.close()

    with redis_server(tmp_path / "r.sock"):
        answers, fourth, fifth = asyncio.run(asked())
    assert [each["people"] for each in answers] == [True, True, False], "the limit itself, where Redis counts"
    assert [each["mail"] for each in answers] == [True] * 3
    assert [each["other"] for each in answers] == [True] * 3
    assert (fourth, fifth) == (True, False), "nothing is counted of what is refused"
