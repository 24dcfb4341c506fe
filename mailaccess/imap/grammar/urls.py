"""IMAP URLs of messages and their parts (RFC 5092), as CATENATE names them (RFC 4469 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mailaccess.imap.grammar.cursor import MAX_NUMBER, MAX_NUMBER64
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.fetch import Section, section_of

MAX_URL_BYTES = 4_000
_URL = re.compile(
    r"(?:imap://(?:[^/@]*@)?(?P<host>[^/:]+)(?::\d+)?)?"
    r"/?(?P<mailbox>[^;]*?)(?:;UIDVALIDITY=(?P<validity>\d{1,10}))?"
    r"/?;UID=(?P<uid>\d{1,10})"
    r"(?:/;SECTION=(?P<section>[^;]+?))?"
    r"(?:/;PARTIAL=(?P<begin>\d{1,19})(?:\.(?P<size>\d{1,19}))?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """A message or a part of one. `mailbox` is empty for the selected one, `host` for this server."""

    text: str
    host: str
    mailbox: str
    uidvalidity: int
    """0: whatever it is."""
    uid: int
    section: Section
    partial: tuple[int, int] | None


def message_url(raw: bytes) -> MessageUrl | None:
    """The URL, None for what isn't one of a message."""
    try:
        text = raw.decode("ascii")
        found = _URL.fullmatch(text) if len(text) <= MAX_URL_BYTES else None
        if found is None:
            return None
        section = section_of(unquote_to_bytes(found["section"] or ""))
        name = unquote_to_bytes(found["mailbox"]).decode()
    except (UnicodeDecodeError, ImapSyntaxError):
        return None
    uid, validity = int(found["uid"]), int(found["validity"] or 0)
    if not 0 < uid <= MAX_NUMBER or (found["host"] and not name):
        return None
    partial = (int(found["begin"]), int(found["size"] or MAX_NUMBER64)) if found["begin"] else None
    return MessageUrl(text, (found["host"] or "").lower(), name, validity, uid, section, partial)
