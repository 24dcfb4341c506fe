"""Pages that a signed link in a mail leads to: whoever has the link has the right. Looking asks, a button says yes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Account
from accounts.selectors import expand_group, named
from documents.filetype import safe_filename
from mailstore.message import Readable, read
from mta.models import HeldPost
from mta.services.forwards import asked_target, confirm_target
from mta.services.moderation import asked_post, decide_by_link, post_content

FILES_SHOWN = 20
Fact = tuple[str, list[str]]
"""A name and what stands beside it, line by line."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forward_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The owner of an address agrees that mail is forwarded to it."""
    target = confirm_target(token) if request.method == "POST" else asked_target(token)
    words = {"account": _with_name(target.account), "address": target.address}
    page = {
        "title": _("Forwarded mail"),
        "heading": _("Receive mail of %(account)s?") % words,
        "text": _("%(account)s wants to forward mail to %(address)s. To end it later, write to %(account)s.") % words,
        "buttons": [("yes", _("Yes, forward it to me"), True)],
    }
    if target.confirmed_at is not None:
        page["heading"] = _("Confirmed")
        page["text"] = _("Mail of %(account)s may be forwarded to %(address)s.") % words
        page["buttons"] = []
    return render(request, "webmail/signed.html", page)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def held_post(request: HttpRequest, token: str) -> HttpResponse:
    """A list's approver lets a mail on, or does not."""
    post = asked_post(token)
    answer = request.POST.get("answer", "")
    if request.method == "POST" and answer in ("release", "refuse"):
        post = decide_by_link(token, release=answer == "release")
    headings = {
        HeldPost.State.WAITING: _("Let this mail on to the list?"),
        HeldPost.State.RELEASED: _("Approved: the members have it."),
        HeldPost.State.REFUSED: _("Rejected: nobody gets it."),
        HeldPost.State.EXPIRED: _("The time for a decision is over."),
    }
    is_waiting = post.state == HeldPost.State.WAITING
    page = {
        "title": _("Mail waiting for approval"),
        "heading": headings[HeldPost.State(post.state)],
        "facts": _facts(post) if is_waiting else _subject(post),
        "preview": post.preview if is_waiting else "",
        "buttons": [("release", _("Approve"), True), ("refuse", _("Reject"), False)] if is_waiting else [],
    }
    return render(request, "webmail/signed.html", page)


def _with_name(account: Account) -> str:
    return f"{account.name} ({account.address})" if account.name else account.address


def _subject(post: HeldPost) -> list[Fact]:
    return [(_("Subject"), [post.subject or _("(no subject)")])]


def _facts(post: HeldPost) -> list[Fact]:
    """What whoever decides wants to know first. Files are named as the mail names them, which is kept while it waits."""
    mail, members = read(post_content(post)), expand_group(post.group_id, sender=post.envelope_from)
    names = [each for each in mail.attachments if not each.inline or not mail.html]
    files = [f"{safe_filename(each.filename)} ({filesizeformat(each.size_bytes)})" for each in names[:FILES_SHOWN]]
    more = len(names) - FILES_SHOWN
    if more > 0:
        files.append(ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more})
    count = len(members.accounts) + len(members.externals)
    return [
        *_subject(post),
        (_("Sender"), _sender(post, mail)),
        (_("To the list"), [post.group.name, post.address]),
        (_("Members"), [ngettext("%(n)d recipient", "%(n)d recipients", count) % {"n": count}]),
        (_("Date received"), [date_format(localtime(post.created_at), "DATETIME_FORMAT")]),
        (_("Size"), [filesizeformat(post.size)]),
        (_("Attachments"), files or [_("none")]),
        (_("Why it waits"), [_("Mail to this list reaches its members only after approval.")]),
        (_("Decide by"), [date_format(localtime(post.expires_at), "DATETIME_FORMAT")]),
    ]


def _sender(post: HeldPost, mail: Readable) -> list[str]:
    """Name, department of a colleague, address; and who handed it in, where that is another address."""
    address = post.sender_address or post.envelope_from
    colleague = named([address], {post.domain_id}).get(address.lower())
    written = next((each.name for each in mail.from_ if each.name), "")
    who = [colleague.name, colleague.department] if colleague else [written]
    via = [_("handed in by %s") % post.envelope_from] if post.envelope_from.lower() != address.lower() else []
    return [*(each for each in who if each), address, *via]
