"""Who looks at what: every selector and service of mail takes an `Access`, never a bare account id.

Made at the edge (web, SMTP, IMAP, POP, worker) from a signed-in account and a mailbox; shared
mailboxes, monitors, approvers and administrators are the same mechanism with other rights.
"""

from __future__ import annotations

import dataclasses
import enum

from core.errors import ErrorKind, MailError


class Right(enum.Flag):
    """What an actor may do in a mailbox."""

    READ = enum.auto()
    FLAG = enum.auto()
    INSERT = enum.auto()
    MOVE = enum.auto()
    DELETE = enum.auto()
    FOLDERS = enum.auto()
    SEND = enum.auto()
    MANAGE = enum.auto()


OWNER = Right.READ | Right.FLAG | Right.INSERT | Right.MOVE | Right.DELETE | Right.FOLDERS | Right.SEND | Right.MANAGE
READER = Right.READ
EDITOR = Right.READ | Right.FLAG | Right.INSERT | Right.MOVE | Right.DELETE | Right.FOLDERS


@dataclasses.dataclass(frozen=True, slots=True)
class Via:
    """How somebody came: the protocol, the program as it calls itself, the address it came from. For the record."""

    protocol: str = ""
    program: str = ""
    remote_address: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """`actor` (account id, 0 for the system itself) works in `mailbox` with `rights`.

    `unlocked` holds the ids of locked folders opened for this session; `via` is what the deletion log says.
    """

    actor: int
    mailbox: int
    rights: Right
    unlocked: frozenset[int] = frozenset()
    via: Via = Via()

    def require(self, right: Right) -> None:
        """Raise NO_PERMISSION unless every bit of `right` is held."""
        if right not in self.rights:
            raise MailError(ErrorKind.NO_PERMISSION, right=str(right.name))

    def may(self, right: Right) -> bool:
        """Whether every bit of `right` is held (for drawing a page)."""
        return right in self.rights


def system_access(mailbox: int, *, via: Via = Via()) -> Access:
    """The delivery path, workers and maintenance act with every right and no actor."""
    return Access(actor=0, mailbox=mailbox, rights=OWNER, via=via)
