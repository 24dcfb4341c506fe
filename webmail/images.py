"""Remote pictures of mail: whether they are shown, and the fetching of one through us.

A sender learns from a picture only that this server fetched it: not the reader's address, program or cookies. The
reader decides once for a mail or always for a sender; in Junk never.
"""

from __future__ import annotations

import threading

from django.conf import settings

from core import net
from core.access import Access
from core.errors import ErrorKind, MailError
from core.net import Fetched
from documents.filetype import content_type_of
from mailstore.message import Readable
from mailstore.models import Role
from mailstore.selectors.entries import EntryRow
from webmail.models import ImageSender
from webmail.reading import VIEWABLE

MAX_BYTES = 8 * 1024 * 1024
TIMEOUT_S = 8.0
_OTHER_NAMES = {"image/jpg", "image/pjpeg", "application/octet-stream", "binary/octet-stream"}
"""What servers call pictures; the bytes decide."""

# Slow servers must not take every thread of this process from people who read.
_places = threading.BoundedSemaphore(max(2, settings.WEB_THREADS // 2))


def shown(access: Access, entry: EntryRow, readable: Readable, *, asked: bool) -> bool:
    """Whether this mail's remote pictures are shown to this reader now."""
    if entry.folder_role == Role.JUNK or readable.html is None:
        return False
    return asked or is_trusted(access.actor, entry.sender_address)


def is_trusted(account_id: int, address: str) -> bool:
    """Whether the account always shows pictures of this sender."""
    return bool(address) and ImageSender.objects.filter(account_id=account_id, address=address.lower()).exists()


def trust(account_id: int, address: str) -> None:
    """From now on show pictures of this sender to the account."""
    if address:
        ImageSender.objects.get_or_create(account_id=account_id, address=address.lower()[:320])


def fetch(url: str) -> Fetched:
    """A remote picture, by its bytes one of the raster types; raises MailError as `core.net.fetch` does."""
    if not _places.acquire(timeout=TIMEOUT_S):
        raise MailError(ErrorKind.UNAVAILABLE, url=url)
    try:
        fetched = net.fetch(url, max_bytes=MAX_BYTES, timeout_s=TIMEOUT_S, content_types=VIEWABLE | _OTHER_NAMES)
    finally:
        _places.release()
    found = content_type_of("", fetched.content, fetched.content_type)
    if found not in VIEWABLE:
        raise MailError(ErrorKind.UNAVAILABLE, url=url, content_type=found)
    return Fetched(found, fetched.content)
