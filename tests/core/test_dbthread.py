"""Database threads of an asyncio process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest
from django.conf import settings
from django.db import connection

from core import dbthread


def server_sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def connect() -> bool:
    connection.ensure_connection()
    return connection.connection is not None


@pytest.mark.django_db(transaction=True)
def test_closing_leaves_no_session_on_the_server_and_the_next_call_starts_anew() -> None:
    assert asyncio.run(dbthread.run(connect))
    dbthread.close()
    assert not dbthread.pool.cache_info().currsize
    if connection.vendor == "postgresql":
        assert server_sessions() == 1
    assert asyncio.run(dbthread.run(connect))
    dbthread.close()


def test_closing_what_was_never_used_is_nothing() -> None:
    dbthread.close()
    dbthread.close()
    assert not dbthread.pool.cache_info().currsize


@pytest.mark.django_db(transaction=True)
def test_questions_that_come_meanwhile_are_one_group_and_a_bad_one_fails_alone() -> None:
    groups: list[list[int]] = []

    def answer(questions: Sequence[int]) -> list[int]:
        groups.append(list(questions))
        if 0 in questions:
            raise ValueError("nothing is divided by zero")
        return [10 // each for each in questions]

    async def ask(*questions: int) -> list[int | BaseException]:
        gathered = dbthread.Gathered(answer, most=3)
        return await asyncio.gather(*map(gathered.ask, questions), return_exceptions=True)

    assert asyncio.run(ask(1, 2, 5, 10)) == [10, 5, 2, 1]
    assert groups == [[1, 2, 5], [10]]
    first, second = asyncio.run(ask(0, 5))
    assert isinstance(first, ValueError) and second == 2
    assert groups[2:] == [[0, 5], [0], [5]]
    dbthread.close()


@pytest.mark.django_db(transaction=True)
def test_who_stopped_waiting_is_passed_over() -> None:
    async def ask() -> int:
        gathered: dbthread.Gathered[int, int] = dbthread.Gathered(lambda questions: list(questions))
        gone = asyncio.create_task(gathered.ask(1))
        await asyncio.sleep(0)
        gone.cancel()
        return await gathered.ask(2)

    assert asyncio.run(ask()) == 2
    dbthread.close()


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_raised_where_it_was_asked_and_who_left_early_asks_for_nothing() -> None:
    began, done, release = threading.Event(), threading.Event(), threading.Event()
    called: list[str] = []

    def work(name: str) -> None:
        called.append(name)
        began.set()
        release.wait(60)
        done.set()

    async def leave() -> None:
        with pytest.raises(ZeroDivisionError):
            await dbthread.run(divmod, 1, 0)
        busy = [asyncio.create_task(dbthread.run(release.wait, 60)) for _ in range(settings.DB_THREADS - 1)]
        working = asyncio.create_task(dbthread.run(work, "begun"))
        await asyncio.to_thread(began.wait, 60)
        waiting = asyncio.create_task(dbthread.run(work, "not begun"))
        await asyncio.sleep(0)
        for task in (working, waiting):
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        release.set()
        await asyncio.gather(*busy)
        assert await dbthread.run(int, "7") == 7

    asyncio.run(leave())
    assert done.wait(60), "what was begun is done"
    assert called == ["begun"]
    dbthread.close()


@pytest.mark.django_db(transaction=True)
def test_a_loop_that_ended_meanwhile_costs_no_thread() -> None:
    release = threading.Event()

    async def leave() -> None:
        asyncio.get_running_loop().create_task(dbthread.run(release.wait, 60))
        await asyncio.sleep(0)

    asyncio.run(leave())
    release.set()
    assert asyncio.run(dbthread.run(int, "7")) == 7
    dbthread.close()


def test_a_process_that_ends_does_first_what_it_has_begun() -> None:
    program = (
        "import os, time, django; django.setup()\n"
        "from core import dbthread\n"
        "dbthread.pool().submit(lambda: (time.sleep(0.5), print('done', flush=True)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "done\n"
