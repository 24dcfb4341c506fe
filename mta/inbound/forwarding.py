"""Where an account's forwarding leads a mail: on to mailboxes of ours at once, to others by the queue."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Sequence

from accounts.domain_names import is_local_domain
from accounts.rows import AccountRow
from mailstore import blobs
from mta.inbound.coming import Coming
from mta.inbound.recipients import Target, find_target
from mta.models import ForwardTarget, MailPolicy
from mta.outbound.signatures import arc_set
from mta.returns import FORWARDED
from mta.rights import is_outside
from mta.rules.forwarding import forwarded, goes_round
from mta.rules.looked import Looked

TARGETS_MAX = 10
"""Of one account and one mail."""


@dataclasses.dataclass(frozen=True, slots=True)
class Onward:
    """Mailboxes here, and addresses elsewhere."""

    targets: list[Target]
    externals: list[str]
    addresses: list[str]

    @property
    def leads_on(self) -> bool:
        """Whether somebody else gets the mail."""
        return bool(self.addresses)


@dataclasses.dataclass(frozen=True, slots=True)
class Forward:
    """A mail that leaves, ready for the queue."""

    account: AccountRow
    addresses: Sequence[str]
    content: blobs.Encoded
    envelope_from: str
    message_id: str
    subject: str
    is_kept: bool
    require_tls: bool


def onward(
    account: AccountRow, wanted: Sequence[str], looked: Looked, coming: Coming, *, reached: Collection[int]
) -> Onward:
    """Who of the `wanted` gets the mail, as far as they may. Nobody in a circle; nor one of those who are `reached`
    already, who may have passed it on themselves."""
    way = Onward([], [], [])
    wanted = list(dict.fromkeys(wanted))[:TARGETS_MAX]
    if not wanted or goes_round(looked, account.address):
        return way
    asked = [each for each in wanted if is_outside(account.domain_id, each)]
    allowed = _agreed(account, asked)
    for address in wanted:
        if address in asked and address not in allowed:
            continue
        if not is_local_domain(address.rpartition("@")[2]):
            way.externals.append(address)
        elif not _goes_here(way, address, coming.sender, reached):
            continue
        way.addresses.append(address)
    return way


def forward_for(account: AccountRow, way: Onward, coming: Coming, *, is_kept: bool) -> Forward:
    """The bytes and the envelope: sealed as lists are, the sender rewritten (a bounce stays one)."""
    now_s = coming.arrival.at_s if coming.arrival else time.time()
    sealed = b""
    if coming.judgement is not None:
        sealed = arc_set(coming.received, coming.judgement, domain_id=account.domain_id, now_s=now_s)
    wire = forwarded(coming.received, address=account.address, hop=coming.hop, sealed=sealed)
    return Forward(
        account=account,
        addresses=way.externals,
        content=blobs.encode(wire),
        envelope_from=FORWARDED.address(account.id, account.domain_name, now_s) if coming.sender else "",
        message_id=coming.scanned.message_id or "",
        subject=coming.scanned.subject,
        is_kept=is_kept,
        require_tls=coming.require_tls,
    )


def _agreed(account: AccountRow, addresses: Sequence[str]) -> set[str]:
    """Those whose owners have said yes, unless the administrator forbids all."""
    if not addresses or not may_forward_outside(account.domain_id):
        return set()
    targets = ForwardTarget.objects.filter(account=account.id, address__in=addresses, confirmed_at__isnull=False)
    return set(targets.values_list("address", flat=True))


def may_forward_outside(domain_id: int) -> bool:
    """What the domain's policy says."""
    found = MailPolicy.objects.filter(pk=domain_id).values_list("forwards_outside", flat=True).first()
    return found is not False


def _goes_here(way: Onward, address: str, sender: str, reached: Collection[int]) -> bool:
    """A mailbox of ours that takes it; a list, a full or a suspended mailbox does not."""
    target = find_target(address, sender=sender)
    if not isinstance(target, Target) or target.is_group or target.accounts[0].id in reached:
        return False
    way.targets.append(target)
    return True
