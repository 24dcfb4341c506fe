"""Everybody outside, asked at once about one mail."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Sequence

from django.conf import settings

from mta.inbound.trace import Arrival
from mta.spam.finding import Finding, Rule
from mta.spam.outside import clamd, spamd
from mta.spam.outside.peer import OutsideError, Peer
from mta.spam.outside.rspamd import Rspamd

JUDGED_MAX_BYTES = 4 << 20
"""Larger mail is not spam; scanners look at it all the same."""

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Outside:
    """What they said. `is_judged`: one of them has judged the contents. `is_unscanned`: there is a scanner for viruses, and
    it did not answer."""

    findings: tuple[Finding, ...] = ()
    is_judged: bool = False
    is_unscanned: bool = False


NOBODY = Outside()


class Outsiders:
    """One per process: those that the settings name."""

    def __init__(self) -> None:
        self._clamd = Peer(settings.CLAMD, clamd.TIMEOUT_S) if settings.CLAMD else None
        self._spamd = Peer(settings.SPAMD, spamd.TIMEOUT_S) if settings.SPAMD else None
        self._rspamd = Rspamd(settings.RSPAMD) if settings.RSPAMD else None

    def __bool__(self) -> bool:
        return any(each is not None for each in (self._clamd, self._spamd, self._rspamd))

    async def ask(self, arrival: Arrival, sender: str, recipients: Sequence[str], message: bytes) -> Outside:
        """Never raises for one that fails: then the others, or our own rules, speak."""
        asked: list[Awaitable[Finding | None]] = []
        if self._clamd is not None:
            asked.append(self._scan(self._clamd, message))
        if len(message) <= JUDGED_MAX_BYTES and self._rspamd is not None:
            asked.append(self._rspamd.judge(arrival, sender, recipients, message))
        if len(message) <= JUDGED_MAX_BYTES and self._spamd is not None:
            asked.append(spamd.judge(self._spamd, message))
        if not asked:
            return NOBODY
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return _told(answers, has_scanner=self._clamd is not None)

    async def _scan(self, peer: Peer, message: bytes) -> Finding | None:
        name = await clamd.scan(peer, message)
        return Finding(Rule.VIRUS, 0, (name,)) if name else None

    async def close(self) -> None:
        """Hang up."""
        if self._rspamd is not None:
            await self._rspamd.close()


def _told(answers: Sequence[Finding | BaseException | None], *, has_scanner: bool) -> Outside:
    for answer in answers:
        if isinstance(answer, BaseException):
            if not isinstance(answer, OutsideError):
                raise answer
            log.warning("no judgement from outside", extra={"error": str(answer)})
    found = [answer for answer in answers if isinstance(answer, Finding)]
    judges = [finding for finding in found if finding.rule is not Rule.VIRUS]
    worst = max(judges, key=lambda finding: finding.tenths, default=None)
    viruses = [finding for finding in found if finding.rule is Rule.VIRUS]
    return Outside(
        (*viruses, *([worst] if worst is not None else [])),
        is_judged=bool(judges),
        is_unscanned=has_scanner and isinstance(answers[0], BaseException),
    )
