"""One ASGI application: live updates stream on the event loop, every page runs in a pool of threads.

Django's own bridge from ASGI makes a thread and a connection for each request; a2wsgi keeps WEB_THREADS threads,
whose database connections persist.
"""

from __future__ import annotations

import multiprocessing
import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.urls import resolve

from webmail.wsgi import application as pages

# isort: split
# Django is set up by the import above; what imports models comes after it.
from core.processes import die_with_parent, freeze_loaded
from webmail.live import hub, stream

if granian := multiprocessing.parent_process():
    die_with_parent(
        granian.pid or 0
    )  # one of granian's workers, which would outlive a killed granian and keep the port

resolve("/sign-in/")  # imports every view before the first request asks for one
freeze_loaded()
LIVE_PATH = "/live/"

threads: Any = WSGIMiddleware(cast("Any", pages), workers=settings.WEB_THREADS)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The server's entry point."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == LIVE_PATH:
        await stream(scope, receive, send)
    elif scope["type"] == "http":
        await threads(scope, _coroutine(receive), send)


def _coroutine(receive: Any) -> Any:
    """The server's `receive` gives any awaitable; a2wsgi hands it to the loop as a coroutine."""

    async def body() -> Any:
        return await receive()

    return body


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await hub.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
