"""ID (RFC 2971): which program this is; shown in the sign-in log."""

from __future__ import annotations

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.session import Answer, Session

MAX_FIELDS = 30
MAX_KEY_BYTES = 30
MAX_VALUE_BYTES = 1024


async def run(session: Session, cursor: Cursor) -> Answer:
    """`ID (key value …)` or `ID NIL`."""
    cursor.space()
    if cursor.peek() == b"(":
        words = cursor.listed(cursor.nstring, may_be_empty=True)
        session.program = _fields(words)
    else:
        cursor.expect(b"NIL")
    cursor.end()
    session.untagged('ID ("name" "Globalmail")')
    return Answer("Pleased to meet you")


def _fields(words: list[bytes | None]) -> dict[str, str]:
    if len(words) % 2 or len(words) > 2 * MAX_FIELDS:
        raise ImapSyntaxError("bad ID list")
    found: dict[str, str] = {}
    for key, value in zip(words[::2], words[1::2], strict=True):
        if key is None or len(key) > MAX_KEY_BYTES or len(value or b"") > MAX_VALUE_BYTES:
            raise ImapSyntaxError("bad ID field")
        text = (value or b"").decode("utf-8", "replace")
        found[key.decode("utf-8", "replace").lower()] = "".join(c for c in text if c.isprintable())
    return found
