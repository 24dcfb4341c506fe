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
from mta.quarantine.digest import send_digests
from mta.quarantine.services import set_digest
from mta.quarantine.store import quarantine
from mta.spam.finding import Finding, Judged, Rule
from webmail.demo import company

READER = "wangfang"
PRIZE = "尊敬的用户：\n\n您已被抽中，请在 24 小时内登录 http://203.0.113.77/ 领取奖品，逾期作废。\n"
LOTTERY = Judged(
    (
        Finding(Rule.WORDS_SPAM, 40, ("99",)),
        Finding(Rule.SPF_FAIL, 15, ("prize-center.example",)),
        Finding(Rule.LINK_NUMERIC, 20, ("203.0.113.77",)),
    )
)
QUARANTINED = (
    ("spam", "恭喜您获得年度幸运大奖 <win@prize-center.example>", "恭喜！请点击领取您的 iPhone", LOTTERY, 3, PRIZE),
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
        "Your parcel is waiting. Open the attached form to choose a new date of delivery.\n",
    ),
    (
        "virus",
        "sales@old-supplier.example",
        "Updated price list",
        Judged((Finding(Rule.VIRUS, 0, ("Win.Test.EICAR",)),)),
        20,
        "Dear buyer,\n\nplease find our updated price list attached.\n",
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
        "您好：\n\n本公司代开各类发票，税点低，可验证，长期合作请来电。\n",
    ),
    (
        "blocked",
        "Newsletter <news@pest.example>",
        "Last chance: 70 % off",
        Judged((Finding(Rule.BLOCKED, 0),)),
        44,
        "Only today: 70 % off everything. Shop now!\n",
    ),
)
"""Kind, sender, subject, what was found, hours ago, text."""
FRAUD_TEXT = "Dear Ms. Wang,\n\nplease use our new account for the open invoice from today on.\n\nKind regards\n"
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
        for kind, sender, subject, judged, hours, text in QUARANTINED:
            at = now - datetime.timedelta(hours=hours)
            placement = Placement(account.pk, internal_us=int(at.timestamp()) * 1_000_000, judgement=judged.encode())
            quarantine([Filed(placement, kind)], prepare(_letter(account, sender, subject, at, text)), sender)
        _store_fraud(account, now - datetime.timedelta(hours=5))
    send_digests(now)


def _store_fraud(account: Account, at: datetime.datetime) -> None:
    letter = _letter(account, "Alejandro Ruiz <alejandro.ruiz@ruizirnport.example>", FRAUD_SUBJECT, at, FRAUD_TEXT)
    placement = Placement(
        account.pk,
        role=Role.JUNK,
        verdict=int(Verdict.SPAM),
        judgement=FRAUD.encode(),
        internal_us=int(at.timestamp()) * 1_000_000,
    )
    store([Incoming(prepare(letter, trace=b"Return-Path: <>\r\n"), [placement])])


def _letter(account: Account, sender: str, subject: str, at: datetime.datetime, text: str) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = sender, account.address, subject
    made["Date"], made["Message-ID"] = format_datetime(at), f"<{int(at.timestamp())}@unwanted.example>"
    made.set_content(text)
    return made.as_bytes()
