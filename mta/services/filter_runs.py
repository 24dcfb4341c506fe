"""Filters applied to mail that is there already: in slices claimed in a row, newest mail first.

A slice does its acts and then moves the row on, so a process that dies repeats one slice, and every act but counting is
the same when it is done twice. A slice that fails (its target can't be written to, the mailbox is full) is marked and tried
again after growing pauses, and given up after TRIES_MAX. Forwarding is for new mail: here it is passed over.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from accounts.models import Account
from accounts.services.permission import audit
from core.access import Access, system_access
from core.errors import ErrorKind, MailError
from core.jobs import wake_on_commit
from mailstore import sql
from mailstore.message import scan
from mailstore.models import Flag, Role
from mailstore.selectors.entries import raw
from mailstore.selectors.folders import folder, folder_by_role
from mailstore.services.flags import set_flags
from mailstore.services.keywords import set_keywords
from mailstore.services.moves import move
from mailstore.services.selection import Selection
from mta.models import Filter, FilterRun
from mta.rules.deciding import Decision, decide
from mta.rules.looked import Looked
from mta.rules.reading import rule_of
from mta.rules.terms import Rule
from mta.services.owners import require_owner

State = FilterRun.State
SLICE = 100
CLAIM_S = 120
TOP_ID = (1 << 63) - 1
RUNS_MAX = 5
"""Of one account at a time."""
TRIES_MAX = 10
PAUSE_S = 120
PAUSE_MAX_S = 6 * 3600
"""Doubled from PAUSE_S up to this: about a day in all."""
UNKNOWN = "unknown"

log = logging.getLogger(__name__)


@transaction.atomic
def start_run(
    account: Account, folder_id: int, *, filter_ids: Sequence[int] = (), actor: Account | None = None
) -> FilterRun:
    """Apply filters (none named: those that are on) to what lies in a folder now; workers do it.

    Raises NOT_FOUND (folder, filter), INVALID (no filter), NO_PERMISSION (a read-only folder), LIMIT.
    """
    require_owner(actor, account)
    found = folder(system_access(account.pk), folder_id)
    if found.is_read_only:
        raise MailError(ErrorKind.NO_PERMISSION, field="folder_id")
    own = Filter.objects.filter(account=account)
    ids = list(own.filter(pk__in=filter_ids) if filter_ids else own.filter(is_active=True))
    if len(ids) < len(set(filter_ids)):
        raise MailError(ErrorKind.NOT_FOUND, field="filters")
    if not ids:
        raise MailError(ErrorKind.INVALID, field="filters")
    if FilterRun.objects.filter(account=account, state=State.WAITING).count() >= RUNS_MAX:
        raise MailError(ErrorKind.LIMIT, limit=RUNS_MAX)
    run = FilterRun.objects.create(
        account=account,
        filters=[each.pk for each in ids],
        folder_id=folder_id,
        below_id=TOP_ID,
        total=found.total,
    )
    if actor is None or actor.pk != account.pk:
        audit(actor, "run_filters", domain_id=account.domain_id, address=account.address)
    wake_on_commit("mta.run_filters")
    return run


@transaction.atomic
def cancel_run(run: FilterRun, *, actor: Account | None = None) -> None:
    """Stop before the next slice; what was done stays. Harmless when it is over."""
    require_owner(actor, run.account)
    FilterRun.objects.filter(pk=run.pk, state=State.WAITING).update(state=State.CANCELLED)


def is_any_waiting() -> bool:
    """Whether a worker would find something to do."""
    return FilterRun.objects.filter(state=State.WAITING, claimed_until_us__lte=time.time_ns() // 1000).exists()


def work_on_runs() -> int:
    """Do slices until nothing is left to claim; how many, those that failed included."""
    slices = 0
    while (run := _claim(time.time_ns() // 1000)) is not None:
        try:
            _slice(run)
        except MailError as error:
            _put_off(run, error.kind.value)
        except Exception:
            log.exception("a run of filters failed", extra={"run": run.pk})
            _put_off(run, UNKNOWN)
        slices += 1
    return slices


def _put_off(run: FilterRun, error: str) -> None:
    """Mark a slice that failed, where the claim is still ours; the others go on."""
    tries = run.tries + 1
    pause_s = min(PAUSE_S << (tries - 1), PAUSE_MAX_S)
    ours = FilterRun.objects.filter(pk=run.pk, claimed_until_us=run.claimed_until_us)
    ours.update(tries=tries, error=error[:16], claimed_until_us=time.time_ns() // 1000 + pause_s * 1_000_000)
    if tries >= TRIES_MAX:
        FilterRun.objects.filter(pk=run.pk, state=State.WAITING, tries=tries).update(state=State.FAILED)


def _claim(now_us: int) -> FilterRun | None:
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    query = (
        "UPDATE mta_filterrun SET claimed_until_us = %s WHERE id = (SELECT id FROM mta_filterrun "
        f"WHERE state = 'waiting' AND claimed_until_us <= %s ORDER BY claimed_until_us, id LIMIT 1 {skip}) RETURNING id"
    )
    with transaction.atomic():
        row = sql.row(query, [now_us + CLAIM_S * 1_000_000, now_us])
    return FilterRun.objects.select_related("account").get(pk=row[0]) if row else None


def _slice(run: FilterRun) -> None:
    query = (
        "SELECT id, matched_address FROM mailstore_entry WHERE folder_id = %s AND mailbox_id = %s AND id < %s "
        "ORDER BY id DESC LIMIT %s"
    )
    entries: list[Any] = sql.rows(query, [run.folder_id, run.account_id, run.below_id, SLICE])
    access = system_access(run.account_id)
    rules = _rules(run)
    matched = _apply(access, run, _decide(access, run.account.address, entries, rules)) if rules else 0
    changes: dict[str, Any] = {"seen": F("seen") + len(entries), "matched": F("matched") + matched}
    changes |= {"claimed_until_us": 0, "tries": 0, "error": ""}
    changes["below_id"] = entries[-1][0] if entries else run.below_id
    ours = FilterRun.objects.filter(pk=run.pk, claimed_until_us=run.claimed_until_us)
    ours.update(**changes)
    if len(entries) < SLICE or not rules:
        ours_again = FilterRun.objects.filter(pk=run.pk, state=State.WAITING, below_id=changes["below_id"])
        ours_again.update(state=State.DONE)


def _rules(run: FilterRun) -> list[Rule]:
    rows = Filter.objects.filter(pk__in=run.filters, account=run.account_id).order_by("position", "pk")
    return [rule for rule in map(rule_of, rows) if rule is not None]


def _decide(access: Access, address: str, entries: Sequence[Any], rules: Sequence[Rule]) -> list[tuple[int, Decision]]:
    found = []
    for entry_id, matched in entries:
        try:
            content = raw(access, entry_id)
        except MailError as error:
            if error.kind is not ErrorKind.NOT_FOUND:  # it was moved or deleted meanwhile
                raise
            continue
        scanned = scan(content)
        reached = (address, matched) if matched else (address,)
        looked = Looked(content, scanned, scanned.header_length, sender="", reached=reached)
        decision = decide(rules, looked)
        if decision.names:
            found.append((entry_id, decision))
    return found


def _apply(access: Access, run: FilterRun, decisions: Sequence[tuple[int, Decision]]) -> int:
    labels: dict[int, list[int]] = {}
    flags: dict[int, list[int]] = {}
    folders: dict[int, list[int]] = {}
    for entry_id, decision in decisions:
        for label in decision.labels:
            labels.setdefault(label, []).append(entry_id)
        if decision.flags:
            flags.setdefault(decision.flags, []).append(entry_id)
        role = Role.JUNK if decision.is_rejected else decision.role
        target = decision.folder_id or (folder_by_role(access, role).id if role else run.folder_id)
        if target != run.folder_id:
            folders.setdefault(target, []).append(entry_id)
    acts: list[Callable[[], object]] = [
        *(functools.partial(set_keywords, access, Selection(ids), add=[label]) for label, ids in labels.items()),
        *(functools.partial(set_flags, access, Selection(ids), add=Flag(bits)) for bits, ids in flags.items()),
        *(functools.partial(move, access, Selection(ids), folder_id=target) for target, ids in folders.items()),
    ]
    refused = None
    for act in acts:
        try:
            act()
        except MailError as error:
            if error.kind is not ErrorKind.NOT_FOUND:  # a label, a folder or a mail may be gone meanwhile
                refused = refused or error
    if refused is not None:  # after all that can be done
        raise refused
    return len(decisions)
