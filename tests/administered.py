"""One row of every administered model: what the tests of the administration and the walk over all addresses go through."""

from __future__ import annotations

from django.db.models import Model
from django.utils import timezone

from accounts.models import (
    Account,
    AccountRights,
    Address,
    Credential,
    Department,
    Domain,
    DomainAlias,
    Group,
    MailboxGrant,
    ProgramRule,
)
from accounts.services import (
    add_alias,
    add_domain_alias,
    create_client_code,
    create_department,
    create_group,
    grant_mailbox,
    set_program_rule,
    set_rights,
)
from logs_app.models import Event
from mailaccess.models import PopSettings
from mailstore.models import Folder
from mailstore.services.deliver import prepare
from mta.approval.rules import create_rule
from mta.company.policy import set_send_policy
from mta.company.suppression import suppress
from mta.inbound.recipients import Target
from mta.models import (
    Approval,
    ApprovalRule,
    AutoForward,
    AutoReply,
    Delivery,
    DkimKey,
    DmarcReport,
    Filter,
    FilterRun,
    ForwardTarget,
    HeldPost,
    HostCertificate,
    ListedSender,
    MailPolicy,
    MonitorRule,
    QuarantinedMail,
    SendPolicy,
    SendStop,
    SmartHost,
    Submission,
    SuppressedAddress,
)
from mta.services.filter_runs import start_run
from mta.services.filters import create_filter
from mta.services.forwards import add_target, set_forward
from mta.services.moderation import hold_post
from mta.services.monitoring import create_monitor_rule
from mta.services.replies import set_reply
from mta.services.senders import list_sender
from mta.services.smart_host import SmartHostWish, set_smart_host
from tests.factories import make_account, quarantined


def administered_rows(domain: Domain, account: Account, word: str) -> dict[type[Model], Model]:
    """A row of every administered model, all of `domain` and `account`, with `word` in each name."""
    other = make_account(f"{word}-other@{domain.name}", password=None)
    event = Event.objects.filter(domain_id=domain.pk).first()
    assert event is not None
    rule = create_filter(
        account,
        f"{word} rule",
        conditions=[{"what": "subject", "how": "contains", "value": word}],
        actions=[{"do": "star"}],
    )
    group = create_group(domain, f"{word}-list", name=f"{word} list", members=[account])
    held = prepare(f"Subject: {word}\r\n\r\n".encode())
    hold_post(Target(f"{word}-list@{domain.name}", domain.pk, held_group_id=group.pk), held, "", is_local=False)
    inbox = Folder.objects.get(mailbox_id=account.pk, role="inbox").pk
    return {
        Domain: domain,
        DomainAlias: add_domain_alias(domain, f"{word}-alias.test"),
        Department: create_department(domain, f"{word} sales"),
        Account: account,
        Address: add_alias(account, f"{word}-alias"),
        Group: group,
        HeldPost: HeldPost.objects.get(group=group),
        MailboxGrant: grant_mailbox(account, other, "reader"),
        Credential: create_client_code(account, f"{word} phone")[0],
        ProgramRule: set_program_rule(domain, account),
        AccountRights: set_rights(account, max_recipients=5),
        PopSettings: PopSettings.objects.create(account=account),
        MailPolicy: MailPolicy.objects.get(domain=domain),
        DkimKey: DkimKey.objects.filter(domain=domain)[0],
        DmarcReport: DmarcReport.objects.create(
            domain=domain, organisation=f"{word}.example", report_id=word, begins_at=event.at, ends_at=event.at
        ),
        ApprovalRule: create_rule(domain, name=word, approver=other, direction="internal", is_active=False),
        Approval: _asked(sent := _sent(domain, account, word), other),
        SendPolicy: set_send_policy(domain, footer_text=word),
        SendStop: SendStop.objects.create(account=account),
        SuppressedAddress: suppress(domain, f"{word}@far.example"),
        Submission: sent,
        ListedSender: list_sender(domain, f"{word}.example", "block", account=account),
        Filter: rule,
        QuarantinedMail: quarantined(account, word),
        Delivery: waiting_delivery(account, f"{word}@far.example"),
        HostCertificate: host_certificate(domain, f"{word}.example"),
        SmartHost: set_smart_host(domain, SmartHostWish(f"{word}.example")),
        FilterRun: start_run(account, inbox),
        MonitorRule: create_monitor_rule(domain, f"{word} rule", monitors=[other], accounts=[account]),
        AutoReply: set_reply(account, text=f"{word} away"),
        ForwardTarget: add_target(account, other.address),
        AutoForward: set_forward(account, other.address),
        Event: event,
    }


def _sent(domain: Domain, account: Account, word: str) -> Submission:
    """A mail of the account."""
    return Submission.objects.create(
        mailbox_id=account.pk,
        domain_id=domain.pk,
        actor_id=account.pk,
        origin="web",
        envelope_from=account.address,
        subject=word,
        wire_blob_id=0,
        created_us=1,
    )


def waiting_delivery(account: Account, recipient: str) -> Delivery:
    """A mail of `account` that waits to leave."""
    submission = Submission.objects.create(
        mailbox_id=account.pk,
        domain_id=account.domain_id,
        actor_id=account.pk,
        origin="web",
        wire_blob_id=0,
        created_us=1,
        subject=recipient,
    )
    return Delivery.objects.create(
        submission=submission, recipient=recipient, domain="far.example", state="deferred", updated_us=1
    )


def host_certificate(domain: Domain, host: str) -> HostCertificate:
    """A row whose content nobody looks at."""
    now = timezone.now()
    return HostCertificate.objects.create(
        domain=domain, host=host, chain="", key=b"", issuer=host, begins_at=now, expires_at=now
    )


def _asked(sent: Submission, approver: Account) -> Approval:
    """It waits for somebody."""
    return Approval.objects.create(
        submission=sent,
        domain_id=sent.domain_id,
        sender_id=sent.mailbox_id,
        sender=sent.envelope_from,
        recipients=sent.subject,
        recipient_count=1,
        subject=sent.subject,
        size_bytes=1,
        rule_name=sent.subject,
        approver_id=approver.pk,
        approver=approver.address,
        requested_us=1,
        on_deadline="pass",
    )
