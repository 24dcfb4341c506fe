"""The hook for tokens of an identity provider: a function of the installation's own, named by OAUTH_VERIFIER.

It takes the token and returns the address that the token proves, or None. It may ask the provider, so it runs on a
database thread, and what it raises is a refusal that is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

log = logging.getLogger(__name__)


def is_set() -> bool:
    """Whether tokens are taken at all."""
    return bool(settings.OAUTH_VERIFIER)


def address_of(token: str) -> str | None:
    """The address that a token proves."""
    verify = cast("Callable[[str], str | None]", import_string(settings.OAUTH_VERIFIER))
    try:
        return verify(token)
    except Exception:
        log.exception("OAUTH_VERIFIER failed")
        return None
