"""Pages that a signed link in a mail leads to: whoever has the link has the right. Looking asks, a button says yes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from mta.models import HeldPost
from mta.services.forwards import asked_target, confirm_target
from mta.services.moderation import asked_post, decide_by_link


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forward_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The owner of an address agrees that mail is forwarded to it."""
    target = confirm_target(token) if request.method == "POST" else asked_target(token)
    words = {"account": target.account.address, "address": target.address}
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
        "text": post.preview if is_waiting else "",
        "facts": [
            (_("List"), post.address),
            (_("Sender"), post.sender_address or post.envelope_from),
            (_("Subject"), post.subject or _("(no subject)")),
        ],
        "buttons": [("release", _("Approve"), True), ("refuse", _("Reject"), False)] if is_waiting else [],
    }
    return render(request, "webmail/signed.html", page)
