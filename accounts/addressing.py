"""Mail addresses and domain names in the one form that tables and look-ups use.

Local parts are compared without case (RFC 5321 2.4 leaves that to the host); domain names are lower-case A-labels
(RFC 5890, RFC 5891). What we give out is narrower than what we understand: no quotes, no `+` in an account's name.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import idna

from core.errors import ErrorKind, MailError

MAX_LOCAL_PART = 64  # RFC 5321 4.5.3.1.1
MAX_ADDRESS = 254  # RFC 5321 4.5.3.1.3: a path of 256 octets less its brackets
TAG_SEPARATOR = "+"  # RFC 5233

LOCAL_PART = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?=[a-z0-9_-]))*\Z", re.ASCII)
HOST_LABELS = frozenset({"webmail", "mail", "www", "imap", "smtp", "pop", "autoconfig", "mta-sts"})


class Parts(NamedTuple):
    """The two sides of an address, each in canonical form."""

    local_part: str
    domain: str

    @property
    def address(self) -> str:
        """Both sides again."""
        return f"{self.local_part}@{self.domain}"

    @property
    def untagged(self) -> Parts:
        """Without the `+tag` of plus addressing."""
        return Parts(self.local_part.partition(TAG_SEPARATOR)[0] or self.local_part, self.domain)


def canonical_domain(name: str) -> str:
    """The A-label form of a domain name to be created or listed; raises MailError(INVALID)."""
    try:
        ascii_name = idna.encode(name.strip().rstrip("."), uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise MailError(ErrorKind.INVALID, field="domain", name=name) from None
    if "." not in ascii_name:
        raise MailError(ErrorKind.INVALID, field="domain", name=name)
    return ascii_name


def canonical_local_part(text: str) -> str:
    """The name of an account, alias or group to be created; raises MailError(INVALID)."""
    local_part = text.strip().lower()
    if len(local_part) > MAX_LOCAL_PART or not text.isascii() or not LOCAL_PART.match(local_part):
        raise MailError(ErrorKind.INVALID, field="local_part", name=text)
    return local_part


def parse(address: str) -> Parts | None:
    """What an address from outside means here, or None when it can't be any address of ours."""
    local_part, at, domain = address.strip().rpartition("@")
    if not at or not local_part or not domain or len(address) > MAX_ADDRESS or not address.isprintable():
        return None
    name = domain_key(domain)
    return Parts(_folded(_unquoted(local_part)), name) if name else None


def domain_key(name: str) -> str:
    """The form under which a name from outside is looked up; empty when it can't be a domain."""
    lowered = name.lower().rstrip(".")
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""


def host_name(host: str) -> str:
    """The name in a Host header, without its port, lower-cased."""
    return domain_key(re.sub(r":\d*\Z", "", host.strip()))


def display_domain(name: str) -> str:
    """The U-label form for people; the name itself when it has none."""
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name


def _folded(local_part: str) -> str:
    """Case of ASCII letters only: the Kelvin sign is no k (RFC 6531 3.3 leaves the rest to us)."""
    return local_part.lower() if local_part.isascii() else local_part


def _unquoted(local_part: str) -> str:
    """RFC 5321 4.1.2: "alice" and alice are the same mailbox."""
    if len(local_part) > 1 and local_part.startswith('"') and local_part.endswith('"'):
        return re.sub(r"\\(.)", r"\1", local_part[1:-1])
    return local_part
