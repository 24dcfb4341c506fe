"""Conversations of one mail have no rows any more: what says so is taken out."""

from __future__ import annotations

from django.db import migrations

OWN_THREAD = "DELETE FROM mailstore_threadof WHERE thread_id = message_id"
OWN_REFERENCE = (
    "DELETE FROM mailstore_threadreference WHERE EXISTS (SELECT 1 FROM mailstore_message m "
    "WHERE m.mailbox_id = mailstore_threadreference.mailbox_id "
    "AND m.message_id_hash = mailstore_threadreference.message_id_hash)"
)
SINGLE = "DELETE FROM mailstore_folderthread WHERE total < 2"


class Migration(migrations.Migration):

    dependencies = [
        ("mailstore", "0010_todo_flags"),
    ]

    operations = [
        migrations.RunSQL([OWN_THREAD, OWN_REFERENCE, SINGLE], migrations.RunSQL.noop),
    ]
