"""The form of a new client code."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy as _

from accounts.models import Account
from accounts.selectors import client_codes_of
from accounts.services.client_codes import MAX_CODES, MAX_LABEL_CHARS
from accounts.sign_in import SignInError, prove


class ClientCodeForm(forms.Form):
    """What the code is for, and the password: who finds an open browser makes no code."""

    label = forms.CharField(label=_("What it is for"), max_length=MAX_LABEL_CHARS)
    password = forms.CharField(
        label=_("Your password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, account: Account, remote_address: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.remote_address = remote_address
        self.fields["label"].widget.attrs.update(
            autocomplete="off", placeholder=gettext("For example: Foxmail at work")
        )

    def clean(self) -> dict[str, Any]:
        """The limit first, then the password: checked like a sign-in, throttled and recorded when it is wrong."""
        if len(client_codes_of(self.account)) >= MAX_CODES:
            self.add_error("label", gettext("There may be %d codes at most.") % MAX_CODES)
        elif not self.errors:
            self._prove()
        return self.cleaned_data

    def _prove(self) -> None:
        try:
            prove(self.account, self.cleaned_data["password"], remote_address=self.remote_address)
        except SignInError as error:
            wrong = gettext("This is not your password.")
            wait = gettext("Too many attempts. Try again in %(seconds)d seconds.") % {"seconds": error.retry_after_s}
            self.add_error("password", ValidationError(wait if error.retry_after_s else wrong))
