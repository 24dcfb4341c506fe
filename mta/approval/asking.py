"""Asking for agreement: the row that waits, and the mail that tells whom to ask.

Nobody agrees to his own mail: where the approver is the author, the substitute is asked, then an administrator of the
domain. Where nobody is left, the deadline decides.
"""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.selectors import named
from mailstore.services.deliver import store
from mta.links import SignedLink, page
from mta.models import Approval, ApprovalRule, Submission
from mta.notices import notice

DECISION = SignedLink("approval_link", "mta.approval", 30 * 86_400, (int, int))
"""Names an approval and who decides about it."""
HOUR_US = 3_600_000_000
RECIPIENTS_SHOWN = 5
NO_DEADLINE_H = 14 * 24
"""For mail that nobody can be asked about: it must not wait for ever."""


def ask(submission: Submission, rule: ApprovalRule, recipients: list[str], size_bytes: int, now_us: int) -> Approval:
    """Inside the transaction that holds the mail back: the row, and notices to who may decide."""
    deciders = _deciders(rule, rule.domain_id, {submission.mailbox_id, submission.actor_id})
    deadline_h = rule.deadline_h or (0 if deciders else NO_DEADLINE_H)
    approval = Approval.objects.create(
        submission=submission,
        domain_id=rule.domain_id,
        sender_id=submission.mailbox_id,
        sender=submission.envelope_from,
        recipients=", ".join(recipients[:RECIPIENTS_SHOWN])[:500],
        recipient_count=len(recipients),
        subject=submission.subject,
        size_bytes=size_bytes,
        rule_name=rule.name,
        approver_id=deciders[0].pk if deciders else 0,
        substitute_id=deciders[1].pk if len(deciders) > 1 else 0,
        approver=deciders[0].address if deciders else "",
        requested_us=now_us,
        remind_us=now_us + rule.remind_after_h * HOUR_US if rule.remind_after_h and deciders else 0,
        deadline_us=now_us + deadline_h * HOUR_US if deadline_h else 0,
        on_deadline=rule.on_deadline,
    )
    if deciders:
        tell(approval, deciders[0])
    return approval


def tell(approval: Approval, reader: Account, *, is_reminder: bool = False) -> None:
    """Write to `reader`, in the caller's transaction, what waits for him, with a link that needs no sign-in."""

    def words() -> tuple[str, str]:
        subject = approval.subject or _("(no subject)")
        title = _("Reminder: mail awaits your approval: %s") if is_reminder else _("Mail awaits your approval: %s")
        more = approval.recipient_count - RECIPIENTS_SHOWN
        to = approval.recipients + (f" (+{more})" if more > 0 else "")
        lines = [
            _("%(sender)s wants to send this mail. It leaves when you agree.") % {"sender": _sender(approval)},
            "",
            _("Subject: %(subject)s") % {"subject": subject},
            _("To: %s") % to,
            _("Size: %s") % filesizeformat(approval.size_bytes),
            _("Rule: %s") % approval.rule_name,
            "",
            _("Read it and decide: %s") % page("approvals"),
            _("Decide without signing in: %s") % DECISION.make(approval.pk, reader.pk),
        ]
        return title % subject, "\n".join(lines)

    store([notice(reader, words)])


def _sender(approval: Approval) -> str:
    found = named([approval.sender], {approval.domain_id}, hidden=True).get(approval.sender.lower())
    if found is None or not found.name:
        return approval.sender
    who = f"{found.name} ({found.department})" if found.department else found.name
    return f"{who} <{approval.sender}>"


def ask_another(approval: Approval, now_us: int) -> None:
    """For a mail that waits for people who are gone: administrators are asked; where there is none, it does not wait for
    ever. In the caller's transaction."""
    submission = approval.submission
    deciders = _deciders(None, approval.domain_id, {approval.sender_id, submission.actor_id if submission else 0})
    changes: dict[str, object] = {}
    if deciders:
        changes = {"approver_id": deciders[0].pk, "approver": deciders[0].address}
        changes["substitute_id"] = deciders[1].pk if len(deciders) > 1 else 0
    elif not approval.deadline_us:
        changes = {"deadline_us": now_us + NO_DEADLINE_H * HOUR_US}
    waiting = Approval.objects.filter(pk=approval.pk, state=Approval.State.PENDING)
    if changes and waiting.update(**changes) and deciders:
        tell(approval, deciders[0])


def _deciders(rule: ApprovalRule | None, domain_id: int, authors: set[int]) -> list[Account]:
    """At most two, the first of whom is asked."""
    named = [each for each in (rule.approver, rule.substitute) if each is not None] if rule is not None else []
    found = [each for each in named if each.is_active and each.pk not in authors]
    if found:
        return found
    admins = Account.objects.filter(domain=domain_id, role=Account.Role.DOMAIN_ADMIN, status=Account.Status.ACTIVE)
    return [each for each in admins.select_related("domain").order_by("pk") if each.pk not in authors][:2]
