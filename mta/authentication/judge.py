"""All checks of one mail, together: one call, one set of DNS questions, one `Judgement`."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import random
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from accounts.addressing import domain_key
from mailstore.message.recipient import people
from mta.authentication import arc, dkim, dmarc
from mta.authentication.inquiry import BUDGET_S, Inquiry
from mta.authentication.letter import HASHED_ON_LOOP_MAX, Letter
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Resolver
from mta.authentication.results import Judgement
from mta.authentication.spf import SpfResult, check_spf

DKIM_NAMES = frozenset({b"dkim-signature", arc.MESSAGE})


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """How a mail came: the client's address, its greeting, the envelope sender ('' for the null sender)."""

    remote_address: str
    helo: str
    sender: str


async def judge(
    resolver: Resolver, origin: Origin, letter: Letter, *, now_s: float, budget_s: float = BUDGET_S
) -> Judgement:
    """Check SPF, DKIM, ARC and DMARC; what DNS does not answer within `budget_s` is `temperror`. Never raises for
    anything in the mail or in the DNS."""
    if len(letter.body) > HASHED_ON_LOOP_MAX:
        await _hash_large(letter)
    inquiry = Inquiry(resolver, budget_s=budget_s)
    look = inquiry.look
    authors = author_domains(letter)
    checks: list[Callable[[], Any]] = [
        lambda: check_spf(look, origin.remote_address, origin.helo, origin.sender),
        lambda: arc.verify_chain(look, letter),
        lambda: dmarc.find_records(look, authors),
        *(functools.partial(dkim.verify, look, letter, field, now_s) for field in dkim.signatures(letter)),
    ]
    by_spf, by_arc, records, *by_dkim = await inquiry.run(checks)
    verdict = dmarc.evaluate(records, _identifiers(by_spf, by_dkim), chance=random.random())
    return Judgement(by_spf, tuple(by_dkim), _amended(verdict, letter, by_arc), by_arc)


def _identifiers(by_spf: SpfResult, by_dkim: Sequence[dkim.DkimResult]) -> dmarc.Identifiers:
    checked: list[SpfResult | dkim.DkimResult] = [by_spf, *by_dkim]
    return dmarc.Identifiers(
        spf=by_spf.domain if by_spf.outcome is Outcome.PASS else "",
        dkim=tuple(result.domain for result in by_dkim if result.outcome is Outcome.PASS),
        unknown=tuple(result.domain for result in checked if result.outcome is Outcome.TEMPERROR),
    )


def author_domains(letter: Letter) -> tuple[str, ...]:
    """The domains of all From fields, as A-labels, each once."""
    found: dict[str, None] = {}
    for field in letter.named(b"from"):
        for person in people(field.value)[: dmarc.AUTHORS_MAX]:
            domain = domain_key(person.domain) if person.domain else ""
            if domain:
                found[domain] = None
    return tuple(found)


def _amended(verdict: dmarc.DmarcResult, letter: Letter, chain: arc.ArcResult) -> dmarc.DmarcResult:
    """Two things that alignment alone does not see: two From fields, and a forwarder whose word counts here."""
    if len(letter.by_name.get(b"from", ())) > 1:
        strictest = max(verdict.policy, dmarc.Policy.QUARANTINE, key=dmarc.ORDER.index)
        return dataclasses.replace(verdict, outcome=Outcome.FAIL, policy=strictest, reason="several From fields")
    if verdict.outcome is Outcome.FAIL and chain.outcome is Outcome.PASS and _is_believed(chain):
        reason = f"forwarded by {chain.sealers[-1]}, which is trusted"
        return dataclasses.replace(verdict, policy=dmarc.Policy.NONE, reason=reason)
    return verdict


def _is_believed(chain: arc.ArcResult) -> bool:
    """Whether every sealer is trusted here and the first of them saw the mail pass."""
    return set(chain.sealers) <= set(settings.ARC_TRUSTED_SEALERS) and "dmarc=pass" in chain.claimed


async def _hash_large(letter: Letter) -> None:
    """Hash a large body on a thread before the checks ask for it on the event loop."""
    signatures = [field for field in letter.fields if field.name in DKIM_NAMES][: dkim.SIGNATURES_MAX]
    if not signatures:
        return
    wanted = {
        (read.relaxed[1], read.length)
        for read in (dkim.read_signature(each, required=("h",)) for each in signatures)
        if not read.problem
    }
    await asyncio.get_running_loop().run_in_executor(None, _hash, letter, wanted)


def _hash(letter: Letter, wanted: set[tuple[bool, int | None]]) -> None:
    for relaxed, length in wanted:
        letter.body_hash(relaxed=relaxed, length=length)
