"""Sentences for what the services refuse, and the forms that the administration and other pages share."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
)

from accounts.models import Account
from accounts.models.domains import MEBIBYTE
from accounts.password_rules import MIN_LENGTH, problems_of
from accounts.services import set_password
from accounts.sign_in import SignInError, prove
from core.errors import ErrorKind, MailError

PASSWORD_PROBLEMS: dict[str, str | Promise] = {
    "too_short": _("The password needs at least %(min)d characters."),
    "too_long": _("The password is too long."),
    "characters": _("The password has characters that mail programs can't send."),
    "account_name": _("The password is too close to the account's name."),
    "too_common": _("This password is one of the first that attackers try."),
}

SENTENCES: dict[ErrorKind, str | Promise] = {
    ErrorKind.NOT_FOUND: _("This does not exist."),
    ErrorKind.EXISTS: _("This name is already in use."),
    ErrorKind.NO_PERMISSION: _("You may not do this."),
    ErrorKind.IN_USE: _("This is in use and can't be changed or deleted now."),
    ErrorKind.LIMIT: _("The limit of %(limit)s is reached."),
    ErrorKind.INVALID: _("This value is not valid."),
}

EXPLAINERS: list[Callable[[MailError], str | None]] = []
"""Upper layers say more about their own refusals; the first that answers is heard."""


def password_problem(code: str) -> str:
    """What is wrong with a password, in the reader's language (a lazy text that is filled in early has the server's)."""
    text = str(PASSWORD_PROBLEMS[code])
    return text % {"min": MIN_LENGTH} if "%(" in text else text


def sentences(error: MailError) -> list[str]:
    """What to tell the reader about a refusal, in his language."""
    for explain in EXPLAINERS:
        if said := explain(error):
            return [said]
    problems = error.data.get("problems")
    if isinstance(problems, list):
        return [password_problem(problem) for problem in problems]
    text = str(SENTENCES.get(error.kind, _("This is not possible now.")))
    return [text % error.data if "%(" in text else text]


class MebibyteField(forms.IntegerField):
    """A size that people enter in MB and tables keep in bytes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=2**40, widget=UnfoldAdminIntegerFieldWidget(), **options)

    def prepare_value(self, value: Any) -> Any:
        """Bytes (from the row) to MB; what was typed stays as it is."""
        return value // MEBIBYTE if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        """MB to bytes."""
        size = super().clean(value)
        return None if size is None else size * MEBIBYTE

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared in MB, so that an odd number of bytes isn't rounded by looking at it."""
        return super().has_changed(self.prepare_value(initial), data)


class TimeZoneField(forms.ChoiceField):
    """A zone that this machine knows."""

    def __init__(self, **options: Any) -> None:
        zones = [(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name or name == "UTC"]
        super().__init__(choices=zones, widget=UnfoldAdminSelectWidget(), **options)


class NewPassword(forms.Form):
    """A password, twice. `account` may be a new, unsaved one."""

    first, second = "password1", "password2"

    def checked(self, account: Account) -> str:
        """The password when both agree and it is good; errors land in the fields."""
        password = str(self.cleaned_data.get(self.first) or "")
        if password != str(self.cleaned_data.get(self.second) or ""):
            self.add_error(self.second, gettext("The two passwords are different."))
        for problem in problems_of(password, address=account.address, name=account.name):
            self.add_error(self.first, password_problem(problem))
        return password


def password_field(label: Any, *, required: bool = True, autocomplete: str = "new-password") -> forms.CharField:
    """A field whose spaces count."""
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, required=required, widget=widget, max_length=1024)


class SetPasswordForm(NewPassword):
    """An administrator gives somebody a new password."""

    password1 = password_field(_("New password"))
    password2 = password_field(_("New password again"))

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean(self) -> dict[str, Any]:
        """Both fields."""
        self.checked(self.account)
        return self.cleaned_data


class OwnPasswordForm(NewPassword):
    """The owner changes his password; the names of the fields are those of Django's page."""

    first, second = "new_password1", "new_password2"
    old_password = password_field(_("Old password"), autocomplete="current-password")
    new_password1 = password_field(_("New password"))
    new_password2 = password_field(_("New password again"))

    def __init__(self, user: Account, *args: Any, remote_address: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.remote_address = remote_address

    def clean_old_password(self) -> str:
        """Checked like a sign-in: throttled, and recorded when it is wrong."""
        secret = str(self.cleaned_data["old_password"])
        try:
            prove(self.user, secret, remote_address=self.remote_address)
        except SignInError as error:
            raise ValidationError(_refusal(error)) from None
        return secret

    def clean(self) -> dict[str, Any]:
        """The new one."""
        self.checked(self.user)
        return self.cleaned_data

    def save(self) -> Account:
        """Write it; every other session ends."""
        set_password(self.user, str(self.cleaned_data[self.first]), actor=self.user)
        return self.user


def _refusal(error: SignInError) -> str:
    if error.retry_after_s:
        return gettext("Too many attempts. Try again in %(seconds)d seconds.") % {"seconds": error.retry_after_s}
    return gettext("The old password is wrong.")
