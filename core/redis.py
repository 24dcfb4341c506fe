"""One Redis client per process and kind. Everything that uses Redis must live without it.

Timeouts are short: a Redis that is gone must cost a page milliseconds, not seconds.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import Any

import redis
import redis.asyncio
from django.conf import settings

CONNECT_TIMEOUT_S = 0.5
REPLY_TIMEOUT_S = 1.0


@functools.cache
def client() -> redis.Redis:
    """The synchronous client of this process (thread-safe, pooled)."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=CONNECT_TIMEOUT_S, socket_timeout=REPLY_TIMEOUT_S
    )


def async_client() -> redis.asyncio.Redis:
    """A new asyncio client; the caller owns and closes it (pub/sub wants no read timeout)."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=CONNECT_TIMEOUT_S)


class Announcer:
    """Publishes without waiting for an answer (CLIENT REPLY OFF). Threads and forked processes may use the same one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None  # redis.Connection, whose methods have no types
        self._owner = 0

    def publish(self, channel: str, body: str) -> None:
        """Send `body` to everybody who listens; lost when Redis goes away just now. RedisError or OSError when it is away."""
        with self._lock:
            connection = self._living() or self._new()
            try:
                connection.send_command("PUBLISH", channel, body)
            except (redis.RedisError, OSError):
                self._drop()
                raise

    def _living(self) -> Any:
        """The connection, unless its other end is closed: a restarted Redis is asked anew."""
        if self._connection is None or self._owner != os.getpid():
            return None
        try:
            self._connection.can_read(timeout=0)
        except (redis.RedisError, OSError):
            self._drop()
        return self._connection

    def _new(self) -> Any:
        connection: Any = client().connection_pool.make_connection()
        connection.connect()
        connection.send_command("CLIENT", "REPLY", "OFF")
        self._connection, self._owner = connection, os.getpid()
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
        self._connection = None


@functools.cache
def announcer() -> Announcer:
    """The one of this process."""
    return Announcer()
