"""Signed links in mails: whoever has one may do the one thing that it names, without signing in, until it is too old.

Their pages are the project's; here they are known by URL name.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.urls import reverse

from core.errors import ErrorKind, MailError


@dataclasses.dataclass(frozen=True)
class SignedLink:
    """A kind of link. What one kind signed is worth nothing to another."""

    view: str
    """URL name of a page that takes a token."""
    salt: str
    max_age_s: int
    holds: tuple[type, ...]
    """The types of what it names."""

    def make(self, *values: int | str) -> str:
        """The whole address."""
        return page(self.view, signing.dumps(values, salt=self.salt))

    def read(self, token: str) -> tuple[Any, ...]:
        """What was given to `make`; NOT_FOUND for a token that is forged, of another kind, or too old."""
        try:
            values = signing.loads(token, salt=self.salt, max_age=self.max_age_s)
        except (signing.BadSignature, ValueError, TypeError):
            raise MailError(ErrorKind.NOT_FOUND) from None
        if not isinstance(values, list) or tuple(map(type, values)) != self.holds:
            raise MailError(ErrorKind.NOT_FOUND)
        return tuple(values)


def page(view: str, *args: object) -> str:
    """The whole address of a page, for a mail."""
    return str(urljoin(settings.BASE_URL, reverse(view, args=args)))
