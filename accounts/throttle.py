"""One throttle for every protocol: how often a secret may be wrong, by account and by where it comes from.

Each counter is one number (GCRA: the moment at which all failures are forgotten), so it slides, never opens a
window at once, and knows the seconds to wait. An attempt is counted before the secret is checked and given back
when it was right, so that attempts made at the same time can't slip through together.

An attempt from a block where this account signed in lately is *known*: it is counted for that pair alone, so a
stranger's failures elsewhere lock nobody out of his usual place. Blocks are /24 (IPv4: neighbouring addresses are
rented together; the limit leaves room for an office behind one of them) and /64 (IPv6: one subscriber, RFC 6177).
Loopback is a block like any other. Without Redis each process counts for itself, at half the limits.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Sequence

import redis

from core.crypto import keyed_hash
from core.redis import client

WINDOW_S = 900
ACCOUNT_FAILURES = 20
"""In WINDOW_S from anywhere; enough for all connections a mail program opens at once with an old password."""
PAIR_FAILURES = 30
"""In WINDOW_S from a block where this account signed in lately."""
BLOCK_FAILURES = 60
"""In WINDOW_S for all accounts from one unknown block."""
KNOWN_FOR_S = 30 * 24 * 3600
LOCAL_ENTRIES = 50_000
PAUSE_S = 5.0
"""A Redis that is gone is asked again after so long."""

TAKE = """
local now = tonumber(redis.call('TIME')[1])
local wait = 0
for i, key in ipairs(KEYS) do
  local step = tonumber(ARGV[i])
  local full = math.max(tonumber(redis.call('GET', key) or now), now)
  wait = math.max(wait, full + step - now - tonumber(ARGV[#KEYS + 1]))
end
if wait > 0 then return math.ceil(wait) end
for i, key in ipairs(KEYS) do
  local full = math.max(tonumber(redis.call('GET', key) or now), now)
  redis.call('SET', key, tostring(full + tonumber(ARGV[i])), 'EX', tonumber(ARGV[#KEYS + 1]) + 1)
end
return 0
"""
LOOK = """
local now = tonumber(redis.call('TIME')[1])
local wait = 0
for i, key in ipairs(KEYS) do
  local full = math.max(tonumber(redis.call('GET', key) or now), now)
  wait = math.max(wait, full + tonumber(ARGV[i]) - now - tonumber(ARGV[#KEYS + 1]))
end
return math.ceil(math.max(wait, 0))
"""
"""The answer of TAKE; nothing is counted."""
SUCCEEDED = """
for i = 1, #KEYS - 1 do
  local full = redis.call('GET', KEYS[i])
  if full then redis.call('SET', KEYS[i], tostring(tonumber(full) - tonumber(ARGV[i])), 'KEEPTTL') end
end
redis.call('SET', KEYS[#KEYS], 1, 'EX', tonumber(ARGV[#ARGV]))
"""
"""Gives back what TAKE took, and remembers the place, the last of the keys."""

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt: give it back when the secret was right."""

    keys: tuple[str, ...]
    limits: tuple[int, ...]
    known_key: str
    retry_after_s: int = 0
    shared: bool = False
    """Counted in Redis, not in this process."""
    counted: bool = True


class Counters:
    """The same arithmetic as the Lua above, for one process (thread-safe, bounded)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full: collections.OrderedDict[str, float] = collections.OrderedDict()

    def take(self, keys: Sequence[str], steps: Sequence[float]) -> int:
        """Seconds to wait, or 0 and every key is counted."""
        with self._lock:
            full, wait = self._fill(keys, steps)
            if not wait:
                for key, at, step in zip(keys, full, steps, strict=True):
                    self._put(key, at + step)
            return wait

    def look(self, keys: Sequence[str], steps: Sequence[float]) -> int:
        """The seconds that `take` would give; nothing is counted."""
        with self._lock:
            return self._fill(keys, steps)[1]

    def _fill(self, keys: Sequence[str], steps: Sequence[float]) -> tuple[list[float], int]:
        now = time.monotonic()
        full = [max(self._full.get(key, now), now) for key in keys]
        wait = max(at + step - now - WINDOW_S for at, step in zip(full, steps, strict=True))
        return full, int(wait) + 1 if wait > 1e-6 else 0

    def give_back(self, keys: Sequence[str], steps: Sequence[float]) -> None:
        """Undo `take`."""
        with self._lock:
            for key, step in zip(keys, steps, strict=True):
                if key in self._full:
                    self._full[key] -= step

    def remember(self, key: str, *, for_s: float = KNOWN_FOR_S) -> None:
        """That something was so, for a while."""
        with self._lock:
            self._put(key, time.monotonic() + for_s)

    def knows(self, key: str) -> bool:
        """Whether it was remembered, and not too long ago."""
        with self._lock:
            return self._full.get(key, 0.0) > time.monotonic()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._full.clear()

    def _put(self, key: str, value: float) -> None:
        self._full[key] = value
        self._full.move_to_end(key)
        while len(self._full) > LOCAL_ENTRIES:
            self._full.popitem(last=False)


local = Counters()
_quiet_until = 0.0


@functools.lru_cache(maxsize=4096)
def block_of(remote_address: str) -> str:
    """The block of an address as text; a mapped IPv4 address (RFC 4291 2.5.5.2) is that IPv4 address."""
    try:
        address = ipaddress.ip_address(remote_address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24), strict=False))


def take(login: str, remote_address: str) -> Attempt:
    """Count one attempt of `login` (canonical, known or not). `retry_after_s` > 0: refused and not counted."""
    return _taken(_attempt(login, remote_address))


def look(login: str, remote_address: str) -> Attempt:
    """As `take`, for a secret that was right a short time ago: refused where any other would be, and not counted, so
    there is nothing to give back. One that proves wrong all the same is counted then: `failed`."""
    return look_all([(login, remote_address)])[0]


def look_all(asked: Sequence[tuple[str, str]]) -> list[Attempt]:
    """`look` for each login and remote address, with one question while nothing was wrong lately, as nearly always."""
    attempts = [_attempt(*each) for each in asked]
    keys = list(dict.fromkeys(key for attempt in attempts for key in attempt.keys))
    counts = _ask(lambda store: store.mget(keys)) if keys else []
    if not isinstance(counts, list):
        return [_looked(attempt) for attempt in attempts]
    wrong = {key for key, count in zip(keys, counts, strict=True) if count}
    return [
        _looked(attempt)
        if wrong and not wrong.isdisjoint(attempt.keys)
        else dataclasses.replace(attempt, shared=True, counted=False)
        for attempt in attempts
    ]


def _looked(attempt: Attempt) -> Attempt:
    answer = _ask(lambda store: store.eval(LOOK, len(attempt.keys), *attempt.keys, *_steps(attempt.limits), WINDOW_S))
    if isinstance(answer, int):
        return dataclasses.replace(attempt, retry_after_s=answer, shared=True, counted=False)
    wait = local.look(attempt.keys, _steps(attempt.limits, strictness=2))
    return dataclasses.replace(attempt, retry_after_s=wait, counted=False)


def failed(attempt: Attempt) -> None:
    """The secret was wrong: count the attempt if that is not done."""
    if not attempt.counted:
        _taken(attempt)


def _attempt(login: str, remote_address: str) -> Attempt:
    block = block_of(remote_address)
    pair = _key("pair", login, block)
    known_key = _key("known", login, block)
    if _knows(known_key):
        return Attempt((pair,), (PAIR_FAILURES,), known_key)
    keys = (_key("account", login), _key("block", block))
    return Attempt(keys, (ACCOUNT_FAILURES, BLOCK_FAILURES), known_key)


def succeeded(attempt: Attempt) -> None:
    """The secret was right: the attempt doesn't count, and this place is known for KNOWN_FOR_S."""
    if not attempt.counted and local.knows(attempt.known_key):
        return
    local.remember(attempt.known_key)
    taken = attempt.keys if attempt.shared and attempt.counted else ()
    steps = _steps(attempt.limits) if taken else []
    if not attempt.shared and attempt.counted:
        local.give_back(attempt.keys, _steps(attempt.limits, strictness=2))
    _ask(lambda store: store.eval(SUCCEEDED, len(taken) + 1, *taken, attempt.known_key, *steps, KNOWN_FOR_S))


def first_refusal(attempt: Attempt) -> bool:
    """Whether this is the first refusal for its account or pair in a WINDOW_S: the one worth a record."""
    key = f"{attempt.keys[0]}:told"
    answer = _ask(lambda store: "told" if store.set(key, 1, ex=WINDOW_S, nx=True) else "again")
    if answer is not None:
        return answer == "told"
    if local.knows(key):
        return False
    local.remember(key, for_s=WINDOW_S)
    return True


def _taken(attempt: Attempt) -> Attempt:
    steps = _steps(attempt.limits)
    answer = _ask(lambda store: store.eval(TAKE, len(attempt.keys), *attempt.keys, *steps, WINDOW_S))
    if isinstance(answer, int):
        return dataclasses.replace(attempt, retry_after_s=answer, shared=True)
    return dataclasses.replace(attempt, retry_after_s=local.take(attempt.keys, _steps(attempt.limits, strictness=2)))


def _knows(known_key: str) -> bool:
    return local.knows(known_key) or bool(_ask(lambda store: store.exists(known_key)))


def _steps(limits: Sequence[int], *, strictness: int = 1) -> list[float]:
    """One failure in seconds: WINDOW_S holds `limit / strictness` of them."""
    return [WINDOW_S * strictness / limit for limit in limits]


def _key(kind: str, *parts: str) -> str:
    return f"globalmail:throttle:{kind}:{keyed_hash('throttle', chr(0).join(parts).encode()).hex()[:32]}"


def _ask(question: Callable[[redis.Redis], object]) -> object:
    """The answer of Redis, or None while it is gone."""
    global _quiet_until  # noqa: PLW0603 - one clock for the process
    if time.monotonic() < _quiet_until:
        return None
    try:
        return question(client())
    except redis.RedisError as error:
        _quiet_until = time.monotonic() + PAUSE_S
        log.warning("throttle counts in this process only", extra={"error": str(error)})
        return None
