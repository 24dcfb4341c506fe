"""How far a mail has come, in plain words."""

from __future__ import annotations

from django.utils.translation import gettext as _, gettext_lazy

from core.access import Access
from mta.models import Delivery
from mta.selectors import held_drafts

State = Delivery.State

STATES = {
    State.HELD: gettext_lazy("Can still be undone"),
    State.APPROVAL: gettext_lazy("Awaiting approval"),
    State.SCHEDULED: gettext_lazy("Scheduled"),
    State.QUEUED: gettext_lazy("Being delivered"),
    State.SENDING: gettext_lazy("Being delivered"),
    State.DEFERRED: gettext_lazy("Delayed, will be retried"),
    State.DELIVERED: gettext_lazy("Delivered to the recipient's mailbox"),
    State.ACCEPTED: gettext_lazy("Delivered to the recipient's server"),
    State.BOUNCED: gettext_lazy("Returned"),
    State.RECALLED: gettext_lazy("Recalled"),
    State.CANCELLED: gettext_lazy("Cancelled"),
}
TONES = {
    State.DELIVERED: "good",
    State.ACCEPTED: "good",
    State.BOUNCED: "bad",
    State.DEFERRED: "warn",
    State.APPROVAL: "warn",
    State.CANCELLED: "quiet",
    State.RECALLED: "quiet",
}


def state_words(state: str) -> str:
    """The state as people say it."""
    return str(STATES.get(State(state), state))


def held_words(access: Access) -> dict[int, str]:
    """What the copies in 草稿箱 are that are drafts no more, by entry: their mail has been sent."""
    return {entry: state_words(each.state) for entry, each in held_drafts(access).items()}


def tone_of(state: str) -> str:
    """The colour it has: good, bad, warn, quiet, plain."""
    return TONES.get(State(state), "plain")


def reason_words(code: str) -> str:
    """Why a server did not take a mail, by its code (RFC 3463)."""
    known = {
        "5.1.1": _("there is no such mailbox"),
        "5.1.2": _("there is no such domain, or it takes no mail"),
        "5.1.10": _("the domain takes no mail"),
        "5.2.1": _("the mailbox is disabled"),
        "5.2.2": _("the mailbox is full"),
        "4.2.2": _("the mailbox is full"),
        "5.3.4": _("the mail is too large"),
        "5.7.1": _("the recipient does not take it"),
        "4.4.7": _("the server could not be reached for days"),
        "4.4.1": _("the server can't be reached"),
        "4.7.1": _("the server asks to try again later"),
    }
    if code in known:
        return known[code]
    return _("the server refused it") if code.startswith("5") else _("the server did not take it yet")
