"""Findings in words that their reader understands: what was found, not how it is called."""

from __future__ import annotations

import dataclasses

from django.utils.translation import gettext, gettext_lazy as _

from mta.spam.finding import Finding, Judged, Rule

AGAINST, FOR, NOTED = "bad", "good", "neutral"


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """One finding: a sentence, whether it speaks against the mail or for it, and its points ('' for none)."""

    words: str
    tone: str
    points: str


def told(judged: Judged) -> list[Told]:
    """All of them, the weightiest first."""
    found = []
    for finding in judged.findings:
        tone = AGAINST if finding.tenths > 0 or finding.rule in DANGERS else FOR if finding.tenths < 0 else NOTED
        points = f"{finding.tenths / 10:+.1f}" if finding.tenths else ""
        found.append(Told(sentence(finding), tone, points))
    return found


def sentence(finding: Finding) -> str:
    """In the reader's language."""
    first, second, third = (*finding.facts, "", "", "")[:3]
    facts = {"one": first, "two": second, "three": third}
    known = WORDS[finding.rule]
    return (known(facts) if callable(known) else str(known)) % facts


def _outside(facts: dict[str, str]) -> str:
    if facts["two"]:
        return gettext("The filter %(one)s judged it: %(two)s.")
    return gettext("The filter %(one)s judged it.")


DANGERS = frozenset(
    {
        Rule.PROGRAM,
        Rule.DOUBLE_EXTENSION,
        Rule.MACROS,
        Rule.VIRUS,
        Rule.BLOCKED,
        Rule.LOOKALIKE_OWN,
        Rule.LOOKALIKE_PARTNER,
        Rule.LINK_LOOKALIKE,
        Rule.COLLEAGUE_NAME,
        Rule.ADDRESS_AS_NAME,
        Rule.REPLY_ELSEWHERE,
    }
)
"""What a reader must see, whatever the score."""

WORDS: dict[Rule, object] = {
    Rule.FORGED: _("%(one)s does not vouch for this mail: the sender may be forged."),
    Rule.SPF_FAIL: _("%(one)s says that the sending server may not send for it."),
    Rule.SPF_SOFTFAIL: _("The sending server is probably not one of %(one)s."),
    Rule.DKIM_BROKEN: _("The signature of %(one)s does not fit the mail."),
    Rule.UNPROVEN: _("Nothing proves where this mail comes from."),
    Rule.PROVEN: _("The mail really comes from %(one)s."),
    Rule.LOOKALIKE_OWN: _("The sender's domain %(one)s looks like your company's %(two)s, but it is another one."),
    Rule.LOOKALIKE_PARTNER: _(
        "The sender's domain %(one)s looks like %(two)s, which your company writes to, but it is another one. "
        "Be careful with changed bank accounts."
    ),
    Rule.COLLEAGUE_NAME: _(
        "The sender has the name of your colleague %(one)s, but writes from a foreign address (%(two)s)."
    ),
    Rule.ADDRESS_AS_NAME: _("The sender shows the address %(one)s as his name, but writes from %(two)s."),
    Rule.REPLY_ELSEWHERE: _("Answers would go to a free mailbox (%(one)s) and not to %(two)s."),
    Rule.KNOWN: _("You have written to %(one)s before."),
    Rule.PARTNER: _("Your company has written to %(one)s before."),
    Rule.BAD_SENDER: _("Mail of %(one)s was mostly reported as junk here."),
    Rule.GOOD_SENDER: _("Mail of %(one)s has been welcome here."),
    Rule.LINK_DIFFERS: _("A link shows %(one)s but leads to %(two)s."),
    Rule.LINK_NUMERIC: _("A link leads to a bare number in place of a name: %(one)s."),
    Rule.LINK_PUNYCODE: _("A link leads to a name in disguised letters: %(one)s."),
    Rule.LINK_DISGUISED: _("A link hides where it leads: to %(one)s."),
    Rule.LINK_SHORTENED: _("A link hides its target behind a shortener: %(one)s."),
    Rule.LINK_LOOKALIKE: _("A link leads to %(one)s, which looks like your company's %(two)s."),
    Rule.NO_DATE: _("The mail has no date."),
    Rule.WRONG_DATE: _("The date of the mail is far from today."),
    Rule.NO_MESSAGE_ID: _("The mail lacks its identification."),
    Rule.NO_AUTHOR: _("The mail names no sender."),
    Rule.NO_RECIPIENT: _("The mail names no recipient."),
    Rule.FALSE_REPLY: _("It looks like an answer, but answers nothing."),
    Rule.ONLY_PICTURE: _("The mail is a picture with hardly any text."),
    Rule.EMPTY: _("The mail is empty."),
    Rule.SHOUTING: _("The subject is in capital letters."),
    Rule.PROGRAM: _("A program is attached: %(one)s."),
    Rule.DOUBLE_EXTENSION: _("A program that pretends to be a document is attached: %(one)s."),
    Rule.MACROS: _("A document with macros is attached: %(one)s."),
    Rule.LOCKED_ARCHIVE: _("An archive with a password is attached, which nobody could check: %(one)s."),
    Rule.VIRUS: _("It contains a virus: %(one)s."),
    Rule.WORDS_SPAM: _("Its words are those of junk mail."),
    Rule.WORDS_HAM: _("Its words are those of mail that is welcome here."),
    Rule.RSPAMD: _outside,
    Rule.SPAMASSASSIN: _outside,
    Rule.BLOCKED: _("Its sender is on the blacklist."),
    Rule.SAFE: _("Its sender is on the whitelist."),
}
