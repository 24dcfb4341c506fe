"""What a client that used NOTIFY hears of mailboxes that it hasn't selected (RFC 5465).

A picture of everything watched is compared with the last one whenever a watched mailbox changes; so no event is lost,
however they come, and many of them are one answer. A picture costs a query for each mailbox of a person, not for each folder.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mailaccess.directory import DELIMITER, Directory, Named, canonical, is_others
from mailaccess.imap.feed import feed
from mailaccess.imap.grammar.notify import Asked, Group
from mailaccess.models import Annotation
from mailaccess.subscriptions import subscribed
from mailstore.selectors.folders import FolderRow

LOOK_S = 60.0
"""Grants come and go without a word in the feed: a picture is taken this often whatever is heard."""

Wake = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that may be told, at one moment."""

    names: dict[str, Named]
    subscriptions: frozenset[str]
    notes: dict[tuple[int, str], bytes]
    """(folder or 0, entry) to the digest of its value."""

    def by_id(self) -> dict[int, str]:
        """Folder to name."""
        return {named.folder.id: name for name, named in self.names.items() if named.folder is not None}


@dataclass(slots=True)
class Watch:
    """One session's. `groups` are those of other mailboxes; `selected` is what it wants of the selected one."""

    asked: Asked
    names: dict[int, list[str]]
    """Of a group, by its place: its names, decoded."""
    picture: Picture
    listeners: set[Wake] = field(default_factory=set)
    is_woken: bool = False
    _heard: set[int] = field(default_factory=set)
    _timer: asyncio.TimerHandle | None = None

    # Waking ---------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something happened in a watched mailbox."""
        self.is_woken = True
        for listener in list(self.listeners):
            listener()

    def listen(self) -> None:
        """Hear of every mailbox that has watched folders; call it again when the picture changed."""
        wanted = {each.access.mailbox for each in self.picture.names.values() if each.access is not None}
        wanted = wanted if self.asked.groups else set()
        for mailbox in wanted - self._heard:
            feed.listen(mailbox, self.wake)
        for mailbox in self._heard - wanted:
            feed.leave(mailbox, self.wake)
        self._heard = wanted
        if self._timer is None and wanted:
            self._look_again()

    def close(self) -> None:
        """Hear of nothing any more."""
        for mailbox in self._heard:
            feed.leave(mailbox, self.wake)
        self._heard = set()
        if self._timer is not None:
            self._timer.cancel()

    def _look_again(self) -> None:
        if self._timer is not None:
            self.wake()
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look_again)

    # What is watched ------------------------------------------------------------------------------

    def events(self, name: str, *, picture: Picture) -> set[str]:
        """Everything that some group wants of a mailbox (RFC 5465 6: several may apply)."""
        found: set[str] = set()
        for place, group in enumerate(self.asked.groups):
            if self._matches(group, self.names.get(place, []), name, picture):
                found |= group.events
        return found

    def _matches(self, group: Group, names: list[str], name: str, picture: Picture) -> bool:
        if group.where in {"personal", "inboxes"}:
            return not is_others(name)  # rules deliver anywhere, so every folder is an inbox (RFC 5465 6.3)
        if group.where == "subscribed":
            return name in picture.subscriptions
        if group.where == "subtree":
            return any(name == each or name.startswith(each + DELIMITER) for each in names)
        return group.where == "mailboxes" and name in names

    @property
    def wants_notes(self) -> bool:
        """Whether metadata is looked at."""
        return any(group.events & {"MailboxMetadataChange", "ServerMetadataChange"} for group in self.asked.groups)

    # Differences ----------------------------------------------------------------------------------

    def absorb(self, now: Picture) -> None:
        """What this session did itself to names, subscriptions and metadata is no news; counters still are."""
        before = self.picture.by_id()
        kept = {
            name: self.picture.names[before[named.folder.id]]
            if named.folder is not None and before.get(named.folder.id) == name
            else named
            for name, named in now.names.items()
        }
        self.picture = Picture(kept, now.subscriptions, now.notes)

    def counted(self, now: Picture, selected: str | None) -> Iterator[tuple[Named, set[str]]]:
        """Mailboxes whose messages changed: with `new` when they came or went, and `flags`."""
        before = self.picture.by_id()
        for name, named in now.names.items():
            if named.folder is None or name == selected or named.folder.id not in before:
                continue
            wanted = self.events(name, picture=now)
            what = _changes(self.picture.names[before[named.folder.id]].folder, named.folder)
            kinds = {"new"} & what if "MessageNew" in wanted else set()
            kinds |= {"flags", "unseen"} & what if "FlagChange" in wanted else set()
            if kinds:
                yield named, kinds

    def renamed(self, now: Picture) -> Iterator[tuple[str, str]]:
        """(old, new) of mailboxes; not of those below a renamed one (RFC 5465 5.4)."""
        before, after = self.picture.by_id(), now.by_id()
        pairs = {before[each]: after[each] for each in before.keys() & after.keys() if before[each] != after[each]}
        for old, new in pairs.items():
            above_old, _, last_old = old.rpartition(DELIMITER)
            above_new, _, last_new = new.rpartition(DELIMITER)
            if not (last_old == last_new and pairs.get(above_old) == above_new):
                yield old, new

    def made_and_gone(self, now: Picture) -> tuple[list[str], list[str]]:
        """Names of new mailboxes and of those that are no more."""
        before, after = self.picture.by_id(), now.by_id()
        return (
            [after[each] for each in after.keys() - before.keys()],
            [before[each] for each in before.keys() - after.keys()],
        )


def take_picture(directory: Directory, *, with_notes: bool) -> Picture:
    """Everything now: a query for the grants, one for each mailbox, one or two for subscriptions, one for metadata."""
    names = {each.name: each for each in directory.names()}
    notes: dict[tuple[int, str], bytes] = {}
    if with_notes:
        mailboxes = {each.access.mailbox for each in names.values() if each.access is not None}
        rows = Annotation.objects.filter(account__in=mailboxes, reader__in=[0, directory.account.pk])
        own = directory.account.pk
        for account, folder_id, name, value in rows.values_list("account", "folder_id", "name", "value"):
            if folder_id or account == own:
                notes[(folder_id, name)] = hashlib.sha256(bytes(value)).digest()
    return Picture(names, frozenset(subscribed(directory.account)), notes)


def names_of(asked: Asked, decode: Callable[[bytes], str]) -> dict[int, list[str]]:
    """The names of each group that has some."""
    return {place: [canonical(decode(name)) for name in group.names] for place, group in enumerate(asked.groups)}


def _changes(before: FolderRow | None, after: FolderRow) -> set[str]:
    if before is None or (before.highestmodseq, before.total, before.uidnext, before.uidvalidity) == (
        after.highestmodseq,
        after.total,
        after.uidnext,
        after.uidvalidity,
    ):
        return set()
    moved = (before.total, before.uidnext) != (after.total, after.uidnext)
    return {"new" if moved else "flags"} | ({"unseen", "flags"} if before.unread != after.unread else set())
