"""SpamAssassin, by spamd's own protocol (SPAMC/1.5, its command SYMBOLS)."""

from __future__ import annotations

import re

from mta.spam.finding import Finding, Rule
from mta.spam.outside.peer import OutsideError, Peer

TIMEOUT_S = 20.0
SYMBOLS_SHOWN = 5
ANSWER_MAX = 64 * 1024
_SPAM = re.compile(rb"(?im)^Spam:\s*\w+\s*;\s*(-?[\d.]+)\s*/\s*(-?[\d.]+)")


async def judge(peer: Peer, message: bytes) -> Finding:
    """Its verdict as one finding; OutsideError when it gives none."""
    async with peer.asking(), peer.connected() as (reader, writer):
        writer.write(b"SYMBOLS SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(message))
        writer.write(message)
        await writer.drain()
        answer = b""
        while len(answer) < ANSWER_MAX and (part := await reader.read(ANSWER_MAX)):
            answer += part
        return finding_of(answer)


def finding_of(answer: bytes) -> Finding:
    """OutsideError for anything but a verdict. Five points are its threshold as they are ours."""
    head, _, body = answer.partition(b"\r\n\r\n")
    verdict = _SPAM.search(head)
    if not re.match(rb"SPAMD/\S+ 0 ", head) or verdict is None:
        raise OutsideError(head[:100].decode("ascii", "replace") or "no answer")
    score, threshold = float(verdict[1]), float(verdict[2])
    scaled = score * 5.0 / threshold if threshold > 0 else score
    names = [name.strip() for name in body.decode("ascii", "replace").split(",") if name.strip()]
    return Finding(Rule.SPAMASSASSIN, round(scaled * 10), ("SpamAssassin", ", ".join(names[:SYMBOLS_SHOWN])))
