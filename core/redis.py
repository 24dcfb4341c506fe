"""One Redis client per process and kind. Everything that uses Redis must live without it.

Timeouts are short: a Redis that is gone must cost a page milliseconds, not seconds.
"""

from __future__ import annotations

import functools

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
