"""How often something may happen in a minute: counted in Redis for all processes, or here, at half the limit.

Each counter is one number (GCRA, as in accounts.throttle): it slides, and never opens a window at once. A Redis that is
gone is left alone for PAUSE_S; meanwhile each process counts for itself.
"""

from __future__ import annotations

import collections
import logging
import time
from collections.abc import Mapping

import redis
import redis.asyncio

from core.redis import async_client

WINDOW_S = 60
PAUSE_S = 5.0
STRICTNESS_ALONE = 2
"""Processes that can't count together each allow half: two of them are as strict as the limit."""
LOCAL_ENTRIES = 50_000
ROUNDING_S = 0.001
"""A time of day and a window added and taken apart again are not the window to the last bit."""

TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local step = tonumber(ARGV[1])
if full + step - now > tonumber(ARGV[2]) + tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], string.format('%.6f', full + step), 'EX', tonumber(ARGV[2]) + 1)
return 1
"""

log = logging.getLogger(__name__)


class Rates:
    """One per process and event loop. `limits`: what is counted, and how often a minute; a missing or zero limit is none."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = dict(limits)
        self._client: redis.asyncio.Redis | None = None
        self._quiet_until = 0.0
        self._full: collections.OrderedDict[str, float] = collections.OrderedDict()

    async def take(self, what: str, whose: str, amount: int = 1) -> bool:
        """Count `amount` of `what` for `whose`; False (and nothing counted) when it is too much for now."""
        limit = self._limits.get(what, 0)
        if limit <= 0:
            return True
        key, step = f"globalmail:rate:{what}:{whose}", WINDOW_S * amount / limit
        answer = await self._together(key, step)
        return self._alone(key, step * STRICTNESS_ALONE) if answer is None else answer

    async def close(self) -> None:
        """Give the connection back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _together(self, key: str, step: float) -> bool | None:
        if time.monotonic() < self._quiet_until:
            return None
        if self._client is None:
            self._client = async_client()
        try:
            return bool(await self._client.eval(TAKE, 1, key, str(step), str(WINDOW_S), str(ROUNDING_S)))  # type: ignore[misc]
        except (redis.RedisError, OSError) as error:
            self._quiet_until = time.monotonic() + PAUSE_S
            log.info("rates are counted in this process only", extra={"error": str(error)})
            return None

    def _alone(self, key: str, step: float) -> bool:
        now = time.monotonic()
        full = max(self._full.get(key, now), now) + step
        if full - now > WINDOW_S + ROUNDING_S:
            return False
        self._full[key] = full
        self._full.move_to_end(key)
        while len(self._full) > LOCAL_ENTRIES:
            self._full.popitem(last=False)
        return True
