"""What a stranger meets at the MX before his mail is judged: a pause, rates, reverse DNS, block lists, greylisting.

Trusted networks meet none of it. Questions to the DNS are asked when the connection begins and waited for when the
first recipient is named, so they cost the others nothing. Where the DNS does not answer, the client is let in.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time

from django.conf import settings

from core import dbthread
from core.connection import address_block
from core.rates import Rates
from mta.authentication.iprev import reverse_name
from mta.authentication.resolver import Resolver, Status, key_of
from mta.inbound import greylist
from mta.smtp_in import replies

TARPIT_AFTER = 3
_LISTED = ipaddress.ip_network("127.0.0.0/8")
_TROUBLE = ipaddress.ip_network("127.255.255.0/24")
"""What lists answer to whom they don't serve (Spamhaus): no word about the client."""


class Guard:
    """One per process."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.rates = Rates(settings.SMTP_RATES)

    async def close(self) -> None:
        """Give connections back."""
        await self.rates.close()


class Visitor:
    """One connection of a stranger."""

    def __init__(self, guard: Guard, address: str) -> None:
        self._guard = guard
        self.address = address
        self.pause_s = float(settings.GREETING_PAUSE_S)
        self._block = address_block(address)
        self._refusals = 0
        self._has_recipient = False
        """A recipient is counted that was not named yet."""
        self._naming: asyncio.Task[tuple[str, Status]] | None = None
        self._listing: asyncio.Task[str] | None = None

    def begin(self) -> None:
        """Ask what must be known later."""
        if settings.REVERSE_DNS != "off":
            self._naming = asyncio.create_task(reverse_name(self._guard.resolver, self.address))
        if settings.DNSBL:
            self._listing = asyncio.create_task(listed_by(self._guard.resolver, self.address))

    def end(self) -> None:
        """The connection is over."""
        for task in (self._naming, self._listing):
            if task is not None:
                task.cancel()

    async def greet(self) -> bytes | None:
        """A refusal instead of the greeting."""
        return None if await self._guard.rates.take("connections", self._block) else replies.TOO_MANY_CONNECTIONS

    async def name(self) -> str:
        """The client's name as DNS confirms it both ways; empty when it does not."""
        return (await self._naming)[0] if self._naming is not None else ""

    async def check_sender(self) -> bytes | None:
        """A refusal of MAIL."""
        # Nearly every MAIL is followed by RCPT: its first is counted with the same question.
        wanted = {"messages": 1} if self._has_recipient else {"messages": 1, "recipients": 1}
        taken = await self._guard.rates.take_each(wanted, self._block)
        self._has_recipient = self._has_recipient or taken["recipients"]
        return None if taken["messages"] else replies.TOO_FAST

    async def check_recipient(self, address: str) -> bytes | None:
        """A refusal of RCPT for what the client is; before anything about the recipient is told."""
        counted, self._has_recipient = self._has_recipient, False
        if not counted and not await self._guard.rates.take("recipients", self._block):
            return replies.TOO_FAST
        if address.partition("@")[0].lower() == "postmaster":
            return None  # who is listed by mistake must be able to say so (RFC 5321 4.5.1)
        if self._listing is not None and (zone := await self._listing):
            return replies.reply(550, "5.7.1", f"Your address {self.address} is listed by {zone}")
        if settings.REVERSE_DNS == "demand" and self._naming is not None:
            name, status = await self._naming
            if not name:
                return replies.NAME_NOT_KNOWN_YET if status is Status.FAILED else replies.NAMELESS
        return None

    async def check_unknown(self) -> bytes | None:
        """Instead of the answer that somebody isn't here, when it was given too often: addresses are being tried out."""
        return None if await self._guard.rates.take("unknown", self._block) else replies.TOO_FAST

    async def check_first_time(self, sender: str, recipient: str) -> bytes | None:
        """Greylisting."""
        if settings.GREYLIST_S <= 0:
            return None
        now_us = time.time_ns() // 1000
        left_s = await dbthread.run(
            greylist.wait_s, self.address, sender, recipient, now_us=now_us, delay_s=settings.GREYLIST_S
        )
        return replies.reply(451, "4.7.1", f"Greylisted, come again in {left_s} seconds") if left_s else None

    def delay_s(self, answer: bytes) -> float:
        """How long the client waits for this answer."""
        if not answer.startswith(b"5"):
            return 0.0
        self._refusals += 1
        return float(settings.TARPIT_S) if self._refusals > TARPIT_AFTER else 0.0


async def listed_by(resolver: Resolver, address: str) -> str:
    """The first zone of DNSBL that lists the address (RFC 5782 2.1, 2.4); empty when none does or answers."""
    try:
        pointer = ipaddress.ip_address(address.partition("%")[0]).reverse_pointer
    except ValueError:
        return ""
    reversed_address = pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    answers = await asyncio.gather(
        *(resolver.answer(key_of(f"{reversed_address}.{zone}", "A")) for zone in settings.DNSBL)
    )
    for zone, answer in zip(settings.DNSBL, answers, strict=True):
        if any(_is_listing(each) for each in answer.records):
            return zone
    return ""


def _is_listing(record: str) -> bool:
    found = ipaddress.ip_address(record)
    return found in _LISTED and found not in _TROUBLE
