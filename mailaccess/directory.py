"""The mailboxes that a mail program sees, by name: one's own folders, and those granted by others (RFC 2342).

`INBOX` and the names below it are one's own; another person's are under `Other Users/<address>/`. "/" separates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from accounts.models import Account
from accounts.selectors import access_for, mailboxes_of
from core.access import Access, Right, Via
from core.errors import ErrorKind, MailError
from mailstore.models import Role
from mailstore.selectors.folders import FolderRow, folder, folder_by_path, folder_tree

DELIMITER = "/"
OTHERS = "Other Users"
SPECIAL_USE = {
    Role.DRAFTS: "\\Drafts",
    Role.SENT: "\\Sent",
    Role.TRASH: "\\Trash",
    Role.JUNK: "\\Junk",
}
"""RFC 6154."""


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A name: with its folder, or only a level on the way to one (`folder` None, `\\Noselect`)."""

    name: str
    access: Access | None = None
    folder: FolderRow | None = None
    has_children: bool = False

    @property
    def special_use(self) -> str:
        """`\\Sent` and the like, of one's own folders and others' alike; empty for none."""
        return SPECIAL_USE.get(Role(self.folder.role), "") if self.folder else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Directory:
    """Everything that a signed-in program may name. `via` goes into the record of what it deletes."""

    account: Account
    via: Via

    def names(self, *, only_own: bool = False) -> list[Named]:
        """All names, parents before children, INBOX first. A query for each mailbox and one for the grants."""
        found = [*self._of(self.own, "")]
        if only_own:
            return found
        others = [each for each in mailboxes_of(self.account) if each.id != self.account.pk]
        if others:
            found.append(Named(OTHERS, has_children=True))
        for row in others:
            prefix = f"{OTHERS}{DELIMITER}{row.address}"
            found.append(Named(prefix, has_children=True))
            found += self._of(access_for(self.account, row.id, via=self.via), prefix + DELIMITER)
        return found

    @property
    def own(self) -> Access:
        """The account in its own mailbox."""
        return access_for(self.account, self.account.pk, via=self.via)

    def find(self, name: str) -> Named:
        """The mailbox with this name; INBOX in any case. NOT_FOUND also for a level without mail."""
        wanted = canonical(name)
        for each in self.names(only_own=not is_others(wanted)):
            if each.name == wanted and each.folder is not None:
                return each
        raise MailError(ErrorKind.NOT_FOUND, name=name)

    def folder(self, name: str) -> tuple[Access, FolderRow]:
        """As `find`, for who needs the folder alone: one's own is found without a look at all others. Of the locked ones
        this access opens no other."""
        wanted = canonical(name)
        if not is_others(wanted):
            access, levels = self.own, wanted.split(DELIMITER)
            way = folder_by_path(access, levels)
            if len(way) == len(levels) and all(row.imap_visible and not row.is_hidden for row in way):
                return _opening(access, way[-1])
        named = self.find(name)
        assert named.access is not None
        assert named.folder is not None
        return named.access, named.folder

    def place(self, name: str) -> tuple[Access, int, list[str]]:
        """Where a new name would go: whose mailbox, the deepest folder that exists (0: the top), the levels to make.
        EXISTS when all of it is there, NO_PERMISSION outside of what is one's own or granted."""
        wanted = canonical(name.rstrip(DELIMITER))
        known = {each.name: each for each in self.names(only_own=not is_others(wanted))}
        levels = wanted.split(DELIMITER)
        skip = 0
        access = self.own
        if is_others(wanted):
            skip = 2
            owner = next(
                (each for each in known.values() if each.name.startswith(DELIMITER.join(levels[:2]) + DELIMITER)), None
            )
            if owner is None or owner.access is None or len(levels) < 3:
                raise MailError(ErrorKind.NO_PERMISSION)
            access = owner.access
        parent, there = 0, skip
        for count in range(skip + 1, len(levels) + 1):
            here = known.get(DELIMITER.join(levels[:count]))
            if here is None or here.folder is None:
                break
            parent, there = here.folder.id, count
        if there == len(levels):
            raise MailError(ErrorKind.EXISTS, name=name)
        return access, parent, levels[there:]

    def _of(self, access: Access, prefix: str) -> Iterator[Named]:
        if not access.may(Right.READ):
            return
        access, tree = opened(access)
        rows = [row for row in tree if row.imap_visible and not row.is_hidden]
        shown = {row.id for row in rows}
        parents = {row.parent_id for row in rows}
        paths: dict[int, str] = {}
        for row in rows:
            if row.parent_id and row.parent_id not in shown:
                continue  # below a hidden folder
            paths[row.id] = (
                f"{paths[row.parent_id]}{DELIMITER}{row.name}" if row.parent_id in paths else prefix + row.name
            )
            yield Named(paths[row.id], access, row, row.id in parents)


def opened(access: Access) -> tuple[Access, list[FolderRow]]:
    """The folders of a mailbox. A lock is the web's: its owner's programs see what he does not hide from them."""
    tree = folder_tree(access)
    locked = frozenset(row.id for row in tree if row.is_locked and row.imap_visible)
    if not locked or access.actor != access.mailbox:
        return access, tree
    access = dataclasses.replace(access, unlocked=access.unlocked | locked)
    return access, folder_tree(access)


def _opening(access: Access, row: FolderRow) -> tuple[Access, FolderRow]:
    """As `opened`, of one folder."""
    if not row.is_locked:
        return access, row
    access = dataclasses.replace(access, unlocked=access.unlocked | {row.id})
    return access, folder(access, row.id)


def canonical(name: str) -> str:
    """INBOX is INBOX in any case, also as the first level of a name (RFC 9051 5.1)."""
    first, delimiter, rest = name.partition(DELIMITER)
    return f"INBOX{delimiter}{rest}" if first.upper() == "INBOX" else name


def is_others(name: str) -> bool:
    """Whether a name lies in the namespace of other people's mailboxes."""
    return name == OTHERS or name.startswith(OTHERS + DELIMITER)
