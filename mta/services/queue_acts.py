"""What an operator or a domain's administrator does to mail that waits to leave: hold, release, retry now, discard.

Mail that a worker has under way is left alone: it is nobody's to stop at that moment. What was held with its stopped
account meanwhile and never settled because its worker died is waiting mail too. Each act is recorded for each domain
that it concerned.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Q

from accounts.models import Account
from accounts.services.permission import audit, require_admin
from core.jobs import wake_on_commit
from logs_app.services import record_many
from mta.models import Delivery
from mta.outbound.queue import NEVER_US
from mta.services.outcome import delivery_event
from mta.steps import Outcome, tell_outcome

State = Delivery.State
WAITING = (State.QUEUED, State.DEFERRED)
DISCARDED = ("5.7.0", "Deleted from the queue by an administrator")
RECORDED_MAX = 20
AT_ONCE = 500


def hold(ids: Sequence[int], *, actor: Account | None = None) -> int:
    """Keep deliveries here until they are released; how many. Raises NO_PERMISSION, NOT_FOUND (another domain's)."""
    return sum(_change(part, "hold_deliveries", actor, on_hold=True, next_attempt_us=NEVER_US) for part in _parts(ids))


def release_held(ids: Sequence[int], *, actor: Account | None = None) -> int:
    """Let held deliveries go on, now; how many. Raises as `hold`."""
    now_us = time.time_ns() // 1000
    return sum(
        _change(part, "release_deliveries", actor, only_held=True, on_hold=False, next_attempt_us=now_us)
        for part in _parts(ids)
    )


def retry_now(ids: Sequence[int], *, actor: Account | None = None) -> int:
    """Try again without waiting; held ones stay held. How many. Raises as `hold`."""
    now_us = time.time_ns() // 1000
    return sum(
        _change(part, "retry_deliveries", actor, only_held=False, next_attempt_us=now_us) for part in _parts(ids)
    )


def discard(ids: Sequence[int], *, actor: Account | None = None) -> int:
    """End deliveries without telling their authors more than the log does; how many. Raises as `hold`."""
    return sum(_discard(part, actor) for part in _parts(ids))


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))


@transaction.atomic
def _change(
    ids: Sequence[int], act: str, actor: Account | None, *, only_held: bool | None = None, **values: int | bool
) -> int:
    rows = _locked(ids, actor, only_held=only_held)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(**values, updated_us=time.time_ns() // 1000)
    _record(rows, act, actor)
    if act != "hold_deliveries" and rows:
        wake_on_commit("mta.send_due")
    return len(rows)


@transaction.atomic
def _discard(ids: Sequence[int], actor: Account | None) -> int:
    rows = _locked(ids, actor)
    code, text = DISCARDED
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=State.CANCELLED, code=code, text=text, on_hold=False, updated_us=time.time_ns() // 1000
    )
    owners = _owners(rows)
    state = str(State.CANCELLED)
    record_many(
        delivery_event(
            row.submission,
            row.recipient,
            owner=owners.get(row.submission.mailbox_id),
            state=state,
            code=code,
            text=text,
        )
        for row in rows
    )
    for row in rows:
        tell_outcome(Outcome(row.submission_id, row.recipient, state, code, text))
    _record(rows, "discard_deliveries", actor)
    return len(rows)


def _locked(ids: Sequence[int], actor: Account | None, *, only_held: bool | None = None) -> list[Delivery]:
    """Those that wait; every one must be of a domain that `actor` administers."""
    abandoned = Q(state=State.SENDING, on_hold=True, claimed_until_us__lt=time.time_ns() // 1000)
    found = Delivery.objects.filter(Q(state__in=WAITING) | abandoned, pk__in=ids)
    if only_held is not None:
        found = found.filter(on_hold=only_held)
    rows = list(found.select_related("submission").select_for_update(of=("self",)).order_by("pk"))
    for domain_id in {row.submission.domain_id for row in rows}:
        require_admin(actor, domain_id)
    return rows


def _owners(rows: Sequence[Delivery]) -> dict[int, tuple[str, int]]:
    found = Account.objects.filter(pk__in={row.submission.mailbox_id for row in rows})
    return {pk: (address, domain_id) for pk, address, domain_id in found.values_list("pk", "address", "domain_id")}


def _record(rows: Sequence[Delivery], act: str, actor: Account | None) -> None:
    by_domain: dict[int, list[str]] = collections.defaultdict(list)
    for row in rows:
        by_domain[row.submission.domain_id].append(row.recipient)
    for domain_id, recipients in by_domain.items():
        named = recipients[:RECORDED_MAX]
        audit(actor, act, domain_id=domain_id, address=named[0], recipients=named, count=len(recipients))
