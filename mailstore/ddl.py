"""DDL that the ORM can't say, one vendor-switched operation with its reverse."""

from __future__ import annotations

from typing import Any

from django.db import migrations

UNREAD = "(flags & 1) = 0"
STARRED = "(flags & 4) = 4"
ATTACHMENT = "(attributes & 1) = 1"
LISTED = (1, 4)
"""Bits of `Flag` that have a list: without the first (unread), with the second (starred)."""
ENTRY_SUMS = (
    "count(e.id), COALESCE(sum(CASE WHEN (e.flags & 1) = 0 THEN 1 ELSE 0 END), 0), "
    "COALESCE(sum(CASE WHEN (e.flags & 4) = 4 THEN 1 ELSE 0 END), 0)"
)
"""How many the entries `e` are, how many unread, how many starred: what every counter counts."""

PARTIAL_INDEXES = {
    "entry_unread": f"CREATE INDEX entry_unread ON mailstore_entry (folder_id, sort_us, id) WHERE {UNREAD}",
    "entry_starred": f"CREATE INDEX entry_starred ON mailstore_entry (folder_id, sort_us, id) WHERE {STARRED}",
    "entry_attachment": f"CREATE INDEX entry_attachment ON mailstore_entry (folder_id, sort_us, id) WHERE {ATTACHMENT}",
}


def create(_apps: Any, editor: Any) -> None:
    """Make the partial indexes and, on PostgreSQL, leave room in hot pages for HOT updates."""
    for statement in PARTIAL_INDEXES.values():
        editor.execute(statement)
    if editor.connection.vendor == "postgresql":
        for table in ("mailstore_mailbox", "mailstore_folder", "mailstore_entry"):
            editor.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")


def drop(_apps: Any, editor: Any) -> None:
    """Undo `create`."""
    for name in PARTIAL_INDEXES:
        editor.execute(f"DROP INDEX IF EXISTS {name}")


OPERATION = migrations.RunPython(create, drop)

SEARCH_INDEX = (
    "CREATE EXTENSION IF NOT EXISTS btree_gin",
    "CREATE TABLE mailstore_searchdocument (key bigint PRIMARY KEY, message_id bigint NOT NULL UNIQUE, "
    "mailbox_id bigint NOT NULL, period bigint NOT NULL, v tsvector NOT NULL)",
    "CREATE INDEX search_words ON mailstore_searchdocument USING gin (mailbox_id, period, v)",
)


def create_search_index(_apps: Any, editor: Any) -> None:
    """PostgreSQL's index (mailstore.search.postgres); SQLite's lies in a file of its own."""
    if editor.connection.vendor == "postgresql":
        for statement in SEARCH_INDEX:
            editor.execute(statement)


def drop_search_index(_apps: Any, editor: Any) -> None:
    """Undo `create_search_index`; the extension stays, others may use it."""
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP TABLE IF EXISTS mailstore_searchdocument")


SEARCH_OPERATION = migrations.RunPython(create_search_index, drop_search_index)


def keyed_table(name: str, columns: str, key: str) -> migrations.RunPython:
    """A table that is found by its key alone: SQLite needs no second B-tree for that. `{packed}` is a packed id's type."""

    def create_table(_apps: Any, editor: Any) -> None:
        is_sqlite = editor.connection.vendor == "sqlite"
        packed, tail = ("integer", " WITHOUT ROWID") if is_sqlite else ("bigint", "")
        editor.execute(f"CREATE TABLE {name} ({columns.format(packed=packed)}, PRIMARY KEY ({key})){tail}")

    def drop_table(_apps: Any, editor: Any) -> None:
        editor.execute(f"DROP TABLE {name}")

    return migrations.RunPython(create_table, drop_table)


ENTRY_ORDER_OPERATION = keyed_table(
    "mailstore_entryorder",
    "folder_id {packed} NOT NULL, kind smallint NOT NULL, hash bigint NOT NULL, word varchar(64) NOT NULL, "
    "number bigint NOT NULL, tie bigint NOT NULL",
    "folder_id, kind, hash, word, number, tie",
)
ENTRY_CHANGE_OPERATION = keyed_table(
    "mailstore_entrychange",
    "mailbox_id bigint NOT NULL, folder_id {packed} NOT NULL, modseq bigint NOT NULL, first_uid bigint NOT NULL, "
    "last_uid bigint NOT NULL",
    "folder_id, modseq, first_uid",
)

FLAG_LIST_COLUMNS = "folder_id, flag, sort_us, entry_id"


def _listed(rows: str) -> str:
    """The lists' rows of a table of entries."""
    unread, starred = LISTED
    return (
        f"SELECT folder_id, {unread} AS flag, sort_us, id AS entry_id FROM {rows} WHERE {UNREAD} "
        f"UNION ALL SELECT folder_id, {starred}, sort_us, id FROM {rows} WHERE {STARRED}"
    )


def _kept(name: str, event: str, tables: str, *statements: str) -> tuple[str, str]:
    """A function and the trigger that calls it, once for each statement. A list is longer than what a statement changes:
    its index is asked, whatever the planner thinks of a table it has not seen yet."""
    by_index = "SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off"
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {by_index} "
        f"AS $$ BEGIN {'; '.join(statements)}; RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON mailstore_entry {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
    )


def _insert(listed: str) -> str:
    return f"INSERT INTO mailstore_flaglist ({FLAG_LIST_COLUMNS}) {listed} ON CONFLICT DO NOTHING"


def _delete(listed: str) -> str:
    return (
        f"DELETE FROM mailstore_flaglist k USING ({listed}) AS g WHERE k.folder_id = g.folder_id AND k.flag = g.flag "
        "AND k.sort_us = g.sort_us AND k.entry_id = g.entry_id"
    )


CAME, GONE = _listed("came"), _listed("gone")
FLAG_LISTS = (
    "CREATE TABLE mailstore_flaglist (folder_id bigint NOT NULL, flag smallint NOT NULL, sort_us bigint NOT NULL, "
    f"entry_id bigint NOT NULL, PRIMARY KEY ({FLAG_LIST_COLUMNS}))",
    _insert(_listed("mailstore_entry")),
    *_kept("mailstore_flaglist_came", "INSERT", "REFERENCING NEW TABLE AS came", _insert(CAME)),
    *_kept("mailstore_flaglist_gone", "DELETE", "REFERENCING OLD TABLE AS gone", _delete(GONE)),
    *_kept(
        "mailstore_flaglist_changed",
        "UPDATE",
        "REFERENCING OLD TABLE AS gone NEW TABLE AS came",
        _delete(f"({GONE}) EXCEPT ({CAME})"),
        _insert(f"({CAME}) EXCEPT ({GONE})"),
    ),
    *_kept("mailstore_flaglist_emptied", "TRUNCATE", "", "TRUNCATE mailstore_flaglist"),
    "DROP INDEX entry_unread",
    "DROP INDEX entry_starred",
    "ALTER TABLE mailstore_entry SET (fillfactor = 50)",
)
"""Half of each page is left free, so that all entries of a page can change in one transaction without leaving it."""


def create_flag_lists(_apps: Any, editor: Any) -> None:
    """PostgreSQL's lists of unread and starred entries (mailstore.flag_lists), filled; SQLite has indexes for them."""
    if editor.connection.vendor == "postgresql":
        for statement in FLAG_LISTS:
            editor.execute(statement, params=None)


def drop_flag_lists(_apps: Any, editor: Any) -> None:
    """Undo `create_flag_lists`."""
    if editor.connection.vendor != "postgresql":
        return
    for name in ("came", "gone", "changed", "emptied"):
        editor.execute(f"DROP TRIGGER mailstore_flaglist_{name} ON mailstore_entry")
        editor.execute(f"DROP FUNCTION mailstore_flaglist_{name}()")
    editor.execute("DROP TABLE mailstore_flaglist")
    for name in ("entry_unread", "entry_starred"):
        editor.execute(PARTIAL_INDEXES[name])
    editor.execute("ALTER TABLE mailstore_entry SET (fillfactor = 70)")


FLAG_LIST_OPERATION = migrations.RunPython(create_flag_lists, drop_flag_lists)

SEARCH_UPKEEP = (
    # KB. What waits there is read by every question, and whoever fills it sorts it in: 50 mails, a tenth of a second.
    "ALTER INDEX search_words SET (gin_pending_list_limit = 512)",
    # After an import the planner must know how common words are before a fifth of the mailbox is new.
    "ALTER TABLE mailstore_searchdocument SET (autovacuum_analyze_scale_factor = 0.02)",
    # A queue: what is done lies in front of what waits until it is swept away.
    "ALTER TABLE mailstore_searchtodo SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)",
)
SEARCH_UPKEEP_BEFORE = (
    "ALTER INDEX search_words RESET (gin_pending_list_limit)",
    "ALTER TABLE mailstore_searchdocument RESET (autovacuum_analyze_scale_factor)",
    "ALTER TABLE mailstore_searchtodo RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
)


def _only_postgres(statements: tuple[str, ...]) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        for statement in statements if editor.connection.vendor == "postgresql" else ():
            editor.execute(statement)

    return run


SEARCH_UPKEEP_OPERATION = migrations.RunPython(_only_postgres(SEARCH_UPKEEP), _only_postgres(SEARCH_UPKEEP_BEFORE))

IN_ROW = (
    # Bytes. Half a page: rows above are cut into pieces in a table of its own, each with a place in its index, after an
    # attempt to compress what is compressed already. At 2 KB, the default, that is every usual mail.
    "ALTER TABLE mailstore_blob SET (toast_tuple_target = 4080)",
    "ALTER TABLE mailstore_message SET (toast_tuple_target = 4080)",
)
IN_ROW_BEFORE = (
    "ALTER TABLE mailstore_blob RESET (toast_tuple_target)",
    "ALTER TABLE mailstore_message RESET (toast_tuple_target)",
)
IN_ROW_OPERATION = migrations.RunPython(_only_postgres(IN_ROW), _only_postgres(IN_ROW_BEFORE))
