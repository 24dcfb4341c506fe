"""Database threads of an asyncio process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence

import pytest
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


def test_a_process_that_ends_does_first_what_it_has_begun() -> None:
    program = (
        "import os, time, django; django.setup()\n"
        "from core import dbthread\n"
        "dbthread.pool().submit(lambda: (time.sleep(0.5), print('done', flush=True)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "done\n"
