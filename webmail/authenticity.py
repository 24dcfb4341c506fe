"""What was found out about a mail's origin when it came, in plain words.

Only the field in our own trace block counts: what a stranger wrote below it, or what was imported, is not ours.
"""

from __future__ import annotations

import dataclasses

from django.utils.translation import gettext as _

from mta.authentication.letter import split_fields
from mta.authentication.results import Told, read_results

FORGED, PROVEN, UNKNOWN = "bad", "good", "neutral"


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One check: its name, what came out, and why."""

    name: str
    words: str
    tone: str


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticity:
    """The verdict as one sentence, and the checks it comes from."""

    tone: str
    badge: str
    sentence: str
    lines: list[Line]


def authenticity(trace: bytes) -> Authenticity | None:
    """`trace` is the block that we put in front; None when the mail was not judged (our own, imported, trusted)."""
    for field in split_fields(b"\r\n" + trace.removesuffix(b"\r\n")):
        if field.name == b"authentication-results":
            _host, told = read_results(" ".join(field.value.decode("ascii", "replace").split()))
            return _described(told)
    return None


def _described(told: list[Told]) -> Authenticity | None:
    by_method = {each.method: each for each in reversed(told)}
    passed = next((each for each in told if each.method == "dkim" and each.outcome == "pass"), None)
    spf, dmarc = by_method.get("spf"), by_method.get("dmarc")
    if spf is None or dmarc is None:
        return None
    lines = [_spf_line(spf), _dkim_line(passed or by_method.get("dkim")), _dmarc_line(dmarc)]
    author = dmarc.properties.get("header.from", "")
    if dmarc.outcome == "pass" or (dmarc.outcome == "none" and _is_same(author, passed, spf)):
        sentence = _("This mail really comes from %(domain)s.") % {"domain": author}
        return Authenticity(PROVEN, _("Verified"), sentence, lines)
    if dmarc.outcome == "fail":
        sentence = _("%(domain)s does not vouch for this mail. The sender may be forged.") % {"domain": author}
        return Authenticity(FORGED, _("Not verified"), sentence, lines)
    sentence = _("It could not be proven that this mail comes from %(domain)s.") % {"domain": author or "?"}
    return Authenticity(UNKNOWN, _("Unproven"), sentence, lines)


def _is_same(author: str, signature: Told | None, spf: Told) -> bool:
    """Without a DMARC record only the author's very own domain proves anything."""
    signed = signature is not None and signature.properties.get("header.d") == author
    return bool(author) and (signed or (spf.outcome == "pass" and spf.properties.get("smtp.mailfrom") == author))


def _spf_line(told: Told) -> Line:
    domain = told.properties.get("smtp.mailfrom") or told.properties.get("smtp.helo") or "?"
    words = {
        "pass": _("The sending server may send for %(domain)s"),
        "fail": _("The sending server may not send for %(domain)s"),
        "softfail": _("The sending server is probably not one of %(domain)s"),
        "none": _("%(domain)s does not say which servers may send for it"),
        "neutral": _("%(domain)s does not say whether this server may send for it"),
        "permerror": _("%(domain)s has a faulty list of servers"),
        "temperror": _("The list of servers of %(domain)s could not be looked up"),
    }
    tone = {"pass": PROVEN, "fail": FORGED}.get(told.outcome, UNKNOWN)
    return Line(_("Server (SPF)"), words.get(told.outcome, told.outcome) % {"domain": domain}, tone)


def _dkim_line(told: Told | None) -> Line:
    name = _("Signature (DKIM)")
    if told is None or told.outcome == "none":
        return Line(name, _("The mail is not signed"), UNKNOWN)
    domain = told.properties.get("header.d", "?")
    if told.outcome == "pass":
        return Line(name, _("Signed by %(domain)s and unchanged since") % {"domain": domain}, PROVEN)
    reasons = {
        "body was changed": _("the text was changed on the way"),
        "header was changed": _("the header was changed on the way"),
        "signature expired": _("it has expired"),
        "no key in DNS": _("its key is not published"),
        "key is revoked": _("its key was withdrawn"),
        "body goes on after what was signed": _("something was added to the text"),
        "DNS did not answer for the key": _("its key could not be looked up"),
    }
    reason = reasons.get(told.reason, told.reason or told.outcome)
    words = _("The signature of %(domain)s does not count: %(reason)s") % {"domain": domain, "reason": reason}
    return Line(name, words, FORGED if told.outcome == "fail" else UNKNOWN)


def _dmarc_line(told: Told) -> Line:
    name = _("Author's domain (DMARC)")
    domain = told.properties.get("header.from", "?")
    if told.outcome == "fail" and told.comment == "p=none":
        return Line(name, _("Neither check speaks for %(domain)s") % {"domain": domain}, FORGED)
    words = {
        "pass": _("One of the checks speaks for %(domain)s"),
        "fail": _("Neither check speaks for %(domain)s, which wants such mail refused or put aside"),
        "none": _("%(domain)s does not say what to do with forged mail"),
        "temperror": _("What %(domain)s wants could not be looked up"),
    }
    shown = words.get(told.outcome, _("%(domain)s has a faulty record, or the mail has no author"))
    tone = {"pass": PROVEN, "fail": FORGED}.get(told.outcome, UNKNOWN)
    return Line(name, shown % {"domain": domain}, tone)
