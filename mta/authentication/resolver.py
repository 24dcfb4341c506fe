"""DNS answers for the checks, kept for as long as their TTL says: one `Resolver` per process and event loop.

Who asks for what is being asked already waits for the same answer. A name server that fails is left alone for a short
while, so that a flood of mail from one broken domain does not become a flood of questions.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import enum
import time
from collections.abc import Callable
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

KEPT_MAX = 20_000
"""Answers in memory, about 10 MB."""
TTL_MIN_S = 5.0
TTL_MAX_S = 86_400.0
NOTHING_S = 60.0
"""How long "there is none" is believed when the zone does not say (RFC 2308)."""
NOTHING_MAX_S = 900.0
FAILURE_S = 10.0
"""How long a failed question is not asked again (RFC 9520 3.2: a second at least, five minutes at most)."""
LOOKUP_S = 5.0
RECORDS_MAX = 200


class Status(enum.Enum):
    """How a question ended: with records, with the word that there are none, or not at all."""

    FOUND = "found"
    NOTHING = "nothing"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """Records by type: TXT bytes, A and AAAA text, MX (preference, host), PTR and CNAME host, SRV (priority, weight,
    port, host); names in lower case without their last dot."""

    status: Status
    records: tuple[Any, ...] = ()


Key = tuple[str, str]
"""Lower-case name without its last dot, and record type."""
Look = Callable[[str, str], Answer]
FAILED = Answer(Status.FAILED)
NOTHING = Answer(Status.NOTHING)


def _name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


_READERS: dict[str, Callable[[Any], Any]] = {
    "TXT": lambda record: b"".join(record.strings),
    "A": lambda record: record.address,
    "AAAA": lambda record: record.address,
    "MX": lambda record: (record.preference, _name(record.exchange)),
    "PTR": lambda record: _name(record.target),
    "CNAME": lambda record: _name(record.target),
    "SRV": lambda record: (record.priority, record.weight, record.port, _name(record.target)),
}


def key_of(name: str, kind: str) -> Key:
    """The normal form of a question."""
    return name.lower().rstrip("."), kind


class Resolver:
    """A cache in front of dnspython's asynchronous resolver."""

    def __init__(self, *, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._kept: collections.OrderedDict[Key, tuple[float, Answer]] = collections.OrderedDict()
        self._asking: dict[Key, asyncio.Task[Answer]] = {}

    def known(self, key: Key) -> Answer | None:
        """What is known and fresh; no I/O."""
        found = self._kept.get(key)
        if found is None or found[0] < time.monotonic():
            return None
        self._kept.move_to_end(key)
        return found[1]

    async def ask(self, key: Key, timeout_s: float = LOOKUP_S) -> Answer:
        """Ask the network; FAILED when that takes longer than `timeout_s` (the question goes on for others)."""
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._question(key))
        done, _ = await asyncio.wait([task], timeout=max(0.0, timeout_s))
        return task.result() if done and not task.cancelled() else FAILED

    async def answer(self, key: Key) -> Answer:
        """What is known, else what the network says within LOOKUP_S."""
        return self.known(key) or await self.ask(key)

    async def close(self) -> None:
        """Give up what is being asked."""
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _question(self, key: Key) -> Answer:
        try:
            answer, lasts_s = await _resolve(key)
        finally:
            del self._asking[key]
        self._kept[key] = (time.monotonic() + lasts_s, answer)
        self._kept.move_to_end(key)
        while len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
        return answer


async def _resolve(key: Key) -> tuple[Answer, float]:
    """The answer, and for how many seconds it stands. Never raises for anything a name server can do."""
    name, kind = key
    try:
        asked = dns.name.from_text(name)
    except dns.exception.DNSException:  # a label over 63 octets, an empty one: no such name can exist
        return NOTHING, TTL_MAX_S
    try:
        resolver = dns.asyncresolver.get_default_resolver()
        found = await resolver.resolve(asked, kind, lifetime=LOOKUP_S, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN as error:
        responses: dict[Any, Any] = error.kwargs.get("responses") or {}
        return NOTHING, _nothing_s(next(iter(responses.values()), None))
    except (dns.exception.DNSException, OSError):
        return FAILED, FAILURE_S
    if found.rrset is None:
        return NOTHING, _nothing_s(found.response)
    records = tuple(_READERS[kind](record) for record in list(found.rrset)[:RECORDS_MAX])
    return Answer(Status.FOUND, records), min(max(float(found.rrset.ttl), TTL_MIN_S), TTL_MAX_S)


def _nothing_s(response: Any) -> float:
    """The zone's own word on how long "there is none" stands (RFC 2308 5)."""
    for rrset in response.authority if response is not None else ():
        for record in rrset:
            minimum = getattr(record, "minimum", None)
            if minimum is not None:
                return min(max(float(min(minimum, rrset.ttl)), TTL_MIN_S), NOTHING_MAX_S)
    return NOTHING_S
