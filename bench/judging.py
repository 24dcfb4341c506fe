"""What judging and signing cost: CPU for each mail of 8 KB, the answers of the DNS known already."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.corpus import letter
from bench.report import report
from mta.authentication.judge import Origin, judge
from mta.authentication.letter import Letter
from mta.authentication.resolver import NOTHING, Answer, Key, Resolver, Status
from mta.authentication.signing import SigningKey, new_key, public_record, sign

DOMAIN = "bench.example"
ORIGIN = Origin("192.0.2.9", f"mx.{DOMAIN}", f"x@{DOMAIN}")
KEYS = [SigningKey(DOMAIN, kind, new_key(kind)) for kind in ("rsa", "ed25519")]
TEXTS: dict[Key, str] = {
    (DOMAIN, "TXT"): "v=spf1 ip4:198.51.100.0/24 include:spf.bench.example -all",
    (f"spf.{DOMAIN}", "TXT"): "v=spf1 ip4:203.0.113.0/24 ip4:192.0.2.0/24 ~all",
    (f"_dmarc.{DOMAIN}", "TXT"): "v=DMARC1; p=reject",
    **{(f"{key.selector}._domainkey.{DOMAIN}", "TXT"): public_record(key.private) for key in KEYS},
}


class Known(Resolver):
    """Knows all answers."""

    def known(self, key: Key) -> Answer | None:
        """At once."""
        text = TEXTS.get(key)
        return Answer(Status.FOUND, (text.encode(),)) if text else NOTHING


def main(*, full: bool) -> None:
    """Rounds of a few hundred mails, medians."""
    rounds, count = (9, 500) if full else (5, 300)
    mails = [_authored(letter(number)) for number in range(count)]
    signed = {names: [sign(Letter.of(mail), _keys(names), time.time()) + mail for mail in mails] for names in SIGNERS}
    rows: list[dict[str, Any]] = [_row("judge, not signed", mails, rounds, _judge)]
    rows += [_row(f"judge, signed by {names}", signed[names], rounds, _judge) for names in SIGNERS]
    rows += [_row(f"sign by {names}", mails, rounds, lambda each, of=names: _sign(each, of)) for names in SIGNERS]
    report("judging", "Judging and signing", rows, rounds=rounds)


SIGNERS = ("rsa", "rsa and ed25519")


def _keys(names: str) -> list[SigningKey]:
    return [key for key in KEYS if key.selector in names.split(" and ")]


def _authored(raw: bytes) -> bytes:
    header, _, body = raw.partition(b"\r\n\r\n")
    kept = [line for line in header.split(b"\r\n") if not line.lower().startswith(b"from:")]
    return b"\r\n".join([f"From: x@{DOMAIN}".encode(), *kept, b"", body])


def _judge(mails: list[bytes]) -> None:
    async def all_of_them() -> None:
        resolver = Known()
        for mail in mails:
            found = await judge(resolver, ORIGIN, Letter.of(mail), now_s=time.time())
            found.field("mx.bench.example")
            assert found.dmarc.spf_aligned

    asyncio.run(all_of_them())


def _sign(mails: list[bytes], names: str) -> None:
    for mail in mails:
        sign(Letter.of(mail), _keys(names), time.time())


def _row(what: str, mails: list[bytes], rounds: int, work: Callable[[list[bytes]], None]) -> dict[str, Any]:
    work(mails[:20])
    found = []
    for _ in range(rounds):
        before = time.process_time()
        work(mails)
        found.append((time.process_time() - before) / len(mails) * 1e6)
    return {"what": what, "CPU µs a mail": statistics.median(found), "best": min(found)}
