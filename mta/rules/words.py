"""Filters and what is wrong with them in words, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy as _

from core.errors import ErrorKind, MailError
from mta.rules.terms import Action, Condition, Do, How, What

WHATS = {
    What.SUBJECT: _("subject"),
    What.SENDER: _("sender"),
    What.RECIPIENT: _("recipient"),
    What.TEXT: _("full text"),
    What.SIZE: _("size in KB"),
    What.ATTACHMENT: _("attachment"),
    What.FILENAME: _("name of an attachment"),
    What.HEADER: _("header field"),
}
HOWS = {
    How.CONTAINS: _("contains"),
    How.IS: _("is"),
    How.MATCHES: _("matches"),
    How.OVER: _("over"),
    How.UNDER: _("under"),
    How.PRESENT: _("is there"),
}
DOES = {
    Do.MOVE: _("move to folder"),
    Do.LABEL: _("label"),
    Do.STAR: _("star"),
    Do.READ: _("mark as read"),
    Do.FORWARD: _("forward"),
    Do.REJECT: _("reject"),
    Do.DELETE: _("delete"),
}
WRONGS = {
    "form": _("This can't be read as a list of lines."),
    "empty": _("At least one line is needed."),
    "what": _("Line %(line)d: unknown kind of condition."),
    "how": _("Line %(line)d: this can't be compared in this way."),
    "header": _("Line %(line)d: this is no name of a header field."),
    "value": _("Line %(line)d: this value is not valid."),
    "do": _("Line %(line)d: unknown action."),
    "target": _("Line %(line)d: the action needs a folder, a label or an address."),
    "folder": _("Line %(line)d: there is no such folder that mail may be moved to."),
    "label": _("Line %(line)d: there is no such label."),
    "forward": _("Line %(line)d: mail may not be forwarded to this address, or it is not confirmed yet."),
}


def explained(error: MailError) -> str | None:
    """What is wrong with which line; None when the refusal is about something else."""
    wrong = WRONGS.get(str(error.data.get("wrong", "")))
    if error.kind is not ErrorKind.INVALID or wrong is None:
        return None
    return str(wrong) % {"line": int(str(error.data.get("number", 0))) + 1} if "%(" in str(wrong) else str(wrong)


def condition_words(condition: Condition) -> str:
    """One line: `subject contains “x”`."""
    what = condition.header if condition.what is What.HEADER else str(WHATS[condition.what])
    words = {"what": what, "how": HOWS[condition.how], "value": condition.value}
    said = gettext("%(what)s %(how)s “%(value)s”") if condition.value else gettext("%(what)s %(how)s")
    return gettext("not: %(condition)s") % {"condition": said % words} if condition.negated else said % words


def action_words(action: Action) -> str:
    """One line, without a folder's or label's name."""
    return f"{DOES[action.do]} {action.target}" if action.do is Do.FORWARD else str(DOES[action.do])
