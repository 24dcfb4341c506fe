"""Annotations of mailboxes and of the server (RFC 5464): small values that mail programs leave for each other."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailaccess.models import Annotation
from mailstore.services.folders import announce

MAX_VALUE_BYTES = 10_240
MAX_ENTRIES = 100
"""In one mailbox for one reader; of a server too."""


@transaction.atomic
def set_annotations(access: Access, folder_id: int, changes: Mapping[str, bytes | None]) -> None:
    """Write or remove (None) entries by full name, all or none. `folder_id` 0 is the server as this account sees it.

    `/private/…` is the actor's alone and needs READ, `/shared/…` needs FOLDERS. TOO_LARGE, LIMIT.
    """
    for name, value in changes.items():
        reader = reader_of(access, name)
        access.require(Right.READ if reader else Right.FOLDERS)
        if value is not None and len(value) > MAX_VALUE_BYTES:
            raise MailError(ErrorKind.TOO_LARGE, limit=MAX_VALUE_BYTES)
        here = Annotation.objects.filter(account=access.mailbox, folder_id=folder_id, reader=reader)
        if value is None:
            here.filter(name=name).delete()
        elif not here.filter(name=name).update(value=value):
            if here.count() >= MAX_ENTRIES:
                raise MailError(ErrorKind.LIMIT, limit=MAX_ENTRIES)
            here.create(account_id=access.mailbox, folder_id=folder_id, reader=reader, name=name, value=value)
    announce(access)


def copy_annotations(access: Access, source_id: int, folder_id: int) -> None:
    """Everybody's, to a mailbox that is new (RFC 5464 4.1: a renamed INBOX keeps its own). In the caller's transaction."""
    rows = Annotation.objects.filter(account=access.mailbox, folder_id=source_id)
    copies = [
        Annotation(account_id=access.mailbox, folder_id=folder_id, reader=each.reader, name=each.name, value=each.value)
        for each in rows
    ]
    Annotation.objects.bulk_create(copies)


def forget_annotations(access: Access, folder_id: int) -> None:
    """Of a mailbox that is gone (RFC 5464 4.1)."""
    Annotation.objects.filter(account=access.mailbox, folder_id=folder_id).delete()


def annotations_of(access: Access, folder_id: int) -> dict[str, bytes]:
    """Everything that the actor may read there, by full name. Needs READ."""
    access.require(Right.READ)
    rows = Annotation.objects.filter(account=access.mailbox, folder_id=folder_id, reader__in=[0, access.actor])
    return {name: bytes(value) for name, value in rows.order_by("name").values_list("name", "value")}


def reader_of(access: Access, name: str) -> int:
    """Whose an entry is: the actor's, or (0) everybody's."""
    return access.actor if name.startswith("/private/") else 0
