"""Mail from elsewhere into a mailbox: folders, flags, keywords and arrival times kept, nothing twice.

Groups of 64 messages or 4 MB, a transaction each, through the store's own deliver path. A message whose very bytes lie
in that folder already is left out, so an import that was killed or is repeated goes on where it stopped, and two at
once do no harm. One bad message is reported and never stops the others; a full mailbox stops everything, clearly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import DataError, transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.portable.items import Found, Item, Unreadable
from mailstore.portable.keywords import add_keywords
from mailstore.portable.names import role_of
from mailstore.selectors.folders import folder_tree
from mailstore.services.folders import MAX_NAME_CHARS, clean_name, create_folder, folder_limits
from mailstore.services.incoming import Incoming, Placement, Prepared, prepare
from mailstore.services.quota import quota_bytes
from mailstore.services.rows import writable
from mailstore.services.store import store

GROUP = 64
GROUP_BYTES = 4 << 20
MAX_FAILURES = 1_000
"""Failures that a report names; the others are counted."""


@dataclasses.dataclass(slots=True)
class ImportReport:
    """How far an import is, and how it ended. `stopped` says why it ended early: over_quota with numbers, or nothing."""

    imported: int = 0
    imported_bytes: int = 0
    already_there: int = 0
    failed: int = 0
    failures: list[Unreadable] = dataclasses.field(default_factory=list)
    dropped_keywords: set[str] = dataclasses.field(default_factory=set)
    stopped: MailError | None = None
    stopped_at: str = ""

    def fail(self, failure: Unreadable) -> None:
        """Note one message that can't be had."""
        self.failed += 1
        if len(self.failures) < MAX_FAILURES:
            self.failures.append(failure)


Progress = Callable[[ImportReport], None]


def import_mail(
    access: Access, found: Iterable[Found], *, into: Sequence[str] = (), progress: Progress | None = None
) -> ImportReport:
    """Import everything that `found` yields; `into` is a folder's path under which the source's folders are made (else
    Inbox, Sent … are the mailbox's own). `progress` hears of every group, after its commit. Needs INSERT and FOLDERS."""
    access.require(Right.INSERT | Right.FOLDERS)
    report = ImportReport()
    folders = _Folders(access, tuple(into))
    group: list[Item] = []
    size = 0
    for each in found:
        if isinstance(each, Unreadable):
            report.fail(each)
            continue
        group.append(each)
        size += len(each.raw)
        if len(group) >= GROUP or size >= GROUP_BYTES:
            _take(access, folders, group, report, progress)
            group, size = [], 0
        if report.stopped:
            return report
    _take(access, folders, group, report, progress)
    return report


@dataclasses.dataclass(frozen=True, slots=True)
class _Ready:
    """An item whose folder is known and whose bytes are prepared."""

    item: Item
    folder_id: int
    prepared: Prepared

    @property
    def key(self) -> tuple[int, bytes]:
        """Where which bytes: what may be there only once."""
        return self.folder_id, self.prepared.encoded.sha256


def _take(
    access: Access, folders: _Folders, group: Sequence[Item], report: ImportReport, progress: Progress | None
) -> None:
    ready = [each for each in (_prepared(folders, item, report) for item in group) if each is not None]
    try:
        _store(access, ready, report)
    except DataError:
        for each in ready:
            _store_alone(access, each, report)
    if progress is not None:
        progress(report)


def _prepared(folders: _Folders, item: Item, report: ImportReport) -> _Ready | None:
    try:
        return _Ready(item, folders.id_of(item.folder), prepare(item.raw))
    except MailError as error:
        if error.kind is ErrorKind.UNAVAILABLE:
            raise
        report.fail(Unreadable(item.place, str(error)))
        return None


def _store_alone(access: Access, ready: _Ready, report: ImportReport) -> None:
    """One message of a group that the database refused."""
    try:
        _store(access, [ready], report)
    except DataError as error:
        report.fail(Unreadable(ready.item.place, str(error)))


def _store(access: Access, ready: Sequence[_Ready], report: ImportReport) -> None:
    """One transaction. The report learns of it after the commit."""
    stopped: tuple[MailError, str] | None = None
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        for folder_id in sorted({each.folder_id for each in ready}):
            writable(ledger, access, folder_id)
        known = _known(access.mailbox, ready)
        fresh = list({each.key: each for each in reversed(ready) if each.key not in known}.values())[::-1]
        new, stopped = _fitting(ledger, access.mailbox, fresh)
        stored = store([_incoming(access.mailbox, each) for each in new])
        ids = [result.entry_ids[access.mailbox] for result in stored]
        wanted = {entry_id: each.item.keywords for entry_id, each in zip(ids, new, strict=True) if each.item.keywords}
        refused = add_keywords(access.mailbox, wanted)
    report.already_there += len(ready) - len(fresh)
    report.imported += len(new)
    report.imported_bytes += sum(each.prepared.size for each in new)
    report.dropped_keywords.update(refused)
    if stopped is not None:
        report.stopped, report.stopped_at = stopped


def _known(mailbox: int, ready: Sequence[_Ready]) -> set[tuple[int, bytes]]:
    hashes = sorted({each.prepared.encoded.sha256 for each in ready})
    query = (
        "SELECT e.folder_id, b.sha256 FROM mailstore_blob b JOIN mailstore_message m ON m.blob_id = b.id "
        "JOIN mailstore_entry e ON e.message_id = m.id "
        f"WHERE b.sha256 IN ({sql.marks(hashes)}) AND m.mailbox_id = %s"
    )
    return {(row[0], bytes(row[1])) for row in sql.rows(query, [*hashes, mailbox])}


def _fitting(
    ledger: Ledger, mailbox: int, fresh: Sequence[_Ready]
) -> tuple[list[_Ready], tuple[MailError, str] | None]:
    """Those that the quota has room for, in order; and why and where it ends, if it does."""
    used, quota = ledger.mailboxes[mailbox].used_bytes, quota_bytes(mailbox)
    fitting: list[_Ready] = []
    for each in fresh:
        if used + each.prepared.size > quota:
            return fitting, (MailError(ErrorKind.OVER_QUOTA, used=used, quota=quota), each.item.place)
        used += each.prepared.size
        fitting.append(each)
    return fitting, None


def _incoming(mailbox: int, each: _Ready) -> Incoming[Any]:
    item = each.item
    placement = Placement(mailbox, folder_id=each.folder_id, flags=item.flags, internal_us=item.internal_us)
    return Incoming(each.prepared, [placement])


class _Folders:
    """Paths of the source to folders of the mailbox, made when first needed."""

    def __init__(self, access: Access, into: tuple[str, ...]) -> None:
        self._access = access
        self._into = into
        self._levels = folder_limits(access).depth
        self._ids: dict[tuple[int, str], int] = {}
        self._roles: dict[str, int] = {}
        self._by_path: dict[tuple[str, ...], int] = {}
        for row in folder_tree(access):
            self._ids[row.parent_id, row.name] = row.id
            if row.role:
                self._roles[row.role] = row.id

    def id_of(self, path: tuple[str, ...]) -> int:
        """The folder of a path. LIMIT when the mailbox has no room for more."""
        if path not in self._by_path:
            self._by_path[path] = self._found(path)
        return self._by_path[path]

    def _found(self, path: tuple[str, ...]) -> int:
        role = None if self._into else role_of(path[:1])
        parent = self._roles.get(str(role), 0) if role else 0
        rest = path[1:] if parent else (*self._into, *path)
        for name in _bounded(rest, self._levels - 1):
            parent = self._child(parent, name)
        return parent

    def _child(self, parent: int, name: str) -> int:
        if (parent, name) not in self._ids:
            self._ids[parent, name] = create_folder(self._access, name, parent_id=parent)
        return self._ids[parent, name]


def _bounded(path: Sequence[str], limit: int) -> list[str]:
    """Names that a folder may have here, and no more levels than there may be: the deepest are joined."""
    names = [_name(part) for part in path]
    return names if len(names) <= limit else [*names[: limit - 1], _name("-".join(names[limit - 1 :]))]


def _name(part: str) -> str:
    cleaned = "".join("_" if letter in "/%*\\" or not letter.isprintable() else letter for letter in part)
    try:
        return clean_name(cleaned.strip()[:MAX_NAME_CHARS])
    except MailError:
        return "_"
