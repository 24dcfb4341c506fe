"""Live updates: hints reach open streams, with and without Redis; streams end with their sessions and cost nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client

from accounts.models import Account
from core import changes, dbthread
from core.redis import client as redis_client
from tests.webmail.mails import browser_of, deliver, mail
from webmail import live
from webmail.live import Hub, stream
from webmail.serve.programs import redis_program

pytestmark = [pytest.mark.django_db(transaction=True)]
WAIT_S = 60.0


@pytest.fixture(autouse=True)
def new_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of another event loop are not ours."""
    monkeypatch.setattr(live, "hub", Hub())
    monkeypatch.setattr(changes, "_quiet_until", 0.0)


@pytest.fixture(scope="module")
def redis_socket() -> Iterator[Path]:
    """A real Redis on a socket with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="gm-"))
    socket = folder / "s"
    command = [redis_program(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with contextlib.closing(redis.Redis(unix_socket_path=str(socket))) as probe:
        for _attempt in range(1_200):
            with contextlib.suppress(redis.RedisError):
                probe.ping()
                break
            asyncio.run(asyncio.sleep(0.05))
    yield socket
    process.terminate()
    process.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def with_redis(redis_socket: Path, settings: Any) -> Iterator[None]:
    """Publishing and subscribing work."""
    settings.REDIS_URL = f"unix://{redis_socket}"
    redis_client.cache_clear()
    yield
    redis_client.cache_clear()


@pytest.fixture
def without_redis(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nobody answers; modseq is compared often, so that no test waits."""
    settings.REDIS_URL = f"unix://{tmp_path / 'none'}"
    monkeypatch.setattr(changes, "RESYNC_S", 0.05)
    redis_client.cache_clear()
    yield
    redis_client.cache_clear()


class Stream:
    """One open request to /live/, as a server runs it."""

    def __init__(self, browser: Client | None, *mailboxes: int, method: str = "GET", cookie: str = "") -> None:
        session = browser.cookies["sessionid"].value if browser else ""
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/live/",
            "query_string": f"mailboxes={','.join(map(str, mailboxes))}".encode(),
            "headers": [(b"cookie", (cookie or f"sessionid={session}").encode())],
        }
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone: asyncio.Event = asyncio.Event()
        self.text = ""
        self.task = asyncio.create_task(stream(self.scope, self._receive, self.sent.put))

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def status(self) -> int:
        """What it answers."""
        return int((await asyncio.wait_for(self.sent.get(), WAIT_S))["status"])

    async def event(self, name: str) -> dict[str, str]:
        """The next event of this name."""
        async with asyncio.timeout(WAIT_S):
            while True:
                found = re.search(rf"event: {name}\ndata: (.*)\n\n", self.text)
                if found:
                    self.text = self.text[found.end() :]
                    return dict(json.loads(found[1]))
                self.text += (await self.sent.get())["body"].decode()

    async def ends(self) -> None:
        """Waits until the server has closed it."""
        await asyncio.wait_for(self.task, WAIT_S)

    async def close(self) -> None:
        """The browser goes away."""
        self.gone.set()
        await self.ends()


@contextlib.asynccontextmanager
async def opened(browser: Client, *mailboxes: int) -> AsyncIterator[Stream]:
    """A stream that was let in."""
    made = Stream(browser, *mailboxes)
    assert await made.status() == 200
    try:
        yield made
    finally:
        await made.close()


def in_own_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run as in a server: the loop's thread is nobody's who uses the database."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(120)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


@pytest.mark.asyncio
async def test_a_stream_says_where_the_mailbox_stands_and_then_what_changes(with_redis: None, alice: Account) -> None:
    browser = await dbthread.run(browser_of, alice)
    async with opened(browser, alice.pk) as open_stream:
        state = await open_stream.event("state")
        assert state["mailbox"] == str(alice.pk)
        await dbthread.run(deliver, alice, mail())
        change = await open_stream.event("change")
        assert change["mailbox"] == str(alice.pk)
        assert int(change["modseq"]) > int(state["modseq"])


@pytest.mark.asyncio
async def test_what_changed_before_the_subscription_was_there_is_told(
    with_redis: None, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = changes.subscribe

    async def late() -> AsyncIterator[list[tuple[int, int]]]:
        await dbthread.run(deliver, alice, mail())
        async for hints in real():
            yield hints

    monkeypatch.setattr(changes, "subscribe", late)
    browser = await dbthread.run(browser_of, alice)
    async with opened(browser, alice.pk) as open_stream:
        await open_stream.event("change")


@pytest.mark.asyncio
async def test_a_hint_between_looking_and_listening_is_not_lost(without_redis: None, alice: Account) -> None:
    browser = await dbthread.run(browser_of, alice)
    live.hub.seen[alice.pk] = 1_000
    async with opened(browser, alice.pk) as open_stream:
        assert (await open_stream.event("change"))["modseq"] == "1000"


@pytest.mark.asyncio
async def test_without_redis_changes_are_found_by_comparing(without_redis: None, alice: Account) -> None:
    browser = await dbthread.run(browser_of, alice)
    async with opened(browser, alice.pk) as open_stream:
        await open_stream.event("state")
        await dbthread.run(deliver, alice, mail())
        await open_stream.event("change")


def test_the_promise_of_twenty_seconds_without_redis_can_be_kept() -> None:
    assert changes.RESYNC_S + live.RETRY_MS / 1000 < 20


@pytest.mark.asyncio
async def test_a_database_that_fails_once_does_not_silence_the_streams(
    without_redis: None, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = live.modseq_of, []

    def flaky(mailboxes: list[int]) -> dict[int, int]:
        calls.append(mailboxes)
        if len(calls) == 2:
            raise OSError("gone for a moment")
        return real(mailboxes)

    monkeypatch.setattr(live, "modseq_of", flaky)
    browser = await dbthread.run(browser_of, alice)
    async with opened(browser, alice.pk) as open_stream:
        await open_stream.event("state")
        while len(calls) < 3:
            await asyncio.sleep(0.01)
        await dbthread.run(deliver, alice, mail())
        await open_stream.event("change")


@pytest.mark.asyncio
async def test_a_strangers_mailbox_is_refused_and_left_out(without_redis: None, alice: Account, bob: Account) -> None:
    browser = await dbthread.run(browser_of, bob)
    assert await Stream(browser, alice.pk).status() == 404
    async with opened(browser, bob.pk, alice.pk) as open_stream:
        assert (await open_stream.event("state"))["mailbox"] == str(bob.pk)
        await dbthread.run(deliver, alice, mail())
        await dbthread.run(deliver, bob, mail())
        assert (await open_stream.event("change"))["mailbox"] == str(bob.pk)
        assert str(alice.pk) not in re.findall(r'"mailbox": "(\d+)"', open_stream.text)


@pytest.mark.parametrize(
    "cookie", ["sessionid=", "sessionid=unknown", "sessionid=%00", 'sessionid="\\000"', "a b=c;;="]
)
@pytest.mark.asyncio
async def test_nobody_listens_without_a_session(without_redis: None, alice: Account, cookie: str) -> None:
    assert await Stream(None, alice.pk, cookie=cookie).status() == 401


@pytest.mark.asyncio
async def test_only_get_is_answered(without_redis: None, alice: Account) -> None:
    browser = await dbthread.run(browser_of, alice)
    assert await Stream(browser, alice.pk, method="POST").status() == 401


@pytest.mark.asyncio
async def test_an_account_has_a_limited_number_of_streams(
    without_redis: None, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_STREAMS", 2)
    browser = await dbthread.run(browser_of, alice)
    async with opened(browser, alice.pk), opened(browser, alice.pk):
        assert await Stream(browser, alice.pk).status() == 429
    async with opened(browser, alice.pk):
        pass


@pytest.mark.asyncio
async def test_a_stream_ends_with_its_session(
    without_redis: None, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECHECK_S", 0.05)
    browser = await dbthread.run(browser_of, alice)
    async with opened(browser, alice.pk) as open_stream:
        await open_stream.event("state")
        await dbthread.run(Session.objects.all().delete)
        await open_stream.ends()


@pytest.mark.asyncio
async def test_a_stream_ends_when_the_server_stops(without_redis: None, alice: Account) -> None:
    browser = await dbthread.run(browser_of, alice)
    async with opened(browser, alice.pk) as open_stream:
        await open_stream.event("state")
        await live.hub.close()
        await open_stream.ends()
    assert not live.hub.listeners


def test_two_hundred_streams_hold_no_database_connection(
    without_redis: None, alice: Account, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(live, "MAX_STREAMS", 500)
    browser = browser_of(alice)

    async def scenario() -> None:
        streams = [Stream(browser, alice.pk) for _number in range(200)]
        for each in streams:
            assert await each.status() == 200
            await each.event("state")
        assert [each for each in connections.all(initialized_only=True) if each.connection] == []
        assert len(dbthread.pool()) <= settings.DB_THREADS
        await dbthread.run(deliver, alice, mail())
        for each in streams:
            await each.event("change")
        for each in streams:
            await each.close()

    in_own_thread(scenario())
