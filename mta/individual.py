"""群发单显: one mail to many, of which each gets a copy of his own that names nobody else.

What is stored of such a mail names no recipient at all (`shared`), so that no road that forgets to make a copy can tell
one recipient of another. A copy has its own Message-ID and refers to that of the author's (RFC 5322 3.6.4), so that
answers find his conversation. No I/O.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from core.crypto import keyed_hash
from mailstore.message import Address, header, parse_address_list, read
from mailstore.message.write import address_list, ids
from mta.merging import merged

PURPOSE = "mta.individual"
LOCAL_MAX_BYTES = 256 * 1024 * 1024
"""Of all copies for colleagues together: each is stored, for each has bytes of its own."""
_FIELD = rb"[ \t]*:[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+"
_RECIPIENTS = re.compile(rb"(?im)^(?:resent-)?(?:to|cc|bcc)" + _FIELD)
_OWN = re.compile(rb"(?im)^(?:to|cc|message-id|references)" + _FIELD)
_REFERENCES = re.compile(rb"(?im)^references(" + _FIELD + rb")")
REFERENCES_MAX = 20
NOBODY = b"To: undisclosed-recipients:;\r\n"


def shared(raw: bytes) -> bytes:
    """The mail without those it goes to."""
    stop, _body = header.block_end(raw, 0, len(raw))
    return NOBODY + _RECIPIENTS.sub(b"", raw[:stop]) + raw[stop:]


def names_in(raw: bytes) -> Mapping[str, str]:
    """Address (lower case) to the name that the author gave its owner in To, Cc or Bcc."""
    stop, _body = header.block_end(raw, 0, len(raw))
    readable = read(raw[:stop] + b"\r\n")
    return {each.address.lower(): each.name for each in (*readable.to, *readable.cc, *readable.bcc) if each.name}


def own_copy(raw: bytes, message_id: str, recipient: str, name: str = "") -> bytes:
    """The copy of one recipient, made of what `shared` left, with his name where the author wants it (`mta.merging`). The same
    each time: a mail that is tried again is no other mail."""
    raw = merged(raw, name)
    stop, _body = header.block_end(raw, 0, len(raw))
    known = _REFERENCES.search(raw[:stop])
    chain = re.findall(rb"<([^<>\s]{1,250})>", known[1]) if known else []
    references = [each.decode("ascii", "replace") for each in chain][-(REFERENCES_MAX - 1) :]
    lines = [f"To: {address_list([_address(recipient, name)])}\r\n"]
    if message_id:
        lines.append(f"Message-ID: {ids([own_id(message_id, recipient)])}\r\n")
        lines.append(f"References: {ids([*references, message_id])}\r\n")
    return "".join(lines).encode("utf-8") + _OWN.sub(b"", raw[:stop]) + raw[stop:]


def own_id(message_id: str, recipient: str) -> str:
    """The Message-ID of one recipient's copy; nobody can tell another's from it."""
    left, _, right = message_id.partition("@")
    digest = keyed_hash(PURPOSE, f"{message_id} {recipient.lower()}".encode())
    mark = base64.b32encode(digest[:10]).decode().lower()
    return f"{left[:100]}.{mark}@{right}"[:250] if right else f"{mark}.{left[:200]}"


def _address(recipient: str, name: str) -> Address:
    found = parse_address_list(recipient)
    address = found[0].address if found and isinstance(found[0], Address) else recipient
    return Address(name, address)
