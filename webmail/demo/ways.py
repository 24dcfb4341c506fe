"""Mail on its way when the demo begins: something scheduled, something that waits for approval and something refused. A second run changes nothing."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

from django.utils import timezone

from accounts.models import Account
from mailstore.services.drafts import DraftRow, create_draft
from mta.approval.deciding import decide
from mta.approval.rules import create_rule
from mta.models import Approval, ApprovalRule, Submission
from mta.services.sending import update_send_settings
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


RULE = "对外报价与合同须经业务经理审批"
APPROVED_SUBJECT = "会议酒店报价确认（12 月来访）"
APPROVED_TEXT = (
    "Dear Anna,\n\n附上宁波两家会议酒店的报价，合同我们这边可以先签，到访后统一结算。\n\nBest regards,\n周洁"
)
REFUSED_SUBJECT = "年度合同续签：办公用品供应商"
REFUSED_TEXT = "您好，\n\n附上续签的年度合同，请盖章后寄回。\n\n周洁"
REFUSED_WHY = "单价高于去年，请先与采购核对后再发。"
FOLLOWED_SUBJECT = "元旦放假安排（请各部门确认值班人员）"


def fill() -> None:
    """All of it, durably."""
    accounts = company.accounts()
    _follow(accounts["wangfang"], [accounts["zhoujie"], accounts["sunqiang"]])
    _approval(accounts["zhoujie"], accounts["wangfang"])
    for name, to, subject, text, days in SCHEDULED:
        author = accounts[name]
        if not Submission.objects.filter(mailbox_id=author.pk, subject=subject).exists():
            _schedule(author, to, subject, text, days)


def _follow(author: Account, readers: list[Account]) -> None:
    """The switch of delivery status is on, and a mail to colleagues shows it."""
    if Submission.objects.filter(mailbox_id=author.pk, subject=FOLLOWED_SUBJECT).exists():
        return
    access = drafting.writing_access(author, author.pk)
    update_send_settings(access, keeps_web_mail=True, keeps_program_mail=False, follows=True)
    to = ", ".join(f"{reader.name} <{reader.address}>" for reader in readers)
    draft = _draft(
        author, to, FOLLOWED_SUBJECT, "各位同事，\n\n元旦放假三天，请各部门在周五前把值班人员名单发给我。\n\n王芳"
    )
    drafting.send(access, author, draft, undo_s=0)


def _approval(author: Account, approver: Account) -> None:
    """A rule of the company, and a mail that waits for its approver."""
    if ApprovalRule.objects.filter(domain=author.domain, name=RULE).exists():
        return
    words: dict[str, Any] = {"keywords": "报价\n合同", "accounts": [author], "approver": approver, "deadline_h": 72}
    create_rule(author.domain, name=RULE, on_deadline="pass", **words)
    access = drafting.writing_access(author, author.pk)
    refused = _draft(author, "陈经理 <chen@office-supply.example>", REFUSED_SUBJECT, REFUSED_TEXT)
    drafting.send(access, author, refused, undo_s=0)
    decide(Approval.objects.get(subject=REFUSED_SUBJECT).pk, approver, agrees=False, comment=REFUSED_WHY)
    draft = _draft(author, "Anna Lindqvist <anna.lindqvist@nordljus.example>", APPROVED_SUBJECT, APPROVED_TEXT)
    drafting.send(access, author, draft, undo_s=0)


def _draft(author: Account, to: str, subject: str, text: str) -> DraftRow:
    return create_draft(
        drafting.writing_access(author, author.pk),
        identity=author.address,
        to=to,
        subject=subject,
        html=markup.to_html(text, str),
        text=markup.to_plain(text),
        options=dict(composing.DEFAULT_OPTIONS),
    )


def _schedule(author: Account, to: str, subject: str, text: str, days: int) -> None:
    access = drafting.writing_access(author, author.pk)
    now = timezone.localtime(timezone=zoneinfo.ZoneInfo(author.time_zone))
    at = (now + datetime.timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)
    draft = _draft(author, to, subject, text)
    drafting.send(access, author, draft, schedule_us=int(at.timestamp()) * 1_000_000)
