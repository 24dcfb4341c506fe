"""Where a mail goes in one mailbox, and why not into the inbox: what was proven about it, and whom its reader lists."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping

from mailstore.models import Role
from mailstore.services.deliver import Placement
from mta.inbound.recipients import Target
from mta.senders import NO_LISTS, SenderLists, Wish


class Verdict(enum.IntEnum):
    """`Entry.verdict`: why a mail lies in Junk."""

    NONE = 0
    DMARC = 1
    """Its author's domain does not vouch for it."""
    BLOCKED = 2
    """Its reader or his company has its sender on the black list."""
    REJECTED = 20
    """A filter of its reader's says so."""


def lists_of(targets: Iterable[Target]) -> Mapping[int, SenderLists]:
    """By account, of all that are reached."""
    return {account_id: lists for target in targets for account_id, lists in target.listed.items()}


def filed(
    placement: Placement, *, unproven: bool, lists: Mapping[int, SenderLists], senders: Iterable[str]
) -> Placement:
    """The placement, in Junk when one of `senders` (envelope and author) is blocked or the author is not who he says.

    The white list is of no help to a forgery: nobody knows that the listed sender wrote it.
    """
    own = lists.get(placement.mailbox, NO_LISTS)
    if own and any(own.wish_about(sender) == Wish.BLOCK for sender in senders):
        return dataclasses.replace(placement, role=Role.JUNK, verdict=int(Verdict.BLOCKED))
    if unproven:
        return dataclasses.replace(placement, role=Role.JUNK, verdict=int(Verdict.DMARC))
    return placement
