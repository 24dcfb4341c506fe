"""How a command fails: NO with a response code (RFC 5530, RFC 9051 7.1), and the table from error kind to it."""

from __future__ import annotations

from core.errors import ErrorKind, MailError


class NoError(Exception):
    """The command was understood and not done. `code` is a response code without brackets, or empty."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class BadError(Exception):
    """The command makes no sense here; answered BAD."""


CODES: dict[ErrorKind, tuple[str, str]] = {
    ErrorKind.NOT_FOUND: ("NONEXISTENT", "No such mailbox or message"),
    ErrorKind.EXISTS: ("ALREADYEXISTS", "It exists already"),
    ErrorKind.NO_PERMISSION: ("NOPERM", "You have no right to do this"),
    ErrorKind.OVER_QUOTA: ("OVERQUOTA", "The mailbox is full"),
    ErrorKind.TOO_LARGE: ("TOOBIG", "The message is too large"),
    ErrorKind.IN_USE: ("INUSE", "It is in use: not empty"),
    ErrorKind.LIMIT: ("LIMIT", "A limit is reached"),
    ErrorKind.INVALID: ("CANNOT", "This value can't be used"),
    ErrorKind.UNAVAILABLE: ("UNAVAILABLE", "Not available now, try again later"),
}


def no_of(error: MailError) -> NoError:
    """The answer for an expected failure of the store."""
    code, text = CODES[error.kind]
    if error.kind is ErrorKind.LIMIT and "depth" in error.data:
        return NoError(code, f"Folders lie in {error.data['depth']} levels at most")
    if error.kind is ErrorKind.LIMIT and "limit" in error.data:
        return NoError(code, f"There may be {error.data['limit']} at most")
    if error.kind is ErrorKind.NO_PERMISSION and "locked" in error.data:
        return NoError("NOPERM", "The folder is locked")
    return NoError(code, text)
