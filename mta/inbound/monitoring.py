"""Copies for monitors: who watches an account, whether a mail is of the kind that is watched, where the copy goes.

What a domain has ruled is kept for a second, as is what is known of recipients. The folders are made before the mail's
transaction; a copy is one more placement of it, so it costs no bytes and lies there exactly when the mail does.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterable, Sequence

from accounts.models import Account
from accounts.rows import AccountRow
from accounts.selectors import subtree
from mailstore.models import Flag
from mailstore.search.words import fold
from mailstore.services.deliver import Placement
from mailstore.services.monitoring import monitor_folder
from mta.models import MonitoredFolder, MonitorRule
from mta.rules.looked import Looked

KEEP_S = 1.0
KEEP_MAX = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How a mail went, as seen from the one who is watched."""

    from_inside: bool = False
    from_outside: bool = False
    to_inside: bool = False
    to_outside: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Watch:
    """A rule ready to be asked. `targets` None: everybody."""

    rule: MonitorRule
    monitors: tuple[int, ...]
    targets: frozenset[int] | None
    words: tuple[str, ...]

    def covers(self, account_id: int, way: Way, looked: Looked, now_s: float) -> bool:
        """Whether this mail of this account is watched now."""
        rule = self.rule
        if self.targets is not None and account_id not in self.targets:
            return False
        if (rule.begins_at and now_s < rule.begins_at.timestamp()) or (
            rule.ends_at and now_s >= rule.ends_at.timestamp()
        ):
            return False
        went = ("from_inside", "from_outside", "to_inside", "to_outside")
        if not any(getattr(way, each) and getattr(rule, each) for each in went):
            return False
        if rule.with_attachment and not looked.has_attachment:
            return False
        if looked.size_bytes < rule.min_size_kb * 1024:
            return False
        return not self.words or any(word in looked.text for word in self.words)


def copies_for(account: AccountRow, way: Way, looked: Looked) -> list[Placement]:
    """Where copies of a mail of `account` go. No query while nobody is watched in its domain."""
    now_s = time.time()
    watches = [each for each in _watches(account.domain_id) if each.covers(account.id, way, looked, now_s)]
    monitors = dict.fromkeys(monitor for each in watches for monitor in each.monitors if monitor != account.id)
    # 已读: the folder is read-only, so nobody could ever mark it.
    return [
        Placement(monitor, folder_id=folder_for(monitor, account.id, account.address), flags=int(Flag.SEEN))
        for monitor in monitors
    ]


def folder_for(monitor: int, target: int, address: str) -> int:
    """The folder of a monitor for one person's mail, made when it is not there."""
    found = MonitoredFolder.objects.filter(monitor=monitor, target=target).values_list("folder_id", flat=True).first()
    if found is not None:
        return found
    folder_id = monitor_folder(monitor, address)
    made = {"folder_id": folder_id}
    return MonitoredFolder.objects.get_or_create(monitor_id=monitor, target_id=target, defaults=made)[0].folder_id


class _Kept:
    """By domain: when it was read, and what it says."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, tuple[float, tuple[Watch, ...]]] = {}

    def get(self, domain_id: int) -> tuple[Watch, ...] | None:
        found = self._rows.get(domain_id)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def put(self, domain_id: int, watches: tuple[Watch, ...]) -> None:
        with self._lock:
            if len(self._rows) >= KEEP_MAX:
                self._rows.clear()
            self._rows[domain_id] = (time.monotonic() + KEEP_S, watches)

    def forget(self) -> None:
        self._rows.clear()


_kept = _Kept()


def forget() -> None:
    """Read the rules again: this process has changed one."""
    _kept.forget()


def _watches(domain_id: int) -> tuple[Watch, ...]:
    known = _kept.get(domain_id)
    if known is None:
        rules = MonitorRule.objects.filter(domain=domain_id, is_active=True).prefetch_related(
            "monitors", "accounts", "departments"
        )
        known = tuple(_watch(rule) for rule in rules)
        _kept.put(domain_id, known)
    return known


def _watch(rule: MonitorRule) -> Watch:
    monitors = tuple(each.pk for each in rule.monitors.all() if each.status == Account.Status.ACTIVE)
    words = tuple(fold(line.strip()) for line in rule.keywords.splitlines() if line.strip())
    return Watch(rule, monitors, None if rule.whole_domain else _targets(rule), words)


def _targets(rule: MonitorRule) -> frozenset[int]:
    departments = _below(rule.domain_id, [each.pk for each in rule.departments.all()])
    inside = Account.objects.filter(domain=rule.domain_id, department__in=departments) if departments else []
    return frozenset([*(each.pk for each in rule.accounts.all()), *(each.pk for each in inside)])


def _below(domain_id: int, tops: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for top in tops:
        found |= subtree(domain_id, top)
    return found


def watched_folders(targets: Iterable[int]) -> list[int]:
    """Every monitor's folder with mail of these accounts."""
    return list(MonitoredFolder.objects.filter(target__in=list(targets)).values_list("folder_id", flat=True))
