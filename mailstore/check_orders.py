"""Whether the orders that folders keep hold what the folders hold; a part of `check_store`."""

from __future__ import annotations

from collections.abc import Iterator

from mailstore import sql
from mailstore.fields import MAX_COUNTER, pack
from mailstore.models import FolderOrder
from mailstore.orders import ENTRY_OF, KEY, Kind, insert, remove, stands

MAX_UID = (1 << 63) - 1
FILLING, READY, DROPPING = (int(state) for state in FolderOrder.State)

Wrong = tuple[str, str, str, str]
"""Check, where, stored, expected."""


def wrong_orders(mailbox: int, repair: bool) -> Iterator[Wrong]:
    """Under the mailbox's lock: orders without their folder or their row, bits that say something else, missing and
    foreign places."""
    yield from _strays(mailbox, repair)
    yield from _bits(mailbox, repair)
    query = "SELECT folder_id, kind, state, filled_uid FROM mailstore_folderorder WHERE mailbox_id = %s AND state <> %s"
    for folder_id, number, state, filled_uid in sql.rows(query, [mailbox, DROPPING]):
        yield from _places(folder_id, Kind(number), filled_uid if state == FILLING else MAX_UID, repair)


def _strays(mailbox: int, repair: bool) -> Iterator[Wrong]:
    """What nobody keeps is left to `drop_orders`."""
    gone = "NOT EXISTS (SELECT 1 FROM mailstore_folder f WHERE f.id = mailstore_folderorder.folder_id)"
    query = f"SELECT folder_id, kind FROM mailstore_folderorder WHERE mailbox_id = %s AND state <> %s AND {gone}"
    for folder_id, kind in sql.rows(query, [mailbox, DROPPING]):
        yield "order without its folder", f"{folder_id}, {kind}", "kept", "dropped"
        if repair:
            statement = "UPDATE mailstore_folderorder SET state = %s WHERE folder_id = %s AND kind = %s"
            sql.run(statement, [DROPPING, folder_id, kind])
    query = (
        "SELECT DISTINCT folder_id, kind FROM mailstore_entryorder o WHERE folder_id BETWEEN %s AND %s AND NOT EXISTS "
        "(SELECT 1 FROM mailstore_folderorder f WHERE f.folder_id = o.folder_id AND f.kind = o.kind)"
    )
    for folder_id, kind in sql.rows(query, [pack(mailbox, 0), pack(mailbox, MAX_COUNTER)]):
        yield "places of no order", f"{folder_id}, {kind}", "some", "none"
        if repair:
            sql.run(
                sql.insert("mailstore_folderorder", "mailbox_id, folder_id, kind, state, filled_uid, used_s"),
                [mailbox, folder_id, kind, DROPPING, 0, 0],
            )


def _bits(mailbox: int, repair: bool) -> Iterator[Wrong]:
    counted = "COALESCE((SELECT sum(o.kind) FROM mailstore_folderorder o WHERE o.folder_id = f.id AND o.state {}), 0)"
    query = (
        f"SELECT f.id, f.orders_kept, f.orders_ready, {counted.format('<> 2')}, {counted.format('= 1')} "
        "FROM mailstore_folder f WHERE f.mailbox_id = %s"
    )
    for folder_id, *bits in sql.rows(query, [mailbox]):
        stored, expected = tuple(bits[:2]), tuple(map(int, bits[2:]))
        if stored != expected:
            yield "kept, ready orders", str(folder_id), str(stored), str(expected)
            if repair:
                statement = "UPDATE mailstore_folder SET orders_kept = %s, orders_ready = %s WHERE id = %s"
                sql.run(statement, [*expected, folder_id])


def _places(folder_id: int, kind: Kind, filled_uid: int, repair: bool) -> Iterator[Wrong]:
    foreign = sql.rows(
        f"SELECT {', '.join(KEY)} FROM mailstore_entryorder o WHERE o.folder_id = %s AND o.kind = %s AND NOT EXISTS "
        f"(SELECT 1 FROM mailstore_entry e WHERE e.id = {ENTRY_OF[kind]} AND e.folder_id + 0 = o.folder_id AND {stands(kind)})",
        [folder_id, int(kind)],
    )
    missing = sql.rows(
        "SELECT e.id FROM mailstore_entry e WHERE e.folder_id = %s AND e.uid <= %s AND NOT EXISTS (SELECT 1 FROM "
        f"mailstore_entryorder o WHERE o.folder_id = e.folder_id AND {stands(kind)})",
        [folder_id, filled_uid],
    )
    where = f"{folder_id}, {int(kind)}"
    if foreign:
        yield "foreign places in an order", where, str(len(foreign)), "0"
    if missing:
        yield "places missing in an order", where, str(len(missing)), "0"
    if repair:
        remove(foreign)
        insert(kind, [row[0] for row in missing])
