"""疑似垃圾邮件报告 (18.2.4 of the manual): at 22:00 of its reader's day, what was put aside since the last one.

A report, the note that it was sent (`SentDigest`, one for each account and day) and the marks on the mails that it lists are
one transaction, so a worker may die anywhere and nobody gets two. A report that nobody could send in time is sent when
somebody can.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, ngettext

from accounts.models import Account
from core.access import system_access
from core.times import zone_named
from mailstore import sql
from mailstore.message import Address, Outgoing, compose
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.alone import each_alone
from mta.links import SignedLink
from mta.models import QuarantinedMail, SentDigest
from mta.quarantine.selectors import gets_digest

HOUR = datetime.time(22)
LISTED_MAX = 200
KEEP_DAYS = 30
"""The notes of sent reports."""

RELEASE = SignedLink("quarantine_link", "mta.quarantine.release", 7 * 86_400, (int, int))
"""Behind 放行: names a mail and whose it is, and expires with it."""

State = QuarantinedMail.State


def send_digests(now: datetime.datetime) -> int:
    """Send every report that is due; how many."""
    SentDigest.objects.filter(day__lt=now.date() - datetime.timedelta(days=KEEP_DAYS)).delete()
    waiting = QuarantinedMail.objects.filter(reported=False, state=State.HELD).values_list("account", flat=True)
    sent: list[bool] = []

    def send(account: Account) -> None:
        if account.status == Account.Status.ACTIVE and gets_digest(system_access(account.pk)):
            zone = zone_named(account.time_zone or account.domain.time_zone)
            sent.append(_send(account, last_slot(now, zone)))

    each_alone(Account.objects.select_related("domain").filter(pk__in=waiting.distinct().order_by()), send)
    return sum(sent)


def last_slot(now: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """The newest 22:00 of that zone that is over."""
    here = now.astimezone(zone)
    day = here.date() if here.time() >= HOUR else here.date() - datetime.timedelta(days=1)
    return datetime.datetime.combine(day, HOUR, zone)


def _send(account: Account, slot: datetime.datetime) -> bool:
    rows = QuarantinedMail.objects.filter(
        account=account, reported=False, state=State.HELD, received_at__lt=slot, expires_at__gt=slot
    )
    sizes = dict(rows.values_list("pk", "size"))
    if not sizes or SentDigest.objects.filter(account=account, day=slot.date()).exists():
        return False
    listed = list(rows.order_by("-received_at", "-pk")[:LISTED_MAX])
    raw = digest(account, listed, slot, count=len(sizes), size_bytes=sum(sizes.values()))
    prepared = prepare(raw, trace=b"Return-Path: <>\r\n")
    try:
        with transaction.atomic():
            SentDigest.objects.create(account=account, day=slot.date())
            marked = f"UPDATE mta_quarantinedmail SET reported = %s WHERE {sql.among('id')}"
            sql.run(marked, [True, sql.numbers(list(sizes))])
            store([Incoming(prepared, [Placement(account.pk)])])
    except IntegrityError:
        return False  # another worker has sent it meanwhile
    return True


def digest(
    account: Account, mails: Sequence[QuarantinedMail], at: datetime.datetime, *, count: int, size_bytes: int
) -> bytes:
    """The report, word for word as the manual has it, in the account's language: the newest of `count` mails of together
    `size_bytes`."""
    with translation.override(account.language):
        return compose(
            Outgoing(
                from_=Address("postmaster", f"postmaster@{account.domain.name}"),
                to=[Address(account.name, account.address)],
                subject=_("Suspected spam: please check it, so that your work does not suffer!"),
                html=_html(account, mails, at, count=count, size=size_text(size_bytes)),
                date=at,
                extra_headers={"Auto-Submitted": "auto-generated"},
            )
        )


def _html(
    account: Account, mails: Sequence[QuarantinedMail], at: datetime.datetime, *, count: int, size: str
) -> SafeString:
    sentence = ngettext(
        "Hello, this is the suspicious mail that the mail security gateway has isolated for you: %(count)d mail, %(size)s in all.",
        "Hello, these are the suspicious mails that the mail security gateway has isolated for you: %(count)d mails, %(size)s in all.",
        count,
    ) % {"count": count, "size": size}
    more = ""
    left = count - len(mails)
    if left:
        more = ngettext("%d more is in your quarantine.", "%d more are in your quarantine.", left) % left
    return format_html(
        '<div style="font-family:Microsoft YaHei,Arial,sans-serif;font-size:14px;line-height:1.7">'
        '<h2 style="font-size:18px">{}</h2><p>{}</p><p>{}</p><p>{}</p>'
        '<table border="1" cellpadding="3" cellspacing="0" style="border-collapse:collapse;border-color:#d0d5dd;font-size:12px">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table><p>{}</p><p>{}</p></div>",
        _("Mail security gateway"),
        _("User: %(address)s") % {"address": account.address},
        _("Date: %(date)s") % {"date": f"{at:%Y-%m-%d %H:%M:%S}"},
        sentence,
        format_html_join("", '<th align="left" bgcolor="#f2f4f7">{}</th>', ((name,) for name in _columns())),
        format_html_join("", "<tr>{}</tr>", ((_row(mail, at.tzinfo),) for mail in mails)),
        more,
        _("Filtered spam is kept for 7 calendar days; please deal with it in time."),
    )


def _columns() -> Iterator[str]:
    yield from (_("Sender"), _("Subject"), _("Date received"), _("Size"), _("Type"), _("Action"))


def _row(mail: QuarantinedMail, zone: datetime.tzinfo | None) -> SafeString:
    action: str = _("By the administrator only")
    if mail.kind != QuarantinedMail.Kind.VIRUS:
        action = format_html(
            '<a href="{}" style="white-space:nowrap">{}</a>', RELEASE.make(mail.pk, mail.account_id), _("Release")
        )
    cells = (
        mail.sender_address or mail.envelope_from,
        mail.subject or _("(no subject)"),
        f"{mail.received_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        size_text(mail.size),
        kind_word(mail.kind),
        action,
    )
    broken, whole = "overflow-wrap:anywhere", "overflow-wrap:normal"
    styles = (broken, broken, whole, whole, broken, broken)  # so that a phone shows the link too
    return format_html_join("", '<td style="{}">{}</td>', zip(styles, cells, strict=True))


def kind_word(kind: str) -> str:
    """What the column "type" says."""
    words = {
        QuarantinedMail.Kind.SPAM: _("Junk mail"),
        QuarantinedMail.Kind.VIRUS: _("Virus"),
        QuarantinedMail.Kind.FILE: _("Dangerous attachment"),
        QuarantinedMail.Kind.BLOCKED: _("Blocked sender"),
        QuarantinedMail.Kind.REJECTED: _("Rejected by a filter"),
    }
    return words[QuarantinedMail.Kind(kind)]


def size_text(size_bytes: int) -> str:
    """10.4KB, as the manual writes it."""
    if size_bytes < 1024:
        return f"{size_bytes}B"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.1f}KB"
    return f"{size_bytes / 1024 / 1024:.1f}MB"
