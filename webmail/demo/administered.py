"""What an administrator finds set up: certificate, smart host, company footer, dead addresses, filters, holiday replies,
forwarding, monitoring, a list with an approver. A second run changes nothing."""

from __future__ import annotations

import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Domain, Group
from accounts.services import create_group, set_rights
from core.access import system_access
from mailstore.selectors.folders import folder_tree
from mailstore.services.deliver import prepare
from mailstore.services.drafts import create_draft
from mta.certificates.services import set_certificate
from mta.company.policy import set_send_policy
from mta.company.suppression import suppress
from mta.inbound.recipients import Target
from mta.models import ForwardTarget, SendPolicy, SuppressedAddress
from mta.services.filters import create_filter
from mta.services.forwards import QUESTION, set_forward
from mta.services.moderation import hold_post
from mta.services.monitoring import create_monitor_rule
from mta.services.replies import set_reply
from mta.services.smart_host import SmartHostWish, set_smart_host
from webmail import composing, drafting
from webmail.demo import certificate, company

HOST = f"mail.{company.DOMAIN}"
FOOTER = (
    "远航照明有限公司 Farvoyage Lighting Co., Ltd.\n本邮件及其附件仅供收件人使用。\n"
    "This mail and its files are meant for its recipients only."
)
DEAD = (
    ("j.miller@brightstore.example", "5.1.1", "550 5.1.1 User unknown", 3),
    ("purchasing@lumen-trade.example", "5.1.2", "550 5.1.2 Domain not found", 1),
)
"""Address, code, the server's answer, returned mails."""
FILTERS = (
    ("wangfang", "Ruiz 的邮件归入欧洲客户", [("sender", "contains", "ruizimport.example")], [("move", "欧洲客户")]),
    ("wangfang", "报价类邮件加星标", [("subject", "contains", "报价"), ("attachment", "present", "")], [("star", "")]),
    ("zhaomin", "发票归档", [("subject", "contains", "发票")], [("move", "发票"), ("read", "")]),
)
"""Whose, name, conditions, actions (a folder by its name)."""
LIST = ("all-staff", "全体员工", "zhouyan@partner-expo.example", "Invitation: supplier conference in January")
"""Address, name, who writes to it, subject."""
LIST_TEXT = "Dear colleagues of Farvoyage Lighting,\n\nwe would like to invite all of you to our supplier conference.\n"
OUTSIDE_TARGET = "li.na.private@mailbox.example"
FORWARD_SUBJECT = "转发确认邮件，可以点吗？"
FORWARD_TEXT = "王芳，\n\n我设置了把公司邮件转发到私人邮箱，私人邮箱里收到了这封确认：\n\n{link}\n\n是咱们系统发的吗？按制度我可以点吗？\n\n李娜\n"
"""She asks her superior before she opens the link that came to her private mailbox."""


@transaction.atomic
def fill() -> None:
    """All of it, durably."""
    people = company.accounts()
    domain = people["wangfang"].domain
    if SendPolicy.objects.filter(domain=domain, footer_text=FOOTER).exists():
        return
    now = timezone.now()
    set_send_policy(domain, footer_on=SendPolicy.Footer.EXTERNAL, footer_text=FOOTER, banned_files="exe, scr, js")
    set_certificate(domain, HOST, *certificate.issue(HOST, now))
    relay = SmartHostWish("relay.backup-route.example", 587, username="farvoyage", secret="demo only", is_active=False)
    set_smart_host(domain, relay)
    _suppress(domain)
    for name, title, conditions, actions in FILTERS:
        _filter(people[name], title, conditions, actions)
    _away(people["michael"], now)
    set_forward(people["liuwei"], people["zhoujie"].address)
    _ask_outside(people["lina"], people["wangfang"])
    set_rights(people["michael"], max_recipients=50)
    set_rights(people["sales"], networks="198.51.100.0/24")
    create_monitor_rule(
        *(domain, "财务往来留痕"),
        monitors=[people["liuwei"]],
        accounts=[people["zhaomin"]],
        keywords="付款\n银行",
        from_inside=False,
        to_inside=False,
    )
    _hold(domain, people, now)


def _suppress(domain: Domain) -> None:
    for address, code, text, bounces in DEAD:
        row = suppress(domain, address)
        SuppressedAddress.objects.filter(pk=row.pk).update(
            code=code, text=text, bounces=bounces, until=timezone.now() + datetime.timedelta(days=30)
        )


def _filter(
    account: Account, title: str, conditions: list[tuple[str, str, str]], actions: list[tuple[str, str]]
) -> None:
    folders = {node.name: node.id for node in folder_tree(system_access(account.pk))}
    create_filter(
        account,
        title,
        conditions=[{"what": what, "how": how, "value": value} for what, how, value in conditions],
        actions=[{"do": do, "target": folders[target]} if target else {"do": do} for do, target in actions],
    )


def _ask_outside(author: Account, reader: Account) -> None:
    """An address outside that has not agreed yet, and its question, shown to a colleague."""
    target, _is_new = ForwardTarget.objects.get_or_create(account=author, address=OUTSIDE_TARGET)
    question = FORWARD_TEXT.format(link=QUESTION.make(target.pk, target.address))
    draft = create_draft(
        drafting.writing_access(author, author.pk),
        identity=author.address,
        to=f"{reader.name} <{reader.address}>",
        subject=FORWARD_SUBJECT,
        html="",
        text=question,
        is_plain=True,
        options=dict(composing.DEFAULT_OPTIONS),
    )
    drafting.send(drafting.writing_access(author, author.pk), author, draft, undo_s=0)


def _away(account: Account, now: datetime.datetime) -> None:
    set_reply(
        account,
        text="I am at a factory inspection this week and answer in the evening. Urgent: sunqiang@example.test.",
        outside_text="Thank you for your mail. I am travelling and will answer within two days.",
        begins_at=now - datetime.timedelta(days=1),
        ends_at=now + datetime.timedelta(days=4),
    )


def _hold(domain: Domain, people: dict[str, Account], now: datetime.datetime) -> None:
    """A mail to everybody waits for the approver of the list."""
    local_part, name, sender, subject = LIST
    group = create_group(
        *(domain, local_part),
        name=name,
        members=[each for each in people.values() if each.kind == Account.Kind.PERSON],
        posting=Group.Posting.ANYONE,
        needs_approval=True,
        approver=people["wangfang"],
    )
    address = f"{local_part}@{domain.name}"
    letter = EmailMessage(policy=SMTP)
    letter["From"], letter["To"], letter["Subject"] = sender, address, subject
    letter["Date"], letter["Message-ID"] = format_datetime(now), "<conference@partner-expo.example>"
    letter.set_content(LIST_TEXT)
    target = Target(address, domain.pk, held_group_id=group.pk)
    hold_post(target, prepare(letter.as_bytes()), sender, is_local=False)
