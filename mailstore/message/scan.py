"""Everything that delivery stores about a message, in one pass.

`scan` is the hot path: one regex over the header block, the MIME tree by offsets, 2,400 bytes decoded for the
preview. It takes any bytes and never raises; time and memory are bounded by the limits of `header` and
`structure`. `PARSER_VERSION` rises whenever the answer for the same bytes may differ: stored rows of an older
version may be scanned again.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from mailstore.message import body, header, recipient
from mailstore.message.date import date_us
from mailstore.message.envelope import bodystructure, envelope
from mailstore.message.preview import preview
from mailstore.message.structure import Node, structure

PARSER_VERSION = 1

MAX_SUBJECT_CHARS = 500
MAX_NAME_CHARS = 200
MAX_ADDRESS_CHARS = 320
MAX_RECIPIENTS_CHARS = 200
"""Of more than a hundred people nobody's name has room (`recipient.MAX_NAMED`)."""
MAX_REFERENCES = 50
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Attribute(enum.IntFlag):
    """What lists show of a message and filters ask for."""

    ATTACHMENT = 1
    CALENDAR = 2
    LIST = 4
    AUTO_SUBMITTED = 8
    SIGNED = 16
    ENCRYPTED = 32
    HIGH_PRIORITY = 64
    RECEIPT_REQUESTED = 128


(
    _ATTACHMENT,
    _CALENDAR,
    _LIST,
    _AUTO_SUBMITTED,
    _SIGNED,
    _ENCRYPTED,
    _HIGH_PRIORITY,
    _RECEIPT_REQUESTED,
) = (int(each) for each in Attribute)
# Plain numbers: arithmetic on members of an enum makes members.


@dataclass(frozen=True, slots=True)
class Scanned:
    """The facts of a message. Text holds no NUL, no lone surrogate and, where it is one line, no control."""

    size: int
    header_length: int
    """Bytes up to the body, the empty line included."""
    subject: str
    sender_name: str
    sender_address: str
    recipients_short: str
    """Names of To (then Cc), or addresses where there is no name."""
    sent_us: int | None
    message_id: str | None
    references: tuple[str, ...]
    """Message-IDs of References and In-Reply-To without brackets, oldest first."""
    ancestors: tuple[str, ...]
    """Message-IDs that make a tree (RFC 5256 3): of References, or else the first of In-Reply-To."""
    envelope: str
    bodystructure: str
    parts: str
    """JSON: [number, type, subtype, charset, encoding, filename, content_id, disposition, header_offset,
    body_offset, body_end, lines] of each leaf and each message/rfc822."""
    preview: str
    attributes: int


def scan(raw: bytes) -> Scanned:
    """Read what is stored about `raw`; see the head of this file."""
    root = structure(raw)
    fields = root.fields or {}
    nodes = [node for node in root.walk() if not node.children and node.number]
    sender_name, sender_address = (_people(fields, b"from", b"sender") or (("", ""),))[0]
    return Scanned(
        size=len(raw),
        header_length=root.body_offset,
        subject=header.decoded(fields.get(b"subject", b""))[:MAX_SUBJECT_CHARS],
        sender_name=sender_name[:MAX_NAME_CHARS],
        sender_address=sender_address[:MAX_ADDRESS_CHARS],
        recipients_short=_recipients(fields),
        sent_us=date_us(fields.get(b"date")),
        message_id=message_id(fields),
        references=references(fields),
        ancestors=ancestors(fields),
        envelope=envelope(fields),
        bodystructure=bodystructure(raw, root),
        parts=_parts_json(raw, nodes),
        preview=preview(raw, _outer_leaves(root)),
        attributes=attributes(root, fields),
    )


def _outer_leaves(root: Node) -> list[Node]:
    """The leaves that belong to this message and not to one inside it."""
    if not root.children:
        return [root]
    leaves: list[Node] = []
    for child in root.children:
        leaves += _outer_leaves(child)
    return leaves


def _people(fields: dict[bytes, bytes], name: bytes, otherwise: bytes) -> tuple[tuple[str, str], ...]:
    return recipient.named(fields.get(name)) or recipient.named(fields.get(otherwise))


def _recipients(fields: dict[bytes, bytes]) -> str:
    names: list[str] = []
    length = 0
    for name, address in _people(fields, b"to", b"cc"):
        names.append(name or address)
        length += len(names[-1]) + 2
        if length > MAX_RECIPIENTS_CHARS:
            break
    return ", ".join(names)[:MAX_RECIPIENTS_CHARS]


# RFC 5322 3.6.4; what senders make of it may hold spaces from folding, never brackets.
_MESSAGE_ID = re.compile(rb"<\s*([^<>]{1,998})>")


def message_id(fields: dict[bytes, bytes]) -> str | None:
    """The Message-ID without its brackets, or None."""
    value = header.unfolded(fields.get(b"message-id", b""))
    match = _MESSAGE_ID.search(value)
    found = _id_text(match[1] if match else value[:998])
    return found or None


def references(fields: dict[bytes, bytes]) -> tuple[str, ...]:
    """Ids of References, then of In-Reply-To; each once; the newest 50."""
    value = fields.get(b"references", b"") + b" " + fields.get(b"in-reply-to", b"")
    if value == b" ":
        return ()
    found = _MESSAGE_ID.findall(value[-header.MAX_VALUE_BYTES :].replace(b"\r", b"").replace(b"\n", b""))
    unique = dict.fromkeys(filter(None, map(_id_text, found)))
    return tuple(unique)[-MAX_REFERENCES:]


def ancestors(fields: dict[bytes, bytes]) -> tuple[str, ...]:
    """What THREAD=REFERENCES goes by (RFC 5256 3): the ids of References, oldest first, each once, the newest 50; the
    first id of In-Reply-To where there are none."""
    found = _ids(fields.get(b"references", b""))
    return found[-MAX_REFERENCES:] if found else _ids(fields.get(b"in-reply-to", b""))[:1]


def _ids(value: bytes) -> tuple[str, ...]:
    if not value:
        return ()
    found = _MESSAGE_ID.findall(value[-header.MAX_VALUE_BYTES :].replace(b"\r", b"").replace(b"\n", b""))
    return tuple(dict.fromkeys(filter(None, map(_id_text, found))))


def _id_text(value: bytes) -> str:
    text = value.decode("ascii", "replace") if not value.isascii() else value.decode("ascii")
    return "".join(text.split()) if text.isprintable() else "".join(c for c in text if c.isprintable() and c != " ")


def _parts_json(raw: bytes, nodes: list[Node]) -> str:
    rows = [
        [
            node.number,
            node.type,
            node.subtype,
            node.charset[:40],
            node.encoding,
            node.filename,
            content_id(node),
            node.disposition,
            node.header_offset,
            node.body_offset,
            node.body_end,
            body.line_count(raw, node),
        ]
        for node in nodes
    ]
    return _JSON.encode(rows)


def content_id(node: Node) -> str:
    """Content-ID without its brackets (RFC 2392)."""
    return node.content_id.strip(" <>")[:250]


_SIGNATURES = frozenset({"pkcs7-signature", "x-pkcs7-signature", "pgp-signature", "pgp-keys"})
_PKCS7 = frozenset({"pkcs7-mime", "x-pkcs7-mime"})


def attributes(root: Node, fields: dict[bytes, bytes]) -> int:
    """Bits of `Attribute`."""
    found = _header_attributes(fields)
    for node in _outer(root):
        found |= _part_attributes(node)
    return found


def _outer(node: Node) -> list[Node]:
    nodes = [node]
    for child in node.children:
        nodes += _outer(child)
    return nodes


def _part_attributes(node: Node) -> int:
    if node.subtype == "signed" and node.type == "multipart":
        return _SIGNED
    if node.subtype == "encrypted" and node.type == "multipart":
        return _ENCRYPTED
    if node.subtype in _PKCS7:
        signed = node.parameters.get("smime-type", "").lower() == "signed-data"
        return _SIGNED if signed else _ENCRYPTED
    if node.subtype == "calendar" and node.type == "text":
        return _CALENDAR
    return _ATTACHMENT if is_attachment(node) else 0


def is_attachment(node: Node) -> bool:
    """Whether people would call this part an attachment: not the text, its pictures or its signature."""
    if node.children or node.subtype in _SIGNATURES:
        return False
    if node.disposition == "attachment":
        return True
    if node.type in ("image", "audio", "video") and node.content_id:
        return False
    return node.type not in ("text", "multipart") or bool(node.filename)


def _header_attributes(fields: dict[bytes, bytes]) -> int:
    found = 0
    for name in _FLAGGING.keys() & fields.keys():
        found |= _FLAGGING[name](fields[name].strip().lower())
    return found


def _precedence(value: bytes) -> int:
    if value.startswith((b"list", b"bulk")):
        return _LIST
    return _AUTO_SUBMITTED if value.startswith((b"auto", b"junk")) else 0


def _high(value: bytes) -> int:
    return _HIGH_PRIORITY if value.startswith((b"1", b"2", b"high", b"urgent")) else 0


_FLAGGING: dict[bytes, Callable[[bytes], int]] = {
    b"list-id": lambda _value: _LIST,
    b"list-unsubscribe": lambda _value: _LIST,
    b"list-post": lambda _value: _LIST,
    b"precedence": _precedence,
    # RFC 3834 5: anything but "no".
    b"auto-submitted": lambda value: 0 if value.startswith(b"no") else _AUTO_SUBMITTED,
    b"x-priority": _high,
    b"importance": _high,
    b"priority": _high,
    b"disposition-notification-to": lambda value: _RECEIPT_REQUESTED if value else 0,
}
