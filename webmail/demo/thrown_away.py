"""What a reader deleted for good some days ago and may want back: 恢复误删邮件 has something to show. A second run adds
nothing."""

from __future__ import annotations

import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from mailstore.models import Flag, Role
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.recoverable import recoverable_page
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mailstore.services.purge import unrecover
from webmail import drafting
from webmail.demo import company, files
from webmail.demo.script import people

READER = "wangfang"
THROWN_AWAY = (
    (
        "olivia",
        "Updated carton artwork for the desk lamps",
        "Hi Fang,\n\nthe artwork for the new cartons is attached. Please print from this version only, the barcode has "
        "changed.\n\nBest,\nOlivia",
        "Carton artwork HH-204.pdf",
        6,
        1,
    ),
    (
        "forwarder",
        "11 月宁波—汉堡整柜运费更新",
        "王经理，\n\n附件是本月下半月的整柜报价，含码头费，有效期两周。订舱请提前五天告知。\n\n吴磊",
        "海运费报价.xlsx",
        12,
        3,
    ),
    (
        "piotr",
        "Re: Samples of the track lights",
        "Dear Ms. Wang,\n\nthe samples arrived in good order. We will test them this week and come back to you with "
        "quantities.\n\nKind regards,\nPiotr",
        "",
        9,
        3,
    ),
    (
        "weekly",
        "This week: new energy labels for luminaires",
        "What exporters have to print on the box from spring on, and which lamps are exempt.\n",
        "",
        15,
        6,
    ),
    (
        "packer",
        "彩盒打样已寄出，请查收",
        "王姐，\n\n彩盒样今天下午寄出，顺丰到付，明天能到。颜色以样盒为准，确认后我们再开机。\n\n何小燕",
        "",
        20,
        9,
    ),
)
"""From whom, subject, text, file, days since it came, days since it was deleted."""


def fill() -> None:
    """All of it, durably."""
    account = company.accounts()[READER]
    access = drafting.writing_access(account, account.pk)
    if recoverable_page(access, limit=1).rows:
        return
    now = timezone.now()
    with transaction.atomic():
        stored = store([_arrived(account, now, *given[:5]) for given in THROWN_AWAY])
        trash = folder_by_role(access, Role.TRASH).id
        gone = [_us(now - datetime.timedelta(days=given[5], minutes=17 * given[4])) for given in THROWN_AWAY]
        # Undoing a recovery is what deletes with a time in the past.
        unrecover(
            access, [(mail.entry_ids[account.pk], trash, at_us) for mail, at_us in zip(stored, gone, strict=True)]
        )


def _arrived(
    account: Account, now: datetime.datetime, key: str, subject: str, text: str, file: str, days: int
) -> Incoming[None]:
    at = now - datetime.timedelta(days=days, minutes=41 * days)
    raw = _letter(account, key, subject, text, file, at)
    placement = Placement(account.pk, role=Role.TRASH, flags=Flag.SEEN, internal_us=_us(at))
    return Incoming(prepare(raw, trace=b"Return-Path: <>\r\n"), [placement])


def _letter(account: Account, key: str, subject: str, text: str, file: str, at: datetime.datetime) -> bytes:
    sender, made = people()[key], EmailMessage(policy=SMTP)
    made["From"], made["To"] = f"{sender.name} <{sender.address}>", f"{account.name} <{account.address}>"
    made["Subject"], made["Date"], made["Message-ID"] = subject, format_datetime(at), f"<{_us(at)}.{sender.address}>"
    made.set_content(text)
    if file:
        carried = files.make(file)
        kind, _, subtype = carried.content_type.partition("/")
        made.add_attachment(carried.content, maintype=kind, subtype=subtype, filename=carried.name)
    return made.as_bytes()


def _us(at: datetime.datetime) -> int:
    return int(at.timestamp()) * 1_000_000
