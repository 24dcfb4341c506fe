"""Orders of a folder that readers ask for: begun at the first use, filled beside the work, dropped when nobody uses them.

An order is kept before it is filled: from that commit on every writer of the folder puts in what comes and takes out
what leaves, so filling need only go once through what is there, by UID, in short transactions. It may be killed between
any two lines and goes on from where its last commit was; done twice at once it harms nothing.
"""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError, transaction

from core.access import Access, Right
from core.errors import MailError
from core.jobs import wake, wake_on_commit
from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.models import FolderOrder
from mailstore.orders import KEY, Kind, insert, kinds, remove
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.list_filter import Filter
from mailstore.selectors.list_order import Sort
from mailstore.selectors.list_walk import KINDS

KEPT_FROM = 2_000
"""Entries from which on a folder's order is worth its rows; below it every match is read and sorted."""
SLICE = 2_000
"""Entries that one transaction fills in, or places that it drops."""
UNUSED_S = 30 * 86_400
PARTING_S = 600
DAY_S = 86_400
WAKE_EVERY_S = 20
TASK = "mailstore.fill_orders"

FILLING, READY, DROPPING = (int(state) for state in FolderOrder.State)

log = logging.getLogger(__name__)
_noted: dict[tuple[int, int], float] = {}
"""When this process last wrote that an order was used, or woke its filling; at most NOTED_MAX."""
NOTED_MAX = 10_000


def use_orders(access: Access, folder: FolderRow, wanted: Filter, sort: Sort) -> None:
    """Somebody looks at this list: begin the orders that would give it, or note that they are of use. The page does
    not wait for them, and does not fail when they can't be begun. In most calls no query at all."""
    access.require(Right.READ)
    bits = KINDS.get(sort.by, 0) | (Kind.FROM if wanted.sender else 0)
    for kind in kinds(bits):
        if folder.orders_kept & kind or folder.total > KEPT_FROM:
            try:
                _use(access, folder, kind)
            except (DatabaseError, MailError) as error:
                log.info("an order is not begun", extra={"folder": folder.id, "error": str(error)})


def fill_orders(folder_id: int | None = None) -> int:
    """Fill what was begun, of one folder or of all; how many entries were gone through."""
    done = 0
    condition = "state = %s" if folder_id is None else "state = %s AND folder_id = %s"
    values = [FILLING] if folder_id is None else [FILLING, folder_id]
    query = f"SELECT mailbox_id, folder_id, kind FROM mailstore_folderorder WHERE {condition} ORDER BY id"
    for place in sql.rows(query, values):
        while (count := _fill_slice(*place)) is not None:
            done += count
    return done


def drop_orders(now_us: int) -> int:
    """Give up an order that nobody has used for a month, or take away a slice of one that was given up; 0 when there is
    nothing to do. Places stay for a while: a page that has seen the order as ready may be walking it."""
    now_s = now_us // 1_000_000
    query = (
        "SELECT mailbox_id, folder_id, kind, state FROM mailstore_folderorder "
        "WHERE (state <> %s AND used_s < %s) OR (state = %s AND used_s < %s) ORDER BY id LIMIT 1"
    )
    found = sql.row(query, [DROPPING, now_s - UNUSED_S, DROPPING, now_s - PARTING_S])
    if found is None:
        return 0
    mailbox, folder_id, kind, state = found
    with transaction.atomic():
        Ledger([mailbox])
        if state != DROPPING:
            _give_up(folder_id, kind, now_s)
            return 1
        query = f"SELECT {', '.join(KEY)} FROM mailstore_entryorder WHERE folder_id = %s AND kind = %s LIMIT {SLICE}"
        gone = sql.rows(query, [folder_id, kind])
        remove(gone)
        if len(gone) < SLICE:
            sql.run("DELETE FROM mailstore_folderorder WHERE folder_id = %s AND kind = %s", [folder_id, kind])
    return len(gone) or 1


def give_up_orders(mailbox: int) -> None:
    """The mailbox is to hold other mail: none of its orders is kept or walked from now on."""
    with transaction.atomic():
        Ledger([mailbox])
        sql.run("UPDATE mailstore_folder SET orders_kept = 0, orders_ready = 0 WHERE mailbox_id = %s", [mailbox])
        statement = "UPDATE mailstore_folderorder SET state = %s, used_s = %s WHERE mailbox_id = %s"
        sql.run(statement, [DROPPING, int(time.time()), mailbox])


def forget_orders(folder_id: int) -> None:
    """The folder goes, in the ledger's transaction: what is left of its orders is taken away in slices later."""
    statement = "UPDATE mailstore_folderorder SET state = %s, used_s = %s WHERE folder_id = %s"
    sql.run(statement, [DROPPING, int(time.time()), folder_id])


def _use(access: Access, folder: FolderRow, kind: Kind) -> None:
    is_ready = bool(folder.orders_ready & kind)
    now = time.time()
    if now - _noted.get((folder.id, kind), 0.0) < (DAY_S if is_ready else WAKE_EVERY_S):
        return
    if len(_noted) >= NOTED_MAX:
        _noted.clear()
    if is_ready:
        sql.run(
            "UPDATE mailstore_folderorder SET used_s = %s WHERE folder_id = %s AND kind = %s AND state = %s",
            [int(now), folder.id, int(kind), READY],
        )
    elif folder.orders_kept & kind:
        wake(TASK, str(folder.id))
    else:
        _begin(access.mailbox, folder.id, kind, int(now))
    _noted[folder.id, kind] = now


def _begin(mailbox: int, folder_id: int, kind: Kind, now_s: int) -> None:
    """An order that is being dropped is begun again when it is gone."""
    with transaction.atomic():
        Ledger([mailbox])
        if sql.row("SELECT 1 FROM mailstore_folder WHERE id = %s", [folder_id]) is None:
            return
        begun = sql.run(
            "INSERT INTO mailstore_folderorder (mailbox_id, folder_id, kind, state, filled_uid, used_s) "
            "VALUES (%s, %s, %s, %s, 0, %s) ON CONFLICT (folder_id, kind) DO NOTHING",
            [mailbox, folder_id, int(kind), FILLING, now_s],
        )
        if begun > 0:
            statement = "UPDATE mailstore_folder SET orders_kept = orders_kept | %s WHERE id = %s"
            sql.run(statement, [int(kind), folder_id])
            wake_on_commit(TASK, str(folder_id))


def _fill_slice(mailbox: int, folder_id: int, number: int) -> int | None:
    """The next entries by UID, in one transaction; how many, None when there is nothing more to do."""
    with transaction.atomic():
        Ledger([mailbox])
        row = sql.row(
            "SELECT filled_uid FROM mailstore_folderorder WHERE folder_id = %s AND kind = %s AND state = %s",
            [folder_id, number, FILLING],
        )
        if row is None:
            return None
        query = f"SELECT uid, id FROM mailstore_entry WHERE folder_id = %s AND uid > %s ORDER BY uid LIMIT {SLICE}"
        found = sql.rows(query, [folder_id, row[0]])
        insert(Kind(number), [entry_id for _, entry_id in found])
        is_whole = len(found) < SLICE
        reached = found[-1][0] if found else row[0]
        sql.run(
            "UPDATE mailstore_folderorder SET filled_uid = %s, state = %s WHERE folder_id = %s AND kind = %s",
            [reached, READY if is_whole else FILLING, folder_id, number],
        )
        if is_whole:
            statement = "UPDATE mailstore_folder SET orders_ready = orders_ready | %s WHERE id = %s"
            sql.run(statement, [number, folder_id])
        return len(found)


def _give_up(folder_id: int, kind: int, now_s: int) -> None:
    """Writers leave it alone from now on, and readers don't walk it."""
    sql.run(
        "UPDATE mailstore_folder SET orders_kept = orders_kept & ~%s, orders_ready = orders_ready & ~%s WHERE id = %s",
        [kind, kind, folder_id],
    )
    sql.run(
        "UPDATE mailstore_folderorder SET state = %s, used_s = %s WHERE folder_id = %s AND kind = %s",
        [DROPPING, now_s, folder_id, kind],
    )
