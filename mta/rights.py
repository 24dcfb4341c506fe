"""Whether an account may send this mail to these people (A21.3): its own limits within its domain's."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from accounts.domain_names import domain_named
from accounts.models import Account, AccountRights
from accounts.selectors import groups_leaving
from core.errors import ErrorKind, MailError
from mailstore.message import read


def check_rights(account: Account, rights: AccountRights, recipients: Sequence[str], raw: bytes) -> None:
    """Raises TOO_LARGE (`limit_bytes`; `part` attachment), LIMIT (`limit`), NO_PERMISSION (`address` outside; `part`
    members for a group with members there)."""
    limit_bytes = size_limit(account, rights)
    if len(raw) > limit_bytes:
        raise MailError(ErrorKind.TOO_LARGE, limit_bytes=limit_bytes)
    limit = recipient_limit(account, rights)
    if len(recipients) > limit:
        raise MailError(ErrorKind.LIMIT, field="recipients", limit=limit)
    if not rights.sends_outside:
        require_inside(account, recipients)
    most = rights.attachment_max_bytes
    if most is not None and len(raw) > most and any(each.size_bytes > most for each in read(raw).attachments):
        raise MailError(ErrorKind.TOO_LARGE, limit_bytes=most, part="attachment")


def size_limit(account: Account, rights: AccountRights) -> int:
    """Bytes of the largest mail it may send."""
    own = rights.message_max_bytes
    limit_bytes = min(account.domain.message_max_bytes, int(settings.MESSAGE_MAX_BYTES))
    return limit_bytes if own is None else min(limit_bytes, own)


def recipient_limit(account: Account, rights: AccountRights) -> int:
    """Recipients of one mail, Cc and Bcc included."""
    own = rights.max_recipients
    return account.domain.max_recipients if own is None else min(account.domain.max_recipients, own)


def require_inside(account: Account, recipients: Sequence[str]) -> None:
    """Raises NO_PERMISSION for the first address of another company, or of a group that leads to one (`part` members)."""
    for address in recipients:
        if is_outside(account.domain_id, address):
            raise MailError(ErrorKind.NO_PERMISSION, address=address, part="outside")
    for address in groups_leaving(recipients, account.domain_id):
        raise MailError(ErrorKind.NO_PERMISSION, address=address, part="members")


def is_outside(domain_id: int, address: str) -> bool:
    """Whether it is an address of another company, here or elsewhere."""
    domain = domain_named(address.rpartition("@")[2])
    return domain is None or domain.id != domain_id
