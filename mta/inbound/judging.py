"""Judging a stranger's mail before it is answered, and what the domains it is for want done about it.

Nothing is judged for trusted networks: one look into a dict. A mail goes to several domains with several wishes: it is
refused when all of them refuse, otherwise those that would have get it in Junk.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from django.conf import settings

from accounts.addressing import domain_key
from core import dbthread
from core.errors import ErrorKind, MailError
from mta.authentication.dmarc import DmarcResult, Policy
from mta.authentication.judge import Origin, judge
from mta.authentication.letter import Letter
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Resolver
from mta.authentication.results import Judgement
from mta.inbound.recipients import Target
from mta.inbound.trace import Arrival, checked_header
from mta.models import MailPolicy
from mta.spam.known import Known, Question, known_about
from mta.spam.outside.asking import NOBODY, Outside, Outsiders
from mta.spam.recent import Recent

REMEMBERED_MAX = 50_000
SPLIT_ON_LOOP_MAX = 32 * 1024
"""A header of half a megabyte in short lines takes a third of a second to split: beside the event loop, not on it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Consequence:
    """`junk_domains`: ids of the domains whose accounts get the mail in Junk."""

    junk_domains: frozenset[int] = frozenset()


NO_CONSEQUENCE = Consequence()


@dataclasses.dataclass(frozen=True, slots=True)
class Examined:
    """What was found out about a mail before its contents are weighed."""

    judgement: Judgement
    letter: Letter
    outside: Outside


class Judging:
    """One per process: the DNS cache, what the database knows, and who is trusted."""

    def __init__(self) -> None:
        self._known: dbthread.Gathered[Question, Mapping[int, Known]] = dbthread.Gathered(known_about)
        self._recent = Recent()
        self._resolver = Resolver()
        self._outsiders = Outsiders()
        self._trusted = [ipaddress.ip_network(text.strip()) for text in settings.TRUSTED_NETWORKS if text.strip()]
        self._remembered: dict[str, bool] = {}

    def is_trusted(self, address: str) -> bool:
        """Whether mail from `address` is taken as it is."""
        found = self._remembered.get(address)
        if found is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            found = self._remembered[address] = _is_in(address, self._trusted)
        return found

    async def close(self) -> None:
        """Ask nothing any more."""
        await self._resolver.close()
        await self._outsiders.close()

    async def examine(
        self,
        arrival: Arrival,
        sender: str,
        recipients: Sequence[str],
        header: bytes,
        message: bytes,
        *,
        as_sent: bytes | None = None,
    ) -> Examined:
        """Origin (`judge`) and what others say of the contents, at the same time. `as_sent`: what signatures are over, when
        `message` is that in another form."""
        if as_sent is None:
            origin = self.judge(arrival, sender, header, message)
        else:
            origin = self.judge(arrival, sender, checked_header(as_sent), as_sent)
        if not self._outsiders:
            return Examined(*await origin, NOBODY)  # without two tasks
        outside = self._outsiders.ask(arrival, sender, recipients, message)
        (judgement, letter), told = await asyncio.gather(origin, outside)
        return Examined(judgement, letter, told)

    async def ask_known(self, question: Question) -> Mapping[int, Known]:
        """As `known_about`, in one query with what others ask meanwhile; what it said within a second is said again."""
        answer = self._recent.answer(question)
        if answer is None:
            answer = await self._known.ask(question)
            self._recent.keep(question, answer)
        return answer

    async def judge(self, arrival: Arrival, sender: str, header: bytes, message: bytes) -> tuple[Judgement, Letter]:
        """SPF, DKIM, DMARC and ARC of `message`, whose header block is `header` (`trace.checked_header`); and the mail in
        its fields, so that nobody has to split them again."""
        local, _, domain = sender.rpartition("@")
        origin = Origin(arrival.remote_address, arrival.helo, f"{local}@{domain_key(domain)}" if domain else "")
        if len(header) <= SPLIT_ON_LOOP_MAX:
            letter = Letter.after(header, message)
        else:
            letter = await asyncio.get_running_loop().run_in_executor(None, Letter.after, header, message)
        return await judge(self._resolver, origin, letter, now_s=arrival.at_s), letter


def _is_in(address: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True  # no address at all: a socket of this machine
    return any(parsed in network for network in networks)


def require_scanned(outside: Outside, targets: Sequence[Target]) -> None:
    """UNAVAILABLE with `part="virus"` (come again) when the scanner does not answer and a recipient's domain insists."""
    if not outside.is_unscanned:
        return
    wishes = {each.policy.unscanned for target in targets for each in target.facts.values()}
    if MailPolicy.Unscanned.DEFER in wishes:
        raise MailError(ErrorKind.UNAVAILABLE, part="virus")


def consequence(judgement: Judgement, targets: Sequence[Target]) -> Consequence:
    """What the failing author domain asks for, as far as the recipients' domains want it.

    Raises NO_PERMISSION (refuse) or UNAVAILABLE (come again: the proof could not be looked up), each with
    `part="dmarc"`.
    """
    result = judgement.dmarc
    if result.policy is Policy.NONE or result.outcome not in (Outcome.FAIL, Outcome.TEMPERROR):
        return NO_CONSEQUENCE
    wishes = _wishes(targets)
    if result.policy is Policy.REJECT and set(wishes.values()) == {MailPolicy.Dmarc.OBEY}:
        raise _refusal(result)
    if result.outcome is Outcome.TEMPERROR:
        return NO_CONSEQUENCE
    return Consequence(frozenset(domain for domain, wish in wishes.items() if wish != MailPolicy.Dmarc.IGNORE))


def _refusal(result: DmarcResult) -> MailError:
    kind = ErrorKind.NO_PERMISSION if result.outcome is Outcome.FAIL else ErrorKind.UNAVAILABLE
    return MailError(kind, part="dmarc", domain=result.domain, reason=result.reason)


def _wishes(targets: Sequence[Target]) -> dict[int, str]:
    """By domain; one without an account among the targets (a list of outsiders) obeys."""
    found = {target.domain_id: str(MailPolicy.Dmarc.OBEY) for target in targets}
    for target in targets:
        for account in target.accounts:
            found[account.domain_id] = target.facts[account.id].policy.dmarc
    return found
