"""Django's view of signing in."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.models import Account
from accounts.sign_in import SignInError, sign_in
from core.prepared import Prepared

ACCOUNT = Prepared(lambda user_id: Account.objects.select_related("domain").filter(pk=user_id))


class AddressBackend(BaseBackend):
    """Accounts by address. Pages that tell why somebody was refused call `accounts.sign_in` themselves."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: object
    ) -> Account | None:
        """The account, or None whatever the reason; counted and recorded like every sign-in."""
        if username is None or password is None:
            return None
        host = request.get_host() if request else None
        remote_address = str(request.META.get("REMOTE_ADDR", "")) if request else ""
        try:
            return sign_in(username, password, host=host, protocol="web", remote_address=remote_address).account
        except SignInError:
            return None

    def get_user(self, user_id: int) -> Account | None:
        """The account of a session with its domain, in one query; None when it may no longer come in."""
        account = ACCOUNT.first(user_id)
        if account is None or not account.is_active or not account.is_in_force:
            return None
        return account
