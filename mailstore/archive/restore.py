"""An archive into a mailbox that holds nothing.

The whole archive is verified before anything is changed. Then the numbers that may never go back (next id, modseq,
UIDNEXT) come first, so mail that arrives meanwhile fits in; then rows in slices; then counters, computed anew. One that
was killed left a mailbox that isn't empty: `replace` clears it and begins again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.archive.form import members, verify
from mailstore.archive.tables import BLOB, TABLES, AccountTable, is_packed, moved
from mailstore.blobs import Encoded
from mailstore.check_store import check_store
from mailstore.ledger import Ledger
from mailstore.models import Entry, Folder, Message, Recoverable
from mailstore.services.orders import give_up_orders

GROUP_BYTES = 4 << 20
COUNTERS = ("total", "unread", "starred", "bytes", "orders_kept", "orders_ready")
"""Of folders: computed anew, or begun anew when somebody asks."""
FOLDER = str(Folder._meta.label_lower)
MESSAGE = str(Message._meta.label_lower)


def restore_account(
    access: Access, path: Path, *, replace: bool = False, progress: Callable[[str], None] | None = None
) -> Counter[str]:
    """Restore into the mailbox of `access`; rows by table. Needs MANAGE. IN_USE when the mailbox holds mail (unless
    `replace`: all of it goes for good), INVALID (`problem`), NOT_FOUND. The quota is not asked."""
    access.require(Right.MANAGE)
    head = verify(path)
    mailbox = access.mailbox
    if _holds_mail(mailbox):
        if not replace:
            raise MailError(ErrorKind.IN_USE, mailbox=mailbox)
        _clear(mailbox)
    restoring = _Restoring(mailbox, head)
    for name, data in members(path):
        restoring.take(name, data)
        if progress is not None:
            progress(name)
    restoring.finish()
    return restoring.rows


def _holds_mail(mailbox: int) -> bool:
    return any(model.objects.filter(mailbox_id=mailbox).exists() for model in (Entry, Recoverable, Message))


def _clear(mailbox: int) -> None:
    """Everything of this mailbox, in slices, messages before what could tell that it is not empty. Blobs are collected
    later."""
    for table in [*TABLES.values()][::-1]:
        if table.label != FOLDER:
            _delete_rows(table, mailbox)
    for name in ("entrylabel", "entrychange", "searchtodo"):
        sql.run(f"DELETE FROM mailstore_{name} WHERE mailbox_id = %s", [mailbox])
    give_up_orders(mailbox)
    check_store(mailbox, repair=True)


def _delete_rows(table: AccountTable, mailbox: int) -> None:
    if table.label == MESSAGE:
        sql.run(
            "INSERT INTO mailstore_searchremoval (message_id, mailbox_id, blob_id) SELECT id, mailbox_id, blob_id "
            "FROM mailstore_message WHERE mailbox_id = %s ON CONFLICT (message_id) DO NOTHING",
            [mailbox],
        )
    rows = table.model._default_manager.filter(**{table.owner: mailbox})
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[: sql.SLICE]):
        rows.filter(pk__in=ids).delete()


class _Restoring:
    """Takes the members in their order."""

    def __init__(self, mailbox: int, head: dict[str, Any]) -> None:
        self._mailbox = mailbox
        self._source = int(head["mailbox"]["id"])
        self._head = head
        self._waiting: list[Encoded] = []
        self._waiting_bytes = 0
        self.rows: Counter[str] = Counter()

    def take(self, name: str, data: bytes) -> None:
        """One member; tables that this version doesn't know are left out."""
        if name.startswith("blobs/"):
            self._take_blob(data)
        elif name.startswith("rows/"):
            self._store_blobs()
            table = TABLES.get(name.split("/")[1])
            if table is not None:
                self._take_rows(table, [json.loads(line) for line in data.decode().splitlines()])

    def finish(self) -> None:
        """Counters, labels, the search index's work."""
        self._store_blobs()
        sql.run(
            "INSERT INTO mailstore_searchtodo (message_id, mailbox_id) SELECT id, mailbox_id FROM mailstore_message "
            "WHERE mailbox_id = %s ON CONFLICT (message_id) DO NOTHING",
            [self._mailbox],
        )
        check_store(self._mailbox, repair=True)
        with transaction.atomic():
            ledger = Ledger([self._mailbox])
            ledger.mailbox_modseq(self._mailbox)
            ledger.write()

    def _take_blob(self, content: bytes) -> None:
        self._waiting.append(blobs.encode(content))
        self._waiting_bytes += len(content)
        if self._waiting_bytes >= GROUP_BYTES:
            self._store_blobs()

    def _store_blobs(self) -> None:
        if self._waiting:
            with transaction.atomic():
                blobs.insert(self._waiting)
            self._waiting, self._waiting_bytes = [], 0

    def _take_rows(self, table: AccountTable, lines: list[dict[str, Any]]) -> None:
        known = _blob_ids(lines)
        fields = {field.attname: field for field in table.columns()}
        kept = [{name: value for name, value in line.items() if name in fields} for line in lines]
        values = [self._values(table, fields, line, known) for line in kept]
        with transaction.atomic():
            ledger = Ledger([self._mailbox])
            if table.label == FOLDER:
                self._begin(ledger)
            _insert(table, fields, values)
            ledger.write()
        self.rows[table.label] += len(values)

    def _begin(self, ledger: Ledger) -> None:
        """In the transaction of the first folders: theirs replace the new mailbox's, and no number goes back."""
        if self.rows[FOLDER] == 0:
            if _holds_mail(self._mailbox):  # it came since we looked
                raise MailError(ErrorKind.IN_USE, mailbox=self._mailbox)
            give_up_orders(self._mailbox)
            sql.run("DELETE FROM mailstore_folder WHERE mailbox_id = %s", [self._mailbox])
            for name in ("keyword", "expunged", "entrychange", "foldermark"):
                sql.run(f"DELETE FROM mailstore_{name} WHERE mailbox_id = %s", [self._mailbox])
        row = ledger.mailboxes[self._mailbox]
        row.next_id = max(row.next_id, int(self._head["mailbox"]["next_id"]))
        row.modseq = max(row.modseq, int(self._head["mailbox"]["modseq"])) + 1
        row.is_changed = True

    def _values(
        self,
        table: AccountTable,
        fields: dict[str, models.Field[Any, Any]],
        line: dict[str, Any],
        known: dict[str, int],
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in fields.items():
            value = line.get(name, field.get_default())
            if name == table.owner:
                value = self._mailbox
            elif name == BLOB and value is not None:
                value = known[value]
            elif is_packed(field):
                value = moved(value, self._source, self._mailbox)
            elif table.label == FOLDER and name in COUNTERS:
                value = 0
            found[name] = field.get_db_prep_save(field.to_python(value), connection)
        return found


def _blob_ids(lines: Sequence[dict[str, Any]]) -> dict[str, int]:
    hashes = sorted({bytes.fromhex(line[BLOB]) for line in lines if line.get(BLOB)})
    query = f"SELECT sha256, id FROM mailstore_blob WHERE sha256 IN ({sql.marks(hashes)})"
    return {bytes(digest).hex(): blob_id for digest, blob_id in sql.rows(query, hashes)}


def _insert(table: AccountTable, fields: dict[str, Any], values: Sequence[dict[str, Any]]) -> None:
    """A row that mail which arrived meanwhile has made already is left as it is."""
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields.values())
    statement = sql.insert(table.model._meta.db_table, columns) + " ON CONFLICT DO NOTHING"
    sql.run_many(statement, [tuple(row.values()) for row in values])
