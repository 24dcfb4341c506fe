"""A disk without room: told apart from everything else that a database or a file system may refuse, because people and
other servers can be told what is the matter, and that nothing was lost."""

from __future__ import annotations

import errno
import sqlite3

from core.errors import ErrorKind, MailError

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_POSTGRES_DISK_FULL = "53100"
"""Class 53, insufficient resources (PostgreSQL, appendix A)."""


def is_full(error: BaseException) -> bool:
    """Whether this error, or what caused it, says that there is no room."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _ERRNOS:
            return True
        if isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return True
        if getattr(cause, "sqlstate", None) == _POSTGRES_DISK_FULL:
            return True
        cause = cause.__cause__
    return False


def refusal(error: BaseException) -> MailError:
    """What a service says instead: NO_SPACE, else UNAVAILABLE; both temporary."""
    return MailError(ErrorKind.NO_SPACE if is_full(error) else ErrorKind.UNAVAILABLE, error=str(error))
