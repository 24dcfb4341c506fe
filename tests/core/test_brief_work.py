"""Short reading in shared visits to a database thread."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import OperationalError, connection

from core import brief_work, dbthread
from core.brief_work import run_briefly
from core.errors import ErrorKind, MailError

pytestmark = pytest.mark.django_db(transaction=True)


def number(value: int) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s + 0", [value])
        return int(cursor.fetchone()[0]), threading.current_thread().name


def missing(value: int) -> int:
    raise MailError(ErrorKind.NOT_FOUND, number=value)


def test_what_comes_meanwhile_is_one_visit_and_a_failure_is_his_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[int] = []
    all_done = brief_work._all_done
    monkeypatch.setattr(brief_work, "_all_done", lambda work: visits.append(len(work)) or all_done(work))

    async def ask() -> list[object]:
        some = [run_briefly(number, value) for value in range(5)]
        return await asyncio.gather(*some, run_briefly(missing, 7), run_briefly(number, 8), return_exceptions=True)

    *found, failed, last = asyncio.run(ask())
    assert [each[0] for each in [*found, last]] == [0, 1, 2, 3, 4, 8]
    assert isinstance(failed, MailError) and failed.data == {"number": 7}
    assert visits == [7]
    dbthread.close()


def test_a_visit_has_no_more_than_it_may_and_the_rest_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[int] = []
    all_done = brief_work._all_done
    monkeypatch.setattr(brief_work, "_all_done", lambda work: visits.append(len(work)) or all_done(work))

    async def ask() -> list[tuple[int, str]]:
        return await asyncio.gather(*(run_briefly(number, value) for value in range(2 * brief_work.TOGETHER_MAX + 1)))

    assert [value for value, _ in asyncio.run(ask())] == list(range(2 * brief_work.TOGETHER_MAX + 1))
    assert visits == [brief_work.TOGETHER_MAX, brief_work.TOGETHER_MAX, 1]
    dbthread.close()


def test_a_connection_that_breaks_is_not_the_next_ones_failure() -> None:
    def broken() -> None:
        connection.ensure_connection()
        connection.errors_occurred = True
        connection.is_usable = lambda: False  # type: ignore[method-assign]
        raise OperationalError("the server has gone")

    async def ask() -> list[object]:
        return await asyncio.gather(run_briefly(broken), run_briefly(connected), return_exceptions=True)

    failed, is_new = asyncio.run(ask())
    assert isinstance(failed, OperationalError)
    assert is_new is True
    dbthread.close()


def connected() -> bool:
    """Whether this thread has to connect."""
    return connection.connection is None


def test_who_asks_alone_waits_for_nobody_and_one_who_left_holds_nobody_up() -> None:
    async def ask() -> tuple[int, str]:
        gone = asyncio.create_task(run_briefly(number, 1))
        await asyncio.sleep(0)
        gone.cancel()
        return await run_briefly(number, 2)

    assert asyncio.run(ask())[0] == 2
    dbthread.close()
