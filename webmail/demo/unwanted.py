"""What the gateway kept from a reader: mail in quarantine, and a fraud in Junk with its reasons. A second run adds nothing."""

from __future__ import annotations

import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from mailstore.models import Role
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.inbound.filing import Filed, Verdict
from mta.models import QuarantinedMail
from mta.quarantine.services import set_digest
from mta.quarantine.store import quarantine
from mta.spam.finding import Finding, Judged, Rule
from webmail.demo import company

READER = "wangfang"
LOTTERY = Judged(
    (
        Finding(Rule.WORDS_SPAM, 40, ("99",)),
        Finding(Rule.SPF_FAIL, 15, ("prize-center.example",)),
        Finding(Rule.LINK_NUMERIC, 20, ("203.0.113.77",)),
    )
)
QUARANTINED = (
    ("spam", "恭喜您获得年度幸运大奖 <win@prize-center.example>", "恭喜！请点击领取您的 iPhone", LOTTERY, 3),
    (
        "file",
        "DHL Express <notice@dhl-parcel.example>",
        "Your parcel could not be delivered",
        Judged(
            (
                Finding(Rule.DOUBLE_EXTENSION, 60, ("Invoice.pdf.exe",)),
                Finding(Rule.FORGED, 25, ("dhl-parcel.example",)),
            )
        ),
        9,
    ),
    (
        "virus",
        "sales@old-supplier.example",
        "Updated price list",
        Judged((Finding(Rule.VIRUS, 0, ("Win.Test.EICAR",)),)),
        20,
    ),
    (
        "spam",
        "发票代开 <fapiao@tax-help.example>",
        "各类发票代开，税点优惠",
        Judged(
            (
                Finding(Rule.WORDS_SPAM, 40, ("98",)),
                Finding(Rule.BAD_SENDER, 35, ("fapiao@tax-help.example",)),
                Finding(Rule.UNPROVEN, 5),
            )
        ),
        31,
    ),
    ("blocked", "Newsletter <news@pest.example>", "Last chance: 70 % off", Judged((Finding(Rule.BLOCKED, 0),)), 44),
)
"""Kind, sender, subject, what was found, hours ago."""
FRAUD = Judged(
    (
        Finding(Rule.LOOKALIKE_PARTNER, 40, ("ruizirnport.example", "ruizimport.example")),
        Finding(Rule.REPLY_ELSEWHERE, 15, ("ruiz.finance@gmail.com", "alejandro.ruiz@ruizirnport.example")),
        Finding(Rule.UNPROVEN, 5),
    )
)
FRAUD_SUBJECT = "Re: Proforma invoice – our bank has changed"


def fill() -> None:
    """All of it, durably."""
    account = company.accounts()[READER]
    if QuarantinedMail.objects.filter(account=account).exists():
        return
    now = timezone.now()
    with transaction.atomic():
        set_digest(access_for(account, account.pk), wanted=True)
        for kind, sender, subject, judged, hours in QUARANTINED:
            at = now - datetime.timedelta(hours=hours)
            placement = Placement(account.pk, internal_us=int(at.timestamp()) * 1_000_000, judgement=judged.encode())
            quarantine([Filed(placement, kind)], prepare(_letter(account, sender, subject, at)), sender)
        _store_fraud(account, now - datetime.timedelta(hours=5))


def _store_fraud(account: Account, at: datetime.datetime) -> None:
    letter = _letter(account, "Alejandro Ruiz <alejandro.ruiz@ruizirnport.example>", FRAUD_SUBJECT, at)
    placement = Placement(
        account.pk,
        role=Role.JUNK,
        verdict=int(Verdict.SPAM),
        judgement=FRAUD.encode(),
        internal_us=int(at.timestamp()) * 1_000_000,
    )
    store([Incoming(prepare(letter, trace=b"Return-Path: <>\r\n"), [placement])])


def _letter(account: Account, sender: str, subject: str, at: datetime.datetime) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = sender, account.address, subject
    made["Date"], made["Message-ID"] = format_datetime(at), f"<{int(at.timestamp())}@unwanted.example>"
    made.set_content(
        "Dear Ms. Wang,\n\nplease use our new account for the open invoice from today on.\n\nKind regards\n"
    )
    return made.as_bytes()
