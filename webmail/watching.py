"""Who looks at monitored mail is recorded, whichever page or file he opens."""

from __future__ import annotations

from django.http import HttpRequest

from core.access import Access
from mailstore.models import Role
from mailstore.selectors.entries import EntryRow
from mta.services.monitoring import note_views
from webmail.http import remote_address


def note(request: HttpRequest, access: Access, entry: EntryRow) -> None:
    """Before anything of the mail is shown; nothing for mail in other folders."""
    if entry.folder_role == Role.MONITOR:
        note_views(access, [entry.message_id], protocol="web", remote_address=remote_address(request))
