"""What upper layers want to know of changes to mail, as typed steps; no signals.

`after_move`: told inside the transaction in which a person moved or copied mail into Junk or out of it. A step registers
in its app's `AppConfig.ready`; all processes load all apps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

from core.access import Access
from mailstore.ledger import FolderCount, Ledger
from mailstore.models import Role

TOLD_MAX = 500
"""Mails of one slice that steps hear of: thousands at once teach nothing that hundreds don't."""
NOT_MEANT = frozenset({Role.TRASH, Role.JUNK, Role.DRAFTS, Role.MONITOR})
"""Leaving Junk for one of these says nothing about the mail."""


class Placed(Protocol):
    """An entry as it was before."""

    @property
    def folder_id(self) -> int: ...
    @property
    def message_id(self) -> int: ...


@dataclasses.dataclass(frozen=True, slots=True)
class JunkMove:
    """Messages of `mailbox` that went into Junk (`is_junk`), or from there to where wanted mail lies."""

    mailbox: int
    message_ids: tuple[int, ...]
    is_junk: bool


@dataclasses.dataclass(frozen=True, slots=True)
class AfterMove:
    """`tell` may write rows; what it raises undoes the move."""

    name: str
    tell: Callable[[JunkMove], None]


AFTER_MOVE: dict[str, AfterMove] = {}


def register_after_move(step: AfterMove) -> None:
    """Add a step; the same name replaces."""
    AFTER_MOVE[step.name] = step


def tell_moved(access: Access, ledger: Ledger, rows: Sequence[Placed], target: FolderCount) -> None:
    """Tell every step, when a person did it and Junk has to do with it."""
    if not access.actor or not AFTER_MOVE:
        return
    if target.role == Role.JUNK:
        told = [row.message_id for row in rows if row.folder_id != target.id]
    elif target.role in NOT_MEANT:
        return
    else:
        told = [row.message_id for row in rows if _role(ledger, row.folder_id) == Role.JUNK]
    if told:
        move = JunkMove(access.mailbox, tuple(dict.fromkeys(told))[:TOLD_MAX], target.role == Role.JUNK)
        for step in AFTER_MOVE.values():
            step.tell(move)


def _role(ledger: Ledger, folder_id: int) -> str:
    folder = ledger.folders.get(folder_id)
    return folder.role if folder is not None else ""
