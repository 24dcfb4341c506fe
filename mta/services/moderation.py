"""Mail to a list that needs approval: held, shown to the approver, let on, refused, or forgotten after a week.

A post is held in the transaction that would have delivered it, so 250 means the same as always. Only one decision counts,
whoever is quicker.
"""

from __future__ import annotations

import datetime
import functools

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from accounts.domain_names import domain_named
from accounts.models import Account, Group
from accounts.services.permission import audit, require_admin
from core.errors import ErrorKind, MailError
from logs_app.models import Kind
from logs_app.services import record
from mailstore import blobs
from mailstore.message import scan
from mailstore.services.deliver import Prepared, store
from mta.alone import each_alone
from mta.company.journal import incoming_journals
from mta.inbound.recipients import Target, approved_target
from mta.links import SignedLink
from mta.models import HeldPost
from mta.notices import notice
from mta.services.effects import store_for
from mta.services.lists import queue_for_externals

State = HeldPost.State
KEEP_DAYS = 7
QUESTION = SignedLink("held_post", "mta.moderation", KEEP_DAYS * 86_400, (int,))
EXPIRE_AT_ONCE = 200


def hold_post(target: Target, prepared: Prepared, sender: str, *, is_local: bool, require_tls: bool = False) -> None:
    """Keep a mail to `target` for its approver and tell him; inside the caller's transaction."""
    group = Group.objects.select_related("domain", "approver__domain").get(pk=target.held_group_id)
    now = timezone.now()
    scanned = prepared.scanned
    post = HeldPost.objects.create(
        domain=group.domain,
        group=group,
        address=target.matched,
        blob_id=blobs.insert([prepared.encoded])[prepared.encoded.sha256],
        trace_length=prepared.trace_length,
        envelope_from=sender[:320],
        sender_address=scanned.sender_address,
        subject=scanned.subject,
        preview=scanned.preview[:300],
        size=prepared.size,
        is_local=is_local,
        require_tls=require_tls,
        created_at=now,
        expires_at=now + datetime.timedelta(days=KEEP_DAYS),
    )
    store([notice(approver, lambda: _question(post)) for approver in _approvers(group)])


def asked_post(token: str) -> HeldPost:
    """What the link in a question is about; NOT_FOUND for one that is old or false."""
    (pk,) = QUESTION.read(token)
    found = HeldPost.objects.select_related("group").filter(pk=pk).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def post_content(post: HeldPost) -> bytes:
    """The mail as it came, while it waits; NOT_FOUND once it is decided about."""
    if post.state != State.WAITING:
        raise MailError(ErrorKind.NOT_FOUND)
    return blobs.get(post.blob_id)[post.trace_length :]


def decide_by_link(token: str, *, release: bool) -> HeldPost:
    """The approver's decision; what was decided before stays so. Raises NOT_FOUND."""
    post = asked_post(token)
    approver = Account.objects.filter(approves=post.group_id).values_list("address", flat=True).first()
    _decide(post, release=release, by=approver or "link")
    return asked_post(token)


@transaction.atomic
def decide_as_admin(post: HeldPost, *, release: bool, actor: Account | None = None) -> bool:
    """An administrator's decision; False when somebody's was there before, or the time is over: then nothing is done.
    Raises NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, post.domain_id)
    if not _decide(post, release=release, by=actor.address if actor else "system"):
        return False
    facts = {"subject": post.subject, "decision": str(State.RELEASED if release else State.REFUSED)}
    audit(actor, "decide_post", domain_id=post.domain_id, address=post.address, **facts)
    return True


def refuse_posts_of(group: Group, actor: Account | None) -> None:
    """Before a list is deleted, in the caller's transaction: what waits for its approver is over, and colleagues who wrote
    it are told."""
    waiting = list(HeldPost.objects.filter(group=group, state=State.WAITING).order_by("pk"))
    for post in waiting:
        _finish(post, State.REFUSED, by=actor.address if actor else "system", is_list_gone=True)


def posts_lost_with(group: Group) -> list[str]:
    """For whoever is asked whether a list is to be deleted: what waits for its approver."""
    count = HeldPost.objects.filter(group=group, state=State.WAITING).count()
    words = ngettext(
        "%d mail that waits for approval is rejected; its author is told if it is a colleague",
        "%d mails that wait for approval are rejected; their authors are told if they are colleagues",
        count,
    )
    return [words % count] if count else []


def ask_others(approver: Account) -> None:
    """Once an account is erased, in the caller's transaction: who stands in for it hears of the mail that waited for it."""
    for post in posts_before(approver):
        store([notice(each, functools.partial(_question, post)) for each in _approvers(post.group)])


def posts_before(approver: Account) -> QuerySet[HeldPost]:
    """What waits for his decision as approver of lists."""
    return HeldPost.objects.filter(group__approver=approver, state=State.WAITING).select_related("group").order_by("pk")


def expire_posts(now: datetime.datetime | None = None) -> int:
    """What nobody decided for a week is over, and rows of decided ones go; how many."""
    moment = now or timezone.now()
    over = list(HeldPost.objects.filter(expires_at__lte=moment).order_by("expires_at")[:EXPIRE_AT_ONCE])
    return each_alone(over, _expire)


@transaction.atomic
def _expire(post: HeldPost) -> None:
    _finish(post, State.EXPIRED, by="system")
    HeldPost.objects.filter(pk=post.pk).delete()


@transaction.atomic
def _decide(post: HeldPost, *, release: bool, by: str) -> bool:
    """Whether this decision is the one that counts."""
    if not _finish(post, State.RELEASED if release else State.REFUSED, by=by):
        return False
    if release:
        _distribute(post)
    return True


def _finish(post: HeldPost, state: str, *, by: str, is_list_gone: bool = False) -> bool:
    """Whether this decision is the one that counts."""
    if not HeldPost.objects.filter(pk=post.pk, state=State.WAITING).update(state=state, decided_by=by[:320]):
        return False
    record(
        Kind.DELIVERY,
        domain_id=post.domain_id,
        address=post.address,
        actor=by,
        protocol="list",
        succeeded=state == State.RELEASED,
        data={"from": post.envelope_from, "to": post.address, "subject": post.subject, "state": f"list_{state}"},
    )
    if state != State.RELEASED and post.is_local:
        _tell_author(post, is_list_gone=is_list_gone)
    return True


def _distribute(post: HeldPost) -> None:
    """As if it came now and nobody had to be asked; to that list, though its address may be another's by now."""
    target = approved_target(post.group_id, post.address, sender=post.envelope_from)
    if not isinstance(target, Target):
        return
    raw = blobs.get(post.blob_id)
    trace, received = raw[: post.trace_length], raw[post.trace_length :]
    _write_journals(post, target, raw)
    store_for(target, received, trace, post.envelope_from)
    if target.externals:
        queue_for_externals(target, received, None, require_tls=post.require_tls)


def _write_journals(post: HeldPost, target: Target, raw: bytes) -> None:
    """Of the members' domains: while it was held nobody had it. A colleague's mail is in his own domain's journal, where
    there is one, since he sent it."""
    if not any(facts.journal for facts in target.facts.values()):
        return
    but = 0
    if post.is_local and (author := domain_named(post.envelope_from.rpartition("@")[2])) is not None:
        but = author.id
    for each in incoming_journals([target], raw, scan(raw[post.trace_length :]), post.envelope_from, but=but):
        each.write()


def _approvers(group: Group) -> list[Account]:
    """The list's; while he is away for good, the administrators of the domain."""
    active = Account.objects.filter(domain=group.domain_id, status=Account.Status.ACTIVE).select_related("domain")
    own = list(active.filter(approves=group.pk))
    return own or list(active.filter(role=Account.Role.DOMAIN_ADMIN)[:20])


def _question(post: HeldPost) -> tuple[str, str]:
    link = QUESTION.make(post.pk)
    words = {
        "list": post.address,
        "sender": post.sender_address or post.envelope_from,
        "subject": post.subject or _("(no subject)"),
        "preview": post.preview,
        "link": link,
        "days": KEEP_DAYS,
    }
    text = _(
        "%(sender)s wrote to the list %(list)s. The mail waits for your approval:\n\nSubject: %(subject)s\n\n%(preview)s\n\n"
        "Approve or reject it here within %(days)d days:\n\n%(link)s"
    )
    return _("For approval: %(subject)s") % words, text % words


def _tell_author(post: HeldPost, *, is_list_gone: bool) -> None:
    """One of us learns that his mail did not go out; a stranger's address may be forged."""
    author = Account.objects.filter(address=post.envelope_from, status=Account.Status.ACTIVE).select_related("domain")

    def words() -> tuple[str, str]:
        facts = {"list": post.address, "subject": post.subject or _("(no subject)")}
        text = _("Your mail “%(subject)s” to the list %(list)s was not approved, so its members did not get it.")
        if is_list_gone:
            text = _(
                "Your mail “%(subject)s” to the list %(list)s was waiting for approval when the list was deleted, so its "
                "members did not get it."
            )
        return _("Not approved: %(subject)s") % facts, text % facts

    store([notice(each, words) for each in author[:1]])
