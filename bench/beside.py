"""Our `smtpd` and Postfix → Dovecot in turn, round by round, and how many times as fast ours is.

A machine that is shared changes its pace from one minute to the next; rounds that follow each other see the same one.
The mail that ours judges stands beside mail that Postfix does not.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

from bench import anchors, smtp_in
from bench.report import report
from bench.site import accounts, redis


def main(*, full: bool) -> None:
    """The table of ratios, or why there is none."""
    if not anchors.can_run("beside"):
        return
    rounds, count = (9, 2_000) if full else (5, 1_000)
    accounts(smtp_in.USERS)
    rows = []
    with redis(), anchors.servers(Path(os.environ["DATA_DIR"])) as theirs:
        with smtp_in.trusted() as ours:
            rows += [_in_turn("trusted", ours, theirs, connections, rounds, count) for connections in (10, 1)]
        with smtp_in.judged() as ours:
            rows.append(_in_turn(smtp_in.JUDGED, ours, theirs, 10, rounds, count))
    report("beside", "SMTP to mailbox, and Postfix → Dovecot sdbox in turn", rows, rounds=rounds)


def _in_turn(
    what: str, ours: smtp_in.Smtpd, theirs: anchors.Anchor, connections: int, rounds: int, count: int
) -> dict[str, Any]:
    pairs = []
    for _ in range(rounds):
        first = next(smtp_in.numbers) * 10**6
        pairs.append([each.round(connections, count, first=first) for each in (ours, theirs)])
    faster = [their["seconds"] / our["seconds"] for our, their in pairs]
    found = {"mails are": what, "connections": connections, "mails": count}
    for name, side in (("ours", 0), ("theirs", 1)):
        found[f"{name}/s"] = count / statistics.median(pair[side]["seconds"] for pair in pairs)
    found |= {"times": statistics.median(faster), "least": min(faster), "most": max(faster)}
    for name, side in (("our", 0), ("their", 1)):
        found[f"{name} CPU µs"] = statistics.median(pair[side]["cpu_us"] for pair in pairs)
    return found
