"""Black and white lists: entries are put on, changed sides, taken off."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account, Domain
from accounts.services.permission import audit, require_admin
from core.errors import ErrorKind, MailError
from mta.models import ListedSender
from mta.senders import LISTED_MAX, canonical_pattern

Wish = ListedSender.Wish


@transaction.atomic
def list_sender(
    domain: Domain, pattern: str, wish: str, *, account: Account | None = None, actor: Account | None = None
) -> ListedSender:
    """Put an address or a domain on a list of `account`, or of everybody in `domain`; one that is on the other list
    changes sides. Obeyed within seconds.

    An account may keep its own lists. Raises INVALID, LIMIT (500 in a list), NO_PERMISSION, NOT_FOUND.
    """
    _require(domain, account, actor)
    if wish not in Wish.values:
        raise MailError(ErrorKind.INVALID, field="wish")
    canonical = canonical_pattern(pattern)
    Domain.objects.select_for_update().get(pk=domain.pk)
    same = ListedSender.objects.filter(domain=domain, account=account)
    if same.filter(wish=wish).exclude(pattern=canonical).count() >= LISTED_MAX:
        raise MailError(ErrorKind.LIMIT, limit=LISTED_MAX)
    entry, is_new = same.get_or_create(pattern=canonical, defaults={"domain": domain, "account": account, "wish": wish})
    if not is_new and entry.wish != wish:
        entry.wish = wish
        entry.save(update_fields=["wish"])
    _audit(actor, "list_sender", entry)
    return entry


@transaction.atomic
def unlist_sender(entry: ListedSender, *, actor: Account | None = None) -> None:
    """Take it off. Raises NO_PERMISSION, NOT_FOUND."""
    _require(entry.domain, entry.account, actor)
    _audit(actor, "unlist_sender", entry)
    entry.delete()


def _require(domain: Domain, account: Account | None, actor: Account | None) -> None:
    if account is not None and account.domain_id != domain.pk:
        raise MailError(ErrorKind.INVALID, field="account")
    if account is None or actor is None or actor.pk != account.pk:
        require_admin(actor, domain.pk)


def _audit(actor: Account | None, act: str, entry: ListedSender) -> None:
    if actor is not None and actor.pk == entry.account_id:
        return  # one's own list is no administrative act
    address = entry.account.address if entry.account else entry.domain.name
    audit(
        actor, act, domain_id=entry.domain_id, address=address, changes={"pattern": entry.pattern, "wish": entry.wish}
    )
