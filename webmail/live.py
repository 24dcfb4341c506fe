"""Live updates: one stream of server-sent events for each browser, hints only, no mail.

A stream holds no database connection: who may listen to what is looked up on a database thread, once when it opens
and again for all streams together every RECHECK_S. All streams of a process share one Redis subscription; whether
Redis works or not, one query each RESYNC_S compares the modseq of every mailbox that somebody listens to.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

import redis
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.exceptions import SuspiciousSession
from django.utils.crypto import constant_time_compare

from accounts.backends import AddressBackend
from accounts.models import Account
from accounts.selectors import access_for
from core import changes, dbthread
from core.errors import MailError
from mailstore.selectors.folders import modseq_of

KEEP_ALIVE_S = 15.0
RECHECK_S = 60.0
RETRY_MS = 3000
MAX_STREAMS = 20
"""Open streams of one account in one process; a browser needs one, whatever its tabs."""
MAX_MAILBOXES = 50
RECONNECT_S = 3.0

log = logging.getLogger(__name__)


@dataclasses.dataclass(eq=False, slots=True)
class Listener:
    """One open stream: what it may hear, and what it has not been told yet (the newest modseq of each mailbox)."""

    session_key: str
    account: int
    mailboxes: frozenset[int]
    pending: dict[int, int] = dataclasses.field(default_factory=dict)
    wake: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    ended: bool = False

    def tell(self, mailbox: int, modseq: int) -> None:
        """Note a hint; several of one mailbox become one."""
        if modseq > self.pending.get(mailbox, 0):
            self.pending[mailbox] = modseq
            self.wake.set()

    def end(self) -> None:
        """Make the stream stop."""
        self.ended = True
        self.wake.set()


class Hub:
    """All streams of this process and the tasks that feed them, running while there is a listener."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.seen: dict[int, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, listener: Listener) -> None:
        """Feed a stream."""
        self.listeners.add(listener)
        if not self._tasks or any(task.done() for task in self._tasks):
            self._stop()
            self._tasks = [asyncio.create_task(work()) for work in (self._subscribe, self._compare, self._recheck)]

    def remove(self, listener: Listener) -> None:
        """Forget a stream; the last one stops the feed."""
        self.listeners.discard(listener)
        if not self.listeners:
            self._stop()
            self.seen.clear()

    def streams_of(self, account: int) -> int:
        """How many streams an account has here."""
        return Counter(listener.account for listener in self.listeners)[account]

    async def close(self) -> None:
        """End every stream (the server stops)."""
        for listener in self.listeners:
            listener.end()
        self._stop()

    def hint(self, mailbox: int, modseq: int) -> None:
        """Something changed in a mailbox."""
        if modseq <= self.seen.get(mailbox, 0):
            return
        self.seen[mailbox] = modseq
        for listener in self.listeners:
            if mailbox in listener.mailboxes:
                listener.tell(mailbox, modseq)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _subscribe(self) -> None:
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                async with contextlib.aclosing(changes.subscribe()) as subscription:
                    async for hints in subscription:
                        for mailbox, modseq in hints:
                            self.hint(mailbox, modseq)
                        if not hints:  # what changed before anybody listened
                            await self._surely(self._compare_now)
            await asyncio.sleep(RECONNECT_S)

    async def _compare(self) -> None:
        while True:
            await asyncio.sleep(changes.RESYNC_S)
            await self._surely(self._compare_now)

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            await self._surely(self._recheck_now)

    async def _surely(self, work: Callable[[], Awaitable[None]]) -> None:
        """A database that fails once must not silence every open page."""
        try:
            await work()
        except Exception:
            log.exception("live updates failed once")

    async def _compare_now(self) -> None:
        wanted = {mailbox for listener in self.listeners for mailbox in listener.mailboxes}
        for mailbox, modseq in (await dbthread.run(modseq_of, sorted(wanted))).items():
            self.hint(mailbox, modseq)

    async def _recheck_now(self) -> None:
        for listener in list(self.listeners):
            allowed = await dbthread.run(admitted, listener.session_key, sorted(listener.mailboxes))
            if allowed is None or frozenset(allowed[1]) != listener.mailboxes:
                listener.end()


hub = Hub()


async def stream(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer GET /live/?mailboxes=1,2 with a stream: `change` events {"mailbox": "1", "modseq": "5"}."""
    session_key = _session_key(scope)
    wanted = _wanted(scope)
    found = await dbthread.run(admitted, session_key, wanted) if session_key and scope["method"] == "GET" else None
    if found is None:
        return await _refuse(send, 401)
    account, current = found
    if not current or hub.streams_of(account) >= MAX_STREAMS:
        return await _refuse(send, 404 if not current else 429)
    listener = Listener(session_key, account, frozenset(current))
    hub.add(listener)
    for mailbox, modseq in current.items():
        # A hint may have come between the query and now; nobody would send it again.
        newest = hub.seen.setdefault(mailbox, modseq)
        if newest > modseq:
            listener.tell(mailbox, newest)
        hub.seen[mailbox] = max(modseq, newest)
    try:
        await _run(listener, receive, send, current)
    finally:
        hub.remove(listener)


async def _run(listener: Listener, receive: Any, send: Any, current: dict[int, int]) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    # Where the mailboxes stand now: a browser that reconnects learns what it missed.
    await _write(send, f"retry: {RETRY_MS}\n\n" + "".join(_event(*each, name="state") for each in current.items()))
    gone = asyncio.create_task(_until_gone(receive))
    try:
        while not listener.ended and not gone.done():
            waiting = asyncio.create_task(listener.wake.wait())
            await asyncio.wait({waiting, gone}, timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            listener.wake.clear()
            hints, listener.pending = listener.pending, {}
            if not gone.done():
                await _write(send, "".join(_event(*each) for each in hints.items()) or ": here\n\n")
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Any, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _event(mailbox: int, modseq: int, *, name: str = "change") -> str:
    data = json.dumps({"mailbox": str(mailbox), "modseq": str(modseq)})
    return f"event: {name}\ndata: {data}\n\n"


def _wanted(scope: dict[str, Any]) -> list[int]:
    text = parse_qs(scope["query_string"].decode("latin-1")).get("mailboxes", [""])[0]
    ids = [int(each) for each in text.split(",") if each.isascii() and each.isdigit() and len(each) < 12]
    return ids[:MAX_MAILBOXES]


def _session_key(scope: dict[str, Any]) -> str:
    cookies: SimpleCookie = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            with contextlib.suppress(CookieError):
                cookies.load(value.decode("latin-1"))
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""


def admitted(session_key: str, mailboxes: list[int]) -> tuple[int, dict[int, int]] | None:
    """Whose session it is, and where those of `mailboxes` that he may read stand; None for no session."""
    account = _account_of(session_key)
    if account is None:
        return None
    allowed = [mailbox for mailbox in mailboxes if _may_read(account, mailbox)]
    return account.pk, modseq_of(allowed)


def _account_of(session_key: str) -> Account | None:
    """As Django's `get_user`, without a request."""
    if "\0" in session_key:  # a cookie may say \000, and PostgreSQL can't be asked for it
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    try:
        session = store.load()
    except SuspiciousSession:
        return None
    if SESSION_KEY not in session or BACKEND_SESSION_KEY not in session:
        return None
    account = AddressBackend().get_user(int(session[SESSION_KEY]))
    if account is None:
        return None
    hashes = (account.get_session_auth_hash(), *account.get_session_auth_fallback_hash())
    given = session.get(HASH_SESSION_KEY, "")
    return account if any(constant_time_compare(given, each) for each in hashes) else None


def _may_read(account: Account, mailbox: int) -> bool:
    try:
        access_for(account, mailbox)
    except MailError:
        return False
    return True
