"""MTA-STS (RFC 8461): which mail servers of a domain to trust, said over HTTPS, kept in rows for as long as it says.

A policy that is kept counts until it expires, whatever DNS or the web say meanwhile: who can keep us from seeing them
must not be able to switch it off (5.1, 10.2).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import re
import time
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception

from core import dbthread
from core.errors import MailError
from core.net import fetch
from mta.models import StsPolicy

POLICY_MAX_BYTES = 65_536
FETCH_S = 60.0
LOOKUP_S = 10.0
LIFE_MAX_S = 31_557_600
"""3.2: a year."""
LIFE_MIN_S = 60
AGAIN_S = 300
"""3.3: a fetch that failed is not tried again at once."""
MX_MAX = 100
SECOND_US = 1_000_000
FETCHED_AT_ONCE = 16

_fetching = concurrent.futures.ThreadPoolExecutor(FETCHED_AT_ONCE, thread_name_prefix="mta-sts")

_ID = re.compile(r"v=STSv1\s*;(?:.*;)?\s*id=([A-Za-z0-9]{1,32})\s*(?:;.*)?")


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """A policy in force: `enforce` or `testing`, and the patterns of servers."""

    mode: str
    mx: tuple[str, ...]

    def names(self, host: str) -> bool:
        """Whether a mail server is one of the policy's (4.1)."""
        return any(_matches(pattern, host.lower().rstrip(".")) for pattern in self.mx)


@dataclasses.dataclass(frozen=True, slots=True)
class Fetched:
    """What a policy file says."""

    mode: str
    mx: tuple[str, ...]
    max_age_s: int


async def policy_of(domain: str) -> Policy | None:
    """The policy that counts now; None when there is none, or none that asks for anything."""
    now_us = time.time_ns() // 1000
    row = await dbthread.run(_row, domain)
    policy_id = await _published_id(domain)
    is_current = row is not None and row.expires_us > now_us and row.policy_id == policy_id
    has_failed = row is not None and now_us - row.failed_us <= AGAIN_S * SECOND_US
    if policy_id and not is_current and not has_failed:
        # Not on a database thread: a web server that takes its time would keep the queue from the database.
        found = await asyncio.get_running_loop().run_in_executor(_fetching, _fetched, domain)
        row = await dbthread.run(_keep, domain, policy_id, found, now_us)
    if row is None or row.expires_us <= now_us or row.mode not in {"enforce", "testing"}:
        return None
    return Policy(row.mode, tuple(row.mx))


def parse(text: str) -> Fetched | None:
    """A policy file (3.2); None for what is none."""
    values: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").split("\n")[: MX_MAX + 20]:
        name, colon, value = line.partition(":")
        if colon:
            values.setdefault(name.strip().lower(), []).append(value.strip())
    mode, age = values.get("mode", [""])[0].lower(), values.get("max_age", [""])[0]
    mx = tuple(each.lower().rstrip(".") for each in values.get("mx", [])[:MX_MAX])
    if values.get("version", [""])[0] != "STSv1" or mode not in {"enforce", "testing", "none"}:
        return None
    if not age.isdecimal() or len(age) > 10 or (mode != "none" and not mx):
        return None
    return Fetched(mode, mx, max(LIFE_MIN_S, min(int(age), LIFE_MAX_S)))


def _row(domain: str) -> StsPolicy | None:
    return StsPolicy.objects.filter(pk=domain).first()


async def _published_id(domain: str) -> str:
    """The policy's id (3.1); empty when there is not exactly one record, or no answer."""
    try:
        answer = await dns.asyncresolver.get_default_resolver().resolve(
            f"_mta-sts.{domain}", "TXT", lifetime=LOOKUP_S, raise_on_no_answer=False, search=False
        )
    except (dns.exception.DNSException, OSError):
        return ""
    texts = [b"".join(record.strings).decode("ascii", "replace") for record in answer.rrset or ()]
    found: Sequence[str] = [text for text in texts if text.startswith("v=STSv1")]
    match = _ID.fullmatch(found[0].strip()) if len(found) == 1 else None
    return match[1] if match else ""


def _fetched(domain: str) -> Fetched | None:
    """What the domain's web server says now; takes FETCH_S at the most."""
    try:
        answer = fetch(
            f"https://mta-sts.{domain}/.well-known/mta-sts.txt",
            max_bytes=POLICY_MAX_BYTES,
            timeout_s=FETCH_S,
            content_types=frozenset({"text/plain"}),
            follow=False,  # 3.3
        )
    except MailError:
        return None
    return parse(answer.content.decode("utf-8", "replace"))


def _keep(domain: str, policy_id: str, found: Fetched | None, now_us: int) -> StsPolicy | None:
    """What is kept stays when fetching failed. Call on a database thread."""
    if found is None:
        StsPolicy.objects.update_or_create(domain=domain, defaults={"failed_us": now_us})
        return _row(domain)
    row, _ = StsPolicy.objects.update_or_create(
        domain=domain,
        defaults={
            "policy_id": policy_id,
            "mode": found.mode,
            "mx": list(found.mx),
            "expires_us": now_us + found.max_age_s * SECOND_US,
            "failed_us": 0,
        },
    )
    return row


def _matches(pattern: str, host: str) -> bool:
    """`*.` stands for exactly one label (4.1)."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:] and bool(host.partition(".")[0])
    return host == pattern
