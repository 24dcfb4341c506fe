"""Mail that the system writes to people of its own: from postmaster, in the reader's language, never answered by
machines (RFC 3834 5)."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Account
from mailstore.message import Address, Outgoing, compose
from mailstore.services.deliver import Incoming, Placement, prepare

Words = Callable[[], tuple[str, str]]
"""Subject and text, asked for in the reader's language."""


def notice(reader: Account, words: Words) -> Incoming[None]:
    """A notice for the inbox of `reader` (its domain loaded), to be given to `store`."""
    with translation.override(reader.language):
        subject, text = words()
        name = _("Mail system")
    message = compose(
        Outgoing(
            from_=Address(name, f"postmaster@{reader.domain.name}"),
            to=[Address(reader.name, reader.address)],
            subject=subject,
            text=text,
            extra_headers={"Auto-Submitted": "auto-generated"},
        )
    )
    return Incoming(prepare(message, trace=b"Return-Path: <>\r\n"), [Placement(reader.pk)])
