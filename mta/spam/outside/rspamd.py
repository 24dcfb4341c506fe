"""rspamd, over HTTP (its /checkv2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx

from mta.inbound.trace import Arrival
from mta.spam.finding import Finding, Rule
from mta.spam.outside.peer import OutsideError, Peer

TIMEOUT_S = 10.0
SYMBOLS_SHOWN = 5
JUNK_AT, REJECT_AT = 6.0, 15.0
"""rspamd's own thresholds for a mark and for a refusal; ours are 5 and 10 by default, and points between are scaled."""
RECIPIENTS_MAX = 50


class Rspamd:
    """One per process: `url` is http://host:port, or the path of a socket."""

    def __init__(self, url: str) -> None:
        self._peer = Peer(url, TIMEOUT_S)
        socket = url if url.startswith("/") else None
        self._base = "http://rspamd" if socket else url.rstrip("/")
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=socket, retries=0), timeout=TIMEOUT_S, trust_env=False
        )

    async def judge(self, arrival: Arrival, sender: str, recipients: Sequence[str], message: bytes) -> Finding:
        """Its verdict as one finding; OutsideError when it gives none."""
        headers = [
            ("IP", arrival.remote_address),
            ("Helo", arrival.helo),
            ("Queue-Id", arrival.queue_id),
            ("From", sender),
        ]
        headers += [("Rcpt", recipient) for recipient in recipients[:RECIPIENTS_MAX]]
        sent = [(name, value.encode("utf-8", "replace")) for name, value in headers if value.isprintable()]
        async with self._peer.asking():
            try:
                answer = await self._client.post(
                    f"{self._base}/checkv2", content=message, headers=[(name.encode(), value) for name, value in sent]
                )
                answer.raise_for_status()
            except httpx.HTTPError as error:
                raise OutsideError(str(error) or type(error).__name__) from error
            return finding_of(json.loads(answer.content))

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


def finding_of(answer: Any) -> Finding:
    """OutsideError for an answer without a score."""
    score = answer.get("score") if isinstance(answer, dict) else None
    if not isinstance(score, int | float) or answer.get("is_skipped"):
        raise OutsideError("no score")
    symbols = answer.get("symbols")
    found = symbols.values() if isinstance(symbols, dict) else ()
    told = [(each.get("score", 0.0), str(each.get("name", ""))) for each in found if isinstance(each, dict)]
    names = [name for worth, name in sorted(told, reverse=True) if worth > 0][:SYMBOLS_SHOWN]
    return Finding(Rule.RSPAMD, _tenths(float(score)), ("rspamd", ", ".join(names)))


def _tenths(score: float) -> int:
    if score <= JUNK_AT:
        return round(score * 50 / JUNK_AT)
    return round(50 + (score - JUNK_AT) * 50 / (REJECT_AT - JUNK_AT))
