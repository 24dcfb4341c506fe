"""Looking whether a domain's DNS says what it should. Asked anew each time: somebody has just changed it."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import ipaddress
from collections.abc import Sequence

from django.conf import settings

from accounts.models import Domain
from core.net import is_public
from mta.authentication.dmarc import Record, parse_record
from mta.authentication.iprev import reverse_name
from mta.authentication.keys import Key, parse_key
from mta.authentication.resolver import Answer, Resolver, Status, key_of
from mta.models import DkimKey
from mta.records.wanted import Wanted, wanted_records
from mta.services.dkim_keys import activate_keys

SHOWN_MAX = 5
ADDRESSES_MAX = 20
TIMEOUT_S = 5.0


class State(enum.StrEnum):
    """How a record stands."""

    CORRECT = "correct"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """A wanted record, how it stands, and what was found in its place."""

    wanted: Wanted
    name: str
    state: State
    found: tuple[str, ...] = ()


def check_domain(domain: Domain, name: str = "") -> list[Checked]:
    """Look up every wanted record of `domain` under its own or another `name`; a few seconds at most."""
    return asyncio.run(check_records(name or domain.name, wanted_records(domain)))


def check_host() -> list[Checked]:
    """Look whether the names of this server's public addresses lead back to them; nothing for a server without any."""
    return asyncio.run(check_reverse(settings.EHLO_NAME))


async def check_reverse(host: str) -> list[Checked]:
    """A row for each public address of `host`: MISSING without a name, WRONG when no name of it leads back."""
    resolver = Resolver()
    answers = await asyncio.gather(*(resolver.answer(key_of(host, kind)) for kind in ("A", "AAAA")))
    addresses = [each for answer in answers for each in answer.records if is_public(each)][:ADDRESSES_MAX]
    if not addresses and any(answer.status is Status.FAILED for answer in answers):
        return [Checked(Wanted("reverse", host, "A", ""), host, State.UNKNOWN)]
    return list(await asyncio.gather(*(_reverse(resolver, host, address) for address in addresses)))


async def _reverse(resolver: Resolver, host: str, address: str) -> Checked:
    wanted = Wanted("reverse", ipaddress.ip_address(address).reverse_pointer, "PTR", host)
    name, status = await reverse_name(resolver, address)
    if not name and status is Status.FAILED:
        return Checked(wanted, wanted.host, State.UNKNOWN)
    pointers = await resolver.answer(key_of(wanted.host, "PTR"))
    found = (name,) if name else tuple(map(str, pointers.records[:SHOWN_MAX]))
    if not found:
        return Checked(wanted, wanted.host, State.MISSING)
    return Checked(wanted, wanted.host, State.CORRECT if name else State.WRONG, found)


async def check_records(name: str, wanted: Sequence[Wanted]) -> list[Checked]:
    """All at once."""
    resolver = Resolver()
    keys = [key_of(each.name(name), each.kind) for each in wanted]
    answers = await asyncio.gather(*(resolver.ask(key, TIMEOUT_S) for key in keys))
    return [_checked(name, each, answer) for each, answer in zip(wanted, answers, strict=True)]


def finish_rotation(domain: Domain) -> bool:
    """Let waiting keys sign when all their records are there; whether they do now."""
    waiting = DkimKey.objects.filter(domain=domain, state=DkimKey.State.WAITING).values_list("public_record", flat=True)
    records = set(waiting)
    if not records:
        return False
    wanted = [each for each in wanted_records(domain) if each.value in records]
    checked = asyncio.run(check_records(domain.name, wanted))
    return all(each.state is State.CORRECT for each in checked) and activate_keys(domain) > 0


def _checked(name: str, wanted: Wanted, answer: Answer) -> Checked:
    full = wanted.name(name)
    if answer.status is Status.FAILED:
        return Checked(wanted, full, State.UNKNOWN)
    found = _relevant(wanted, [_text(wanted.kind, record) for record in answer.records])
    if not found:
        return Checked(wanted, full, State.MISSING)
    state = State.CORRECT if _is_right(wanted, found) else State.WRONG
    return Checked(wanted, full, state, tuple(found[:SHOWN_MAX]))


def _text(kind: str, record: object) -> str:
    if isinstance(record, bytes):
        return record.decode("utf-8", "replace")
    if isinstance(record, tuple):
        return " ".join(map(str, record))
    return str(record)


def _relevant(wanted: Wanted, found: list[str]) -> list[str]:
    """Of the TXT records of a name those that speak of the same thing."""
    prefix = {"spf": "v=spf1", "dmarc": "v=DMARC1", "tls_reports": "v=TLSRPTv1", "mta_sts": "v=STSv1"}.get(
        wanted.purpose, ""
    )
    return [text for text in found if text.lower().startswith(prefix.lower())]


def _is_right(wanted: Wanted, found: list[str]) -> bool:
    if wanted.purpose == "spf":
        return len(found) == 1 and set(wanted.value.split()[1:-1]) <= set(found[0].split())
    if wanted.purpose == "dmarc":
        return len(found) == 1 and isinstance(parse_record("", found[0].encode()), Record)
    if wanted.purpose == "dkim":
        return len(found) == 1 and _same_key(wanted.value, found[0])
    if wanted.purpose == "tls_reports":
        return len(found) == 1 and "rua=" in found[0]
    if wanted.purpose == "mta_sts":
        return len(found) == 1 and found[0].replace(" ", "").rstrip(";") == wanted.value.replace(" ", "")
    value = wanted.value.lower()
    return any(text.lower() == value or text.lower().endswith(f" {value}") for text in found)


def _same_key(wanted: str, found: str) -> bool:
    here, there = parse_key(wanted.encode()), parse_key(found.encode())
    return isinstance(here, Key) and isinstance(there, Key) and here.public == there.public
