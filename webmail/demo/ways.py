"""Mail on its way when the demo begins: something scheduled. A second run changes nothing."""

from __future__ import annotations

import datetime
import zoneinfo

from django.utils import timezone

from accounts.models import Account
from mailstore.services.drafts import create_draft
from mta.models import Submission
from webmail import composing, drafting
from webmail.demo import company, markup

SCHEDULED = (
    (
        "wangfang",
        "Alejandro Ruiz <alejandro.ruiz@ruizimport.example>",
        "Season's greetings and our holiday schedule",
        "Dear Alejandro,\n\nOur factory closes for the New Year holiday. Orders that reach us before the 20th still "
        "ship this month.\n\nWith best wishes,\nWang Fang",
        6,
    ),
    (
        "wangfang",
        f"孙强 <sunqiang@{company.DOMAIN}>",
        "周会材料：欧洲客户第四季度回款",
        "孙强，\n\n周会前请看一下附表里的三笔逾期，会上过一遍。\n\n王芳",
        1,
    ),
)
"""From whom, to whom, subject, text, days ahead."""


def fill() -> None:
    """All of it, durably."""
    accounts = company.accounts()
    for name, to, subject, text, days in SCHEDULED:
        author = accounts[name]
        if not Submission.objects.filter(mailbox_id=author.pk, subject=subject).exists():
            _schedule(author, to, subject, text, days)


def _schedule(author: Account, to: str, subject: str, text: str, days: int) -> None:
    access = drafting.writing_access(author, author.pk)
    now = timezone.localtime(timezone=zoneinfo.ZoneInfo(author.time_zone))
    at = (now + datetime.timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)
    draft = create_draft(
        access,
        identity=author.address,
        to=to,
        subject=subject,
        html=markup.to_html(text, str),
        text=markup.to_plain(text),
        options=dict(composing.DEFAULT_OPTIONS),
    )
    drafting.send(access, author, draft, schedule_us=int(at.timestamp()) * 1_000_000)
