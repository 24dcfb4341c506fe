"""Running checks that need DNS without letting them wait: run, learn what is missing, ask for all of it at once, again.

Checks are cheap and pure, so running one again costs less than a task switch for each question. One inquiry sees one
answer to a question however long it lasts, and has a budget of time and questions; past it questions fail, and the
checks say `temperror`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from mta.authentication.resolver import FAILED, LOOKUP_S, Answer, Key, Resolver, key_of

BUDGET_S = 10.0
QUESTIONS_MAX = 60
"""SPF alone may need 10 terms with 10 exchangers each (RFC 7208 4.6.4); a mail that asks for more is not served."""


class NotKnownError(Exception):
    """A check needs these answers first."""

    def __init__(self, keys: set[Key]) -> None:
        super().__init__(keys)
        self.keys = keys


class Inquiry:
    """The questions of one mail."""

    def __init__(self, resolver: Resolver, *, budget_s: float = BUDGET_S) -> None:
        self._resolver = resolver
        self._until = time.monotonic() + budget_s
        self._answers: dict[Key, Answer] = {}

    def look(self, name: str, kind: str) -> Answer:
        """The answer; raises NotKnownError."""
        key = key_of(name, kind)
        answer = self._answers.get(key) or self._resolver.known(key)
        if answer is None:
            raise NotKnownError({key})
        self._answers[key] = answer
        return answer

    async def run(self, checks: Sequence[Callable[[], Any]]) -> list[Any]:
        """The results of `checks` in their order."""
        results: dict[int, Any] = {}
        while len(results) < len(checks):
            missing: set[Key] = set()
            for number, check in enumerate(checks):
                if number not in results:
                    try:
                        results[number] = check()
                    except NotKnownError as error:
                        missing |= error.keys
            if missing:
                await self._ask(missing)
        return [results[number] for number in range(len(checks))]

    async def _ask(self, missing: set[Key]) -> None:
        left_s = self._until - time.monotonic()
        if left_s <= 0 or len(self._answers) + len(missing) > QUESTIONS_MAX:
            self._answers.update(dict.fromkeys(missing, FAILED))
            return
        keys = list(missing)
        answers = await asyncio.gather(*(self._resolver.ask(key, min(left_s, LOOKUP_S)) for key in keys))
        self._answers.update(zip(keys, answers, strict=True))
