"""The grammar of SMTP commands (RFC 5321 4.1): text in, values out; no sockets, no store.

One regular expression per command keeps the usual line under 5 µs. Leniencies, each met daily and harmless: spaces
after `FROM:` and `TO:`, an underscore in a host name. Source routes are read and ignored (RFC 5321 appendix C).
"""

from __future__ import annotations

import dataclasses
import functools
import re

from accounts.addressing import domain_key
from mta.smtp_in import later
from mta.smtp_in.dsn import RETURNS, is_envelope_id, read_notify, read_original
from mta.wishes import RecipientWish

LOCAL_PART_MAX = 64
"""RFC 5321 4.5.3.1.1."""
DOMAIN_MAX = 255
"""RFC 5321 4.5.3.1.2."""
BINARY = "BINARYMIME"
"""RFC 3030 3."""
MAIL_PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8", "AUTH", "REQUIRETLS"})
MAIL_DSN_PARAMETERS = MAIL_PARAMETERS | {"RET", "ENVID"}
RCPT_DSN_PARAMETERS = frozenset({"NOTIFY", "ORCPT"})

ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]"
DOT_STRING = rf"{ATEXT}+(?:\.{ATEXT}+)*"
QUOTED_STRING = r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"'
LABEL = r"(?!-)[A-Za-z0-9_\-\u0080-\U0010ffff]{1,63}(?<!-)"
LITERAL = r"\[[A-Za-z0-9:.\-]{1,60}\]"
MAILBOX = rf"(?P<local>{DOT_STRING}|{QUOTED_STRING})@(?P<domain>{LABEL}(?:\.{LABEL})*\.?|{LITERAL})"
ROUTE = rf"(?:@{LABEL}(?:\.{LABEL})*(?:,@{LABEL}(?:\.{LABEL})*)*:)?"
PARAMETERS = r"(?P<parameters>(?: +[^ ]+)*) *"

_MAIL = re.compile(rf"FROM: *<(?:{ROUTE}{MAILBOX})?>{PARAMETERS}", re.IGNORECASE)
_RCPT = re.compile(rf"TO: *<(?:{ROUTE}{MAILBOX}|(?P<postmaster>postmaster))>{PARAMETERS}", re.IGNORECASE)
_MAILBOX = re.compile(MAILBOX)
_PARAMETER = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[^\x00-\x20=\x7f]+))?")
_PLAIN_QUOTED = re.compile(rf'"({DOT_STRING})"')


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a command: an enhanced status code (RFC 3463) and a sentence."""

    code: int
    enhanced: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM. `sender` is empty for the null reverse-path; `size` 0 when the client did not say."""

    sender: str
    size: int = 0
    utf8: bool = False
    require_tls: bool = False
    returned: str = ""
    envelope_id: str = ""
    is_binary: bool = False
    hold_for: str | None = None
    hold_until: str | None = None
    """As they were said (`mta.smtp_in.later` reads them)."""


BAD_MAIL = Problem(501, "5.5.4", "Syntax: MAIL FROM:<address>")
BAD_RCPT = Problem(501, "5.5.4", "Syntax: RCPT TO:<address>")
BAD_ADDRESS = Problem(553, "5.1.3", "Address is too long or not valid")
NEEDS_UTF8 = Problem(553, "5.6.7", "Address needs SMTPUTF8")
BAD_PARAMETER = Problem(501, "5.5.4", "Parameter is not valid")
UNKNOWN_PARAMETER = Problem(555, "5.5.4", "Parameter is not known")


def parse_mail(argument: str, *, dsn: bool = False, holds: bool = False) -> Mail | Problem:
    """Read what follows `MAIL ` (RFC 5321 4.1.1.2, RFC 1870 SIZE, RFC 6152 and RFC 3030 BODY, RFC 6531 SMTPUTF8, RFC 8689
    REQUIRETLS; with `dsn` RFC 3461 4.3, 4.4; with `holds` RFC 4865 5)."""
    found = _MAIL.fullmatch(argument)
    if found is None:
        return BAD_MAIL
    parameters = _parameters(found["parameters"])
    if isinstance(parameters, Problem):
        return parameters
    known = MAIL_DSN_PARAMETERS if dsn else MAIL_PARAMETERS
    problem = _check_mail(parameters, known | later.PARAMETERS if holds else known)
    if problem is not None:
        return problem
    utf8 = "SMTPUTF8" in parameters
    sender = "" if found["local"] is None else _address(found["local"], found["domain"], utf8=utf8)
    if isinstance(sender, Problem):
        return sender
    returned, envelope_id = parameters.get("RET", "").upper(), parameters.get("ENVID", "")
    said = (sender, int(parameters.get("SIZE", "0")), utf8, "REQUIRETLS" in parameters, returned, envelope_id)
    return Mail(
        *said, parameters.get("BODY", "").upper() == BINARY, parameters.get("HOLDFOR"), parameters.get("HOLDUNTIL")
    )


def parse_rcpt(argument: str, *, utf8: bool = False, dsn: bool = False) -> str | Problem:
    """Read what follows `RCPT `: the address, or `postmaster` alone (RFC 5321 4.5.1). With `dsn` parameters are
    `parse_wish`'s."""
    found = _RCPT.fullmatch(argument)
    if found is None:
        return BAD_RCPT
    if not dsn and found["parameters"].strip():
        return UNKNOWN_PARAMETER  # RFC 5321 4.1.1.11
    if found["postmaster"]:
        return "postmaster"
    return _address(found["local"], found["domain"], utf8=utf8)


def parse_wish(argument: str) -> RecipientWish | Problem:
    """The parameters of a RCPT that `parse_rcpt` has read (RFC 3461 4.1, 4.2)."""
    found = _RCPT.fullmatch(argument)
    parameters = _parameters(found["parameters"]) if found else BAD_RCPT
    if isinstance(parameters, Problem):
        return parameters
    if not parameters.keys() <= RCPT_DSN_PARAMETERS:
        return UNKNOWN_PARAMETER
    notify = read_notify(parameters["NOTIFY"]) if "NOTIFY" in parameters else ""
    original = read_original(parameters["ORCPT"]) if "ORCPT" in parameters else ""
    return BAD_PARAMETER if notify is None or original is None else RecipientWish(notify, original)


def parse_address(text: str) -> str | None:
    """`text` as one bare address in its normal form, or None."""
    found = _MAILBOX.fullmatch(text)
    if found is None:
        return None
    address = _address(found["local"], found["domain"], utf8=True)
    return None if isinstance(address, Problem) else address


@functools.lru_cache(maxsize=1_024)
def _address(local: str, domain: str, *, utf8: bool) -> str | Problem:
    if not utf8 and not (local.isascii() and domain.isascii()):
        return NEEDS_UTF8  # RFC 6531 3.5
    plain = _PLAIN_QUOTED.fullmatch(local)
    local = plain[1] if plain else local  # "alice"@x and alice@x are one mailbox (RFC 5321 4.1.2)
    domain = domain_key(domain)
    if not domain or len(local.encode()) > LOCAL_PART_MAX or len(domain) > DOMAIN_MAX:
        return BAD_ADDRESS
    return f"{local}@{domain}"


def _parameters(text: str) -> dict[str, str] | Problem:
    parameters: dict[str, str] = {}
    for word in text.split():
        found = _PARAMETER.fullmatch(word)
        if found is None or found["name"].upper() in parameters:
            return BAD_PARAMETER
        parameters[found["name"].upper()] = found["value"] or ""
    return parameters


def _check_mail(parameters: dict[str, str], known: frozenset[str]) -> Problem | None:
    if not parameters:
        return None
    if not parameters.keys() <= known:
        return UNKNOWN_PARAMETER
    size = parameters.get("SIZE", "0")
    if not (size.isascii() and size.isdigit() and len(size) <= 20):  # RFC 1870 4
        return BAD_PARAMETER
    if parameters.get("BODY", "7BIT").upper() not in {"7BIT", "8BITMIME", BINARY}:
        return BAD_PARAMETER
    if parameters.get("SMTPUTF8") or parameters.get("REQUIRETLS"):
        return BAD_PARAMETER
    if parameters.get("RET", "").upper() not in RETURNS or not is_envelope_id(parameters.get("ENVID", "")):
        return BAD_PARAMETER
    return None
