"""The one vocabulary of expected failures; every protocol owns a table from kind to reply.

A service raises `MailError(kind, **data)`; no sentence is written here, because the sentence depends on
the protocol and on the reader's language. `data` carries what a sentence needs (names, limits, sizes).
"""

from __future__ import annotations

import enum


class ErrorKind(enum.Enum):
    """Why something was not done. Nothing was changed when one of these is raised."""

    NOT_FOUND = "not_found"
    EXISTS = "exists"
    NO_PERMISSION = "no_permission"
    OVER_QUOTA = "over_quota"
    TOO_LARGE = "too_large"
    IN_USE = "in_use"
    LIMIT = "limit"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    NO_SPACE = "no_space"
    """The server's own disk is full: temporary, nothing of the mailbox's owner."""


class MailError(Exception):
    """An expected failure of a service or selector; `kind` says which, `data` what a message needs."""

    def __init__(self, kind: ErrorKind, **data: object) -> None:
        super().__init__(kind.value, data)
        self.kind = kind
        self.data = data
