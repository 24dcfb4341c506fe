"""Delivers the letters: those that arrive go the road of every stranger's mail, those that were sent are kept in Sent.

Arriving mail is handed to `mta.inbound.receive`, exactly as the SMTP service does after DATA: targets from the address
table, trace, steps, one group-committed transaction. What people have done with their mail since (read, starred,
filed, answered) is told by a step before storing, which is how rules act. Letters that are there already are left out,
so a run that was interrupted can be taken up.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import functools
import itertools
import random
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

from accounts.models import Account
from accounts.rows import AccountRow
from core.access import system_access
from mailstore.models import Flag, Role
from mailstore.selectors.entries import known_message_ids
from mailstore.selectors.folders import folder_tree
from mailstore.services.deliver import Incoming, Placement, deliver, prepare
from mta import steps
from mta.inbound.afterwards import Afterwards
from mta.inbound.receive import Transaction, receive
from mta.inbound.recipients import Refusal, Target, find_target
from mta.inbound.trace import Arrival, new_queue_id
from webmail.demo import company
from webmail.demo.mime import message_of
from webmail.demo.script import Letter

TOGETHER = 32
"""Letters on their way at once: they share commits, as in a busy hour."""
READ_AFTER = datetime.timedelta(days=2)


@dataclasses.dataclass(frozen=True, slots=True)
class Delivered:
    """How many letters arrived, and how many were sent by somebody here."""

    arrived: int
    sent: int


def deliver_all(letters: list[Letter], now: datetime.datetime) -> Delivered:
    """Every letter into every mailbox it belongs to; durable when this returns."""
    people = company.accounts()
    items = _items(letters, people)
    with _Plan(letters, people, now).registered():
        asyncio.run(_deliver(items))
    return Delivered(sum(bool(item.targets) for item in items), sum(item.author is not None for item in items))


@dataclasses.dataclass(frozen=True, slots=True)
class _Item:
    """What is to be done with a letter: deliver it to `targets`, keep a copy in the Sent folder of `author`."""

    letter: Letter
    targets: list[Target]
    author: Account | None


def _items(letters: list[Letter], people: dict[str, Account]) -> list[_Item]:
    """Only what no mailbox holds yet."""
    wanted = [letter.message_id for letter in letters]
    known = {account.pk: known_message_ids(system_access(account.pk), wanted) for account in people.values()}

    @functools.cache
    def target_of(address: str, sender: str) -> Target | Refusal:
        return find_target(address, sender=sender)

    items = []
    for letter in letters:
        addresses = [each.address for each in (*letter.to, *letter.cc)]
        found = [target_of(address, letter.sender.address) for address in addresses]
        targets = [target for target in found if isinstance(target, Target)]
        reached = [account.id for target in targets for account in target.accounts]
        if any(letter.message_id in known[account_id] for account_id in reached):
            targets = []
        author = people[letter.sender.key] if letter.sender.is_ours else None
        if author is not None and letter.message_id in known[author.pk]:
            author = None
        if targets or author is not None:
            items.append(_Item(letter, targets, author))
    return items


async def _deliver(items: list[_Item]) -> None:
    afterwards = Afterwards()
    for some in _slices(items):
        # Begun in the order of the letters, so that ids and UIDs rise with time as far as large mails let them.
        await asyncio.gather(*(step for item in some for step in _steps(item, afterwards)))
    await afterwards.flush(at_end=True)


def _steps(item: _Item, afterwards: Afterwards) -> Iterator[Coroutine[Any, Any, None]]:
    message = message_of(item.letter)
    if item.author is not None:
        yield _keep(item.letter, message, item.author)
    if item.targets:
        yield _arrive(item.letter, message, item.targets, afterwards)


async def _arrive(letter: Letter, message: bytes, targets: list[Target], afterwards: Afterwards) -> None:
    """Hand it over as the SMTP service does."""
    reached = [target.matched or target.accounts[0].address for target in targets]
    receipt = await receive(Transaction(_arrival(letter), letter.sender.address, reached, targets), message)
    afterwards.note(receipt.happened)
    afterwards.answered(receipt.digest)


async def _keep(letter: Letter, message: bytes, author: Account) -> None:
    """The copy in the author's 已发送."""
    placement = Placement(author.pk, role=Role.SENT, flags=int(Flag.SEEN), internal_us=_microseconds(letter.at))
    await asyncio.wrap_future(deliver(Incoming(prepare(message), [placement])))


def _arrival(letter: Letter) -> Arrival:
    at_s = letter.at.timestamp()
    if letter.sender.is_ours:
        return Arrival(new_queue_id(at_s), at_s, "office.example.test", "192.0.2.10", "ESMTPSA")
    dice = random.Random(letter.sender.address)
    host = f"mail.{letter.sender.address.rpartition('@')[2]}"
    return Arrival(new_queue_id(at_s), at_s, host, f"198.51.100.{dice.randint(2, 250)}", "ESMTPS")


class _Plan:
    """What the owner of each copy has done with it."""

    def __init__(self, letters: Iterable[Letter], people: dict[str, Account], now: datetime.datetime) -> None:
        self._letters = {letter.message_id: letter for letter in letters}
        self._now = now
        self._answered = {
            (letter.parent.message_id, letter.sender.key): Flag.FORWARDED if letter.is_forward else Flag.ANSWERED
            for letter in letters
            if letter.parent is not None
        }
        self._folders = {
            (name, path): folder_id for name, account in people.items() for path, folder_id in _paths(account).items()
        }

    @contextlib.contextmanager
    def registered(self) -> Iterator[None]:
        """The step is asked for every mail while this is open."""
        steps.register_before_store(steps.BeforeStore("demo", self._decide))
        try:
            yield
        finally:
            steps.BEFORE_STORE.pop("demo")

    def _decide(self, mail: steps.Mail, account: AccountRow, placement: Placement) -> Placement:
        letter = self._letters[_message_id(mail.header)]
        name = account.address.partition("@")[0]
        folder_id = self._folders[name, letter.filed[name]] if name in letter.filed else None
        return dataclasses.replace(
            placement,
            role=_role(letter),
            folder_id=folder_id,
            flags=int(self._flags(letter, name)),
        )

    def _flags(self, letter: Letter, name: str) -> Flag:
        flags = self._answered.get((letter.message_id, name), Flag(0))
        if name in letter.starred:
            flags |= Flag.FLAGGED
        if flags & (Flag.ANSWERED | Flag.FORWARDED) or self._is_read(letter, name):
            flags |= Flag.SEEN
        return flags

    def _is_read(self, letter: Letter, name: str) -> bool:
        if letter.unread is not None:
            return name not in letter.unread
        if letter.junk:
            return False
        if name == letter.sender.key or letter.trash:
            return True
        return self._now - letter.at > READ_AFTER


def _role(letter: Letter) -> Role:
    if letter.junk:
        return Role.JUNK
    return Role.TRASH if letter.trash else Role.INBOX


def _message_id(header: bytes) -> str:
    start = header.index(b"\r\nMessage-ID: <") + len(b"\r\nMessage-ID: <")
    return header[start : header.index(b">", start)].decode()


def _paths(account: Account) -> dict[str, int]:
    """The folders that people made, by path."""
    paths: dict[int, str] = {}
    for folder in folder_tree(system_access(account.pk)):
        above = paths.get(folder.parent_id, "")
        paths[folder.id] = f"{above}/{folder.name}" if above else folder.name
    return {path: folder_id for folder_id, path in paths.items()}


def _slices(items: list[_Item]) -> Iterator[list[_Item]]:
    given = iter(items)
    while some := list(itertools.islice(given, TOGETHER)):
        yield some


def _microseconds(at: datetime.datetime) -> int:
    return int(at.timestamp() * 1_000_000)
