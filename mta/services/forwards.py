"""Where an account may forward to, whether it does, and what happens to mail that the other side does not take."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.addressing import parse
from accounts.models import Account
from accounts.selectors import resolve
from accounts.services.permission import apply, audit
from core.access import system_access
from core.errors import ErrorKind, MailError
from logs_app.models import Kind
from logs_app.services import record
from mailstore import blobs
from mailstore.message import Address, Outgoing, compose
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.inbound.filing import Verdict
from mta.inbound.forwarding import may_forward_outside
from mta.links import SignedLink
from mta.models import AutoForward, Forwarded, ForwardTarget, Submission
from mta.rights import is_outside
from mta.services.owners import require_owner
from mta.services.submit import SubmitRequest, submit
from mta.smtp_in.commands import parse_address
from mta.steps import Outcome

VALID_DAYS = 7
"""How long the link in the question holds."""
QUESTION = SignedLink("forward_confirm", "mta.forward", VALID_DAYS * 86_400, (int, str))
TARGETS_MAX = 20
ASK_AGAIN_S = 600
"""Nobody's mailbox is to be filled with our questions."""


@transaction.atomic
def add_target(account: Account, address: str, *, actor: Account | None = None) -> ForwardTarget:
    """An address that the account may forward to: a colleague's at once, anybody else's when he has said yes to a mail
    that is sent now.

    Raises INVALID (no address, one's own, a list's, nobody's), NO_PERMISSION (the domain's policy), LIMIT (targets; or
    asked again too soon).
    """
    require_owner(actor, account)
    canonical = _canonical(account, address)
    Account.objects.select_for_update().get(pk=account.pk)
    outside = is_outside(account.domain_id, canonical)
    if outside and not may_forward_outside(account.domain_id):
        raise MailError(ErrorKind.NO_PERMISSION, field="address", policy="forwards_outside")
    target = ForwardTarget.objects.filter(account=account, address=canonical).first()
    if target is not None and target.confirmed_at is not None:
        return target
    now = timezone.now()
    if target is None:
        if ForwardTarget.objects.filter(account=account).count() >= TARGETS_MAX:
            raise MailError(ErrorKind.LIMIT, limit=TARGETS_MAX, field="address")
        confirmed_at = None if outside else now
        target = ForwardTarget.objects.create(account=account, address=canonical, confirmed_at=confirmed_at)
    elif now - target.asked_at < datetime.timedelta(seconds=ASK_AGAIN_S):
        raise MailError(ErrorKind.LIMIT, limit=ASK_AGAIN_S, field="asked")
    else:
        ForwardTarget.objects.filter(pk=target.pk).update(asked_at=now)
    if outside:
        _ask(account, target)
    _audit(actor, "add_forward_target", account, target=canonical)
    return target


@transaction.atomic
def remove_target(target: ForwardTarget, *, actor: Account | None = None) -> None:
    """And all forwarding to it. Raises NO_PERMISSION, NOT_FOUND."""
    require_owner(actor, target.account)
    _audit(actor, "remove_forward_target", target.account, target=target.address)
    target.delete()


@transaction.atomic
def set_forward(
    account: Account,
    address: str,
    *,
    keeps_copy: bool = True,
    is_active: bool = True,
    actor: Account | None = None,
) -> AutoForward:
    """Forward every mail to `address`, at once or as soon as its owner has said yes; until then mail is kept.

    Raises as `add_target`.
    """
    require_owner(actor, account)
    known = ForwardTarget.objects.filter(account=account, address=address.strip().lower()).first()
    target = known or add_target(account, address, actor=actor)
    wanted = {"target": target, "keeps_copy": keeps_copy, "is_active": is_active}
    row = AutoForward.objects.select_for_update(of=("self",)).filter(pk=account.pk).first()
    forward = row or AutoForward.objects.create(account=account, **wanted)
    if row is None or apply(forward, wanted):
        _audit(actor, "set_forward", account, target=target.address, keeps_copy=keeps_copy, is_active=is_active)
    return forward


@transaction.atomic
def remove_forward(forward: AutoForward, *, actor: Account | None = None) -> None:
    """Mail stays where it comes. Raises NO_PERMISSION, NOT_FOUND."""
    require_owner(actor, forward.account)
    _audit(actor, "remove_forward", forward.account, target=forward.target.address)
    forward.delete()


def asked_target(token: str) -> ForwardTarget:
    """The target that the link in a question is about; NOT_FOUND for one that is old, false or taken back."""
    pk, address = QUESTION.read(token)
    found = ForwardTarget.objects.select_related("account__domain").filter(pk=pk, address=address).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


@transaction.atomic
def confirm_target(token: str) -> ForwardTarget:
    """Its owner says yes; harmless to repeat. Raises NOT_FOUND."""
    target = asked_target(token)
    if target.confirmed_at is None:
        target.confirmed_at = timezone.now()
        target.save(update_fields=["confirmed_at"])
        account = target.account
        record(
            Kind.ADMIN,
            domain_id=account.domain_id,
            account_id=account.pk,
            address=account.address,
            actor=target.address,
            data={"action": "confirm_forward_target", "target": target.address},
        )
    return target


def may_use_target(account: Account, address: str) -> bool:
    """Whether a filter may name this address: a colleague's, or one whose owner has said yes."""
    if not is_outside(account.domain_id, address):
        found = resolve(address)
        return found is not None and found.account is not None and found.account.id != account.pk
    agreed = ForwardTarget.objects.filter(account=account, address=address, confirmed_at__isnull=False)
    return may_forward_outside(account.domain_id) and agreed.exists()


def bring_back(outcome: Outcome) -> None:
    """The step after a delivery's end: what was forwarded, not kept, and not taken comes into the mailbox after all."""
    if outcome.state not in ("bounced", "cancelled"):
        return
    row = Forwarded.objects.select_for_update(of=("self",)).filter(submission=outcome.submission_id).first()
    if row is None:
        return
    account = Account.objects.get(pk=row.account_id)
    record(
        Kind.DELIVERY,
        domain_id=account.domain_id,
        account_id=account.pk,
        address=account.address,
        succeeded=False,
        error=f"{outcome.code} {outcome.text}".strip(),
        data={"to": outcome.recipient, "state": outcome.state, "forwarded": True},
    )
    if row.is_kept or account.status == Account.Status.ERASED:
        return
    Forwarded.objects.filter(pk=row.pk).update(is_kept=True)
    message = blobs.get(Submission.objects.get(pk=row.pk).wire_blob_id)
    placement = Placement(account.pk, verdict=int(Verdict.CAME_BACK))
    store([Incoming(prepare(message, trace=b"Return-Path: <>\r\n"), [placement])])


def _canonical(account: Account, text: str) -> str:
    parts = parse(text.strip())
    address = parts.address if parts else ""
    if not address or parse_address(address) is None or not address.isprintable():
        raise MailError(ErrorKind.INVALID, field="address")
    if not is_outside(account.domain_id, address):
        found = resolve(address)
        if found is None or found.account is None or found.account.id == account.pk:
            raise MailError(ErrorKind.INVALID, field="address")
    return address


def _ask(account: Account, target: ForwardTarget) -> None:
    """A mail with a link: following it only asks, a button on its page says yes."""
    system = Account.objects.select_related("domain").get(domain=account.domain_id, kind=Account.Kind.SYSTEM)
    link = QUESTION.make(target.pk, target.address)
    with translation.override(account.language):
        words = {"address": account.address, "name": account.name, "link": link, "days": VALID_DAYS}
        subject = _("%(address)s wants to forward mail to you") % words
        text = _(
            "%(name)s (%(address)s) wants to forward all or some of the mail received there to this address.\n\n"
            "If you agree, open this page and confirm it there within %(days)d days:\n\n%(link)s\n\n"
            "If you don't know about it, do nothing: no mail will be forwarded."
        )
    raw = compose(
        Outgoing(
            from_=Address(system.domain.title or system.domain.name, system.address),
            to=[Address("", target.address)],
            subject=subject,
            text=text % words,
            extra_headers={"Auto-Submitted": "auto-generated"},
        )
    )
    request = SubmitRequest(
        envelope_from=system.address,
        recipients=[target.address],
        raw=raw,
        save_to_sent=False,
        origin=Submission.Origin.SYSTEM,
    )
    submit(system_access(system.pk), request)


def _audit(actor: Account | None, act: str, account: Account, **facts: object) -> None:
    """Also one's own: who reads a mailbox from outside is worth knowing."""
    audit(actor, act, domain_id=account.domain_id, address=account.address, **facts)
