"""Rounds over domains, accounts and rows: the trouble of one never touches the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")

log = logging.getLogger(__name__)


def each_alone(items: Iterable[Item], work: Callable[[Item], object]) -> int:
    """Do `work` for each, in the transactions it makes itself; how many went well. What fails is logged, and is due again
    in the next round, for the rows are as they were."""
    done = 0
    for item in list(items):
        try:
            work(item)
        except Exception:
            log.exception("left for the next round", extra={"work": work.__name__, "item": str(item)})
        else:
            done += 1
    return done
