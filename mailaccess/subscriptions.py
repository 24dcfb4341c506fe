"""Subscriptions (RFC 9051 6.3.7): until an account changes them, every mailbox of its own is subscribed."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account
from core.access import Via
from core.errors import ErrorKind, MailError
from mailaccess.directory import Directory, canonical
from mailaccess.models import Subscription, SubscriptionList
from mailstore.services.folders import announce

MAX_SUBSCRIPTIONS = 2_000


def subscribed(account: Account) -> set[str]:
    """The names."""
    if SubscriptionList.objects.filter(account=account).exists():
        return set(Subscription.objects.filter(account=account).values_list("name", flat=True))
    return {each.name for each in Directory(account, Via()).names(only_own=True)}


def subscribe(account: Account, name: str) -> None:
    """Remember a name, whether there is such a mailbox or not (RFC 9051 6.3.7). LIMIT."""
    with transaction.atomic():
        _begin(account)
        if Subscription.objects.filter(account=account).count() >= MAX_SUBSCRIPTIONS:
            raise MailError(ErrorKind.LIMIT, limit=MAX_SUBSCRIPTIONS)
        Subscription.objects.get_or_create(account=account, name=canonical(name))
        announce(Directory(account, Via()).own)


def unsubscribe(account: Account, name: str) -> None:
    """Forget a name; NOT_FOUND when it is not subscribed."""
    with transaction.atomic():
        _begin(account)
        if not Subscription.objects.filter(account=account, name=canonical(name)).delete()[0]:
            raise MailError(ErrorKind.NOT_FOUND)
        announce(Directory(account, Via()).own)


def _begin(account: Account) -> None:
    """The first change writes down what was subscribed by itself."""
    _, made = SubscriptionList.objects.get_or_create(account=account)
    if made:
        names = [each.name for each in Directory(account, Via()).names(only_own=True)]
        Subscription.objects.bulk_create(
            [Subscription(account=account, name=name) for name in names], ignore_conflicts=True
        )
