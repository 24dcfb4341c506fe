"""Mails for the tests of the pages, delivered through the real store."""

from __future__ import annotations

import base64
import datetime
from email.utils import format_datetime

from django.db import transaction
from django.test import Client

from accounts.models import Account
from mailstore.models import Folder, Role
from mailstore.services.deliver import Incoming, Placement, prepare, store

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


def browser_of(account: Account) -> Client:
    """A browser that is signed in, in English."""
    account.language = "en"
    account.save(update_fields=["language"])
    browser = Client()
    browser.force_login(account)
    return browser


def deliver(account: Account, raw: bytes, *, role: str = Role.INBOX) -> int:
    """The entry of a mail that was just delivered."""
    placement = Placement(mailbox=account.pk, role=Role(role))
    with transaction.atomic():
        (stored,) = store([Incoming(prepare(raw), [placement])])
    return int(stored.entry_ids[account.pk])


def mail(body: str = "Hello Alice", *, html: str = "", **headers: str) -> bytes:
    """A simple mail from Anna; header names with underscores for hyphens."""
    fields = {
        "From": "Anna Schmidt <anna@lichtwerk.test>",
        "To": "alice@example.test",
        "Subject": "Price list",
        "Date": "Mon, 23 Nov 2026 10:42:00 +0100",
        "Message-ID": "<1@lichtwerk.test>",
        "Content-Type": "text/html; charset=utf-8" if html else "text/plain; charset=utf-8",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"{head}\n{html or body}\n".replace("\n", "\r\n").encode()


def with_files() -> bytes:
    """HTML with a picture of its own, a Chinese-named file, an HTML file and a remote picture."""
    picture = base64.b64encode(PNG).decode()
    text = f"""From: Anna Schmidt <anna@lichtwerk.test>
To: alice@example.test
Cc: bob@example.test
Subject: =?utf-8?B?6YeH6LSt5riF5Y2V?=
Date: Mon, 23 Nov 2026 10:42:00 +0100
Message-ID: <2@lichtwerk.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html; charset=utf-8

<p>Hi <img src="cid:logo@x"> <img src="https://pictures.test/big.png" width=200 height=100></p>
--r
Content-Type: image/png
Content-ID: <logo@x>
Content-Transfer-Encoding: base64
Content-Disposition: inline; filename=logo.png

{picture}
--r--
--m
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''%E9%87%87%E8%B4%AD.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQ=
--m
Content-Type: text/html
Content-Disposition: attachment; filename=page.html

<script>alert(1)</script>
--m
Content-Type: image/png
Content-Disposition: attachment; filename=photo.png
Content-Transfer-Encoding: base64

{picture}
--m--
"""
    return text.replace("\n", "\r\n").encode()


def deliver_many(account: Account, count: int, *, role: str = Role.INBOX) -> list[int]:
    """Mails "Number 1" to "Number n", one minute apart, the last one newest."""
    placement = Placement(mailbox=account.pk, role=Role(role))
    start = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
    raws = [
        mail(
            Subject=f"Number {number}",
            Message_ID=f"<n{number}@lichtwerk.test>",
            Date=format_datetime(start + datetime.timedelta(minutes=number)),
        )
        for number in range(1, count + 1)
    ]
    with transaction.atomic():
        stored = store([Incoming(prepare(raw), [placement]) for raw in raws])
    return [int(each.entry_ids[account.pk]) for each in stored]


def folder_id(account: Account, role: str = Role.INBOX) -> int:
    """The folder of a role."""
    return Folder.objects.get(mailbox_id=account.pk, role=role).pk
