"""Plain functions that make what a test needs through the real services."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction

from accounts.models import Account, Domain, Group
from accounts.services import create_account, create_domain, create_group
from mailstore.services.deliver import Placement, prepare
from mta.inbound.filing import Filed
from mta.models import QuarantinedMail
from mta.quarantine.store import quarantine
from mta.spam.finding import Finding, Judged, Rule

PASSWORD = "correct horse 9"


def make_domain(name: str = "example.test", **fields: Any) -> Domain:
    """The domain of this name, made at its first mention."""
    return Domain.objects.filter(name=name).first() or create_domain(name, **fields)


def make_account(address: str, password: str | None = PASSWORD, **fields: Any) -> Account:
    """An account, in a domain that is made when needed; its name is its local part unless given."""
    local_part, _, name = address.partition("@")
    fields.setdefault("name", local_part.capitalize())
    return create_account(make_domain(name), local_part, password=password, **fields)


def make_list(domain: Domain, local_part: str, members: list[Account], *externals: str) -> Group:
    """A list to which anyone may write."""
    kinds = {"kind": Group.Kind.LIST, "posting": Group.Posting.ANYONE}
    return create_group(domain, local_part, name=local_part, members=members, externals=list(externals), **kinds)


def quarantined(
    account: Account, word: str = "offer", *, kind: str = "spam", sender: str = "x@spam.test"
) -> QuarantinedMail:
    """A mail put aside now, with `word` as its subject."""
    trace = b"Return-Path: <x@spam.test>\r\n"
    raw = f"From: {sender}\r\nTo: {account.address}\r\nSubject: {word}\r\nMessage-ID: <{time.time_ns()}@s>\r\n\r\nBuy {word}\r\n"
    judged = Judged((Finding(Rule.LINK_NUMERIC, 20, ("192.0.2.9",)), Finding(Rule.SHOUTING, 8)))
    placement = Placement(account.pk, internal_us=time.time_ns() // 1000, judgement=judged.encode())
    with transaction.atomic():
        quarantine([Filed(placement, kind)], prepare(raw.encode(), trace=trace), "x@spam.test")
    return QuarantinedMail.objects.latest("pk")
