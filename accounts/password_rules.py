"""What a new password must be. Answers codes; sentences are written where they are shown (accounts/forms.py)."""

from __future__ import annotations

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from accounts.models import Account
from accounts.verifiers import MAX_SECRET
from core.errors import ErrorKind, MailError

MIN_LENGTH = 8
_common = CommonPasswordValidator()


def problems_of(password: str, *, address: str, name: str = "") -> list[str]:
    """Every rule that `password` breaks: too_short, too_long, characters, account_name, too_common."""
    found = []
    if len(password) < MIN_LENGTH:
        found.append("too_short")
    if len(password) > MAX_SECRET:
        found.append("too_long")
    if not password.isprintable():
        found.append("characters")
    if _resembles(password.lower(), address=address, name=name):
        found.append("account_name")
    if _is_common(password):
        found.append("too_common")
    return found


def require_good(password: str, account: Account) -> None:
    """Raise INVALID with the list of problems."""
    problems = problems_of(password, address=account.address, name=account.name)
    if problems:
        raise MailError(ErrorKind.INVALID, field="password", problems=problems)


def _resembles(password: str, *, address: str, name: str) -> bool:
    """Nothing but the account's name, address or person, with at most two characters around it."""
    local_part = address.partition("@")[0]
    return any(
        known in password and len(password) <= len(known) + 2 for known in (local_part, address, name.lower()) if known
    )


def _is_common(password: str) -> bool:
    try:
        _common.validate(password)
    except ValidationError:
        return True
    return False
