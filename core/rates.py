"""How often something may happen in a minute: counted in Redis for all processes, or here, at half the limit.

Each counter is one number (GCRA, as in accounts.throttle): it slides, and never opens a window at once. A Redis that is
gone is left alone for PAUSE_S; meanwhile each process counts for itself.
"""

from __future__ import annotations

import collections
import logging
import time
from collections.abc import Mapping, Sequence

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
local window = tonumber(ARGV[1])
local taken = {}
for at, key in ipairs(KEYS) do
    local full = math.max(tonumber(redis.call('GET', key) or now), now) + tonumber(ARGV[2 + at])
    if full - now > window + tonumber(ARGV[2]) then
        taken[at] = 0
    else
        redis.call('SET', key, string.format('%.6f', full), 'EX', window + 1)
        taken[at] = 1
    end
end
return taken
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
        return (await self.take_each({what: amount}, whose))[what]

    async def take_each(self, wanted: Mapping[str, int], whose: str) -> dict[str, bool]:
        """As `take`, several at once with one question; each is counted or refused by itself."""
        steps = {
            what: (f"globalmail:rate:{what}:{whose}", WINDOW_S * amount / self._limits[what])
            for what, amount in wanted.items()
            if self._limits.get(what, 0) > 0
        }
        answers = await self._together(list(steps.values())) if steps else []
        if answers is None:
            answers = [self._alone(key, step * STRICTNESS_ALONE) for key, step in steps.values()]
        return dict.fromkeys(wanted, True) | dict(zip(steps, answers, strict=True))

    async def close(self) -> None:
        """Give the connection back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _together(self, steps: Sequence[tuple[str, float]]) -> list[bool] | None:
        if time.monotonic() < self._quiet_until:
            return None
        if self._client is None:
            self._client = async_client()
        keys, amounts = [key for key, _step in steps], [str(step) for _key, step in steps]
        try:
            taken = await self._client.eval(TAKE, len(keys), *keys, str(WINDOW_S), str(ROUNDING_S), *amounts)  # type: ignore[misc]
        except (redis.RedisError, OSError) as error:
            self._quiet_until = time.monotonic() + PAUSE_S
            log.info("rates are counted in this process only", extra={"error": str(error)})
            return None
        return [bool(each) for each in taken]

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
