"""What IMAP's `\\Recent` needs to outlive a process."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection, transaction


def keep_recent(told: Mapping[int, int]) -> None:
    """Folder to the highest UID that some session was told of; never goes back, a folder that is gone is passed over.
    The folders are those that sessions have open. One transaction; no modseq, nobody is told."""
    statement = "UPDATE mailstore_folder SET recent_uid = %s WHERE id = %s AND recent_uid < %s"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, [(uid, folder_id, uid) for folder_id, uid in sorted(told.items())])
