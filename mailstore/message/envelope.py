"""ENVELOPE and BODYSTRUCTURE as IMAP prints them (RFC 3501 7.4.2, 9).

Always ASCII without literals: 8-bit header text becomes encoded words, so that it can be stored as text, sent
as it is, and clients that can't guess a charset show it right.
"""

from __future__ import annotations

import functools
import re

from mailstore.message import body, header, recipient
from mailstore.message.parameter import Parameters
from mailstore.message.recipient import Mailbox
from mailstore.message.structure import Node

MAX_STRING_CHARS = 4_096
SHORT_CHARS = 32
SHORT_LIST_BYTES = 256

_SPECIAL = re.compile(r'["\\]')


def string(value: str) -> str:
    """A quoted string (RFC 3501 4.3), whatever is in `value`."""
    return _short(value) if len(value) < SHORT_CHARS else _string(value)


@functools.lru_cache(maxsize=4096)
def _short(value: str) -> str:
    """Types, encodings, names and domains come again and again."""
    return _string(value)


def _string(value: str) -> str:
    value = header.encode_words(value[:MAX_STRING_CHARS])
    if not value.isprintable():
        value = "".join(c for c in value if c.isprintable())
    if '"' in value or "\\" in value:
        value = _SPECIAL.sub(r"\\\g<0>", value)
    return f'"{value}"'


def nstring(value: str) -> str:
    """A quoted string, or NIL for nothing."""
    return string(value) if value else "NIL"


def envelope(fields: dict[bytes, bytes]) -> str:
    """date subject from sender reply-to to cc bcc in-reply-to message-id, in brackets."""
    sender_of = addresses(fields.get(b"from"))

    def text(name: bytes) -> str:
        return nstring(header.text(fields[name])) if name in fields else "NIL"

    def people(name: bytes) -> str:
        return addresses(fields[name]) if name in fields else "NIL"

    # RFC 3501 7.4.2: Sender and Reply-To default to From.
    sender, reply_to = people(b"sender"), people(b"reply-to")
    return (
        f"({text(b'date')} {text(b'subject')} {sender_of} {sender if sender != 'NIL' else sender_of} "
        f"{reply_to if reply_to != 'NIL' else sender_of} {people(b'to')} {people(b'cc')} {people(b'bcc')} "
        f"{text(b'in-reply-to')} {text(b'message-id')})"
    )


def addresses(value: bytes | None) -> str:
    """An address list in brackets, or NIL."""
    if not value:
        return "NIL"
    return _addresses_cached(value) if len(value) < SHORT_LIST_BYTES else _addresses(value)


def _addresses(value: bytes) -> str:
    found = recipient.parse(value)
    return f"({''.join(map(_address, found))})" if found else "NIL"


_addresses_cached = functools.lru_cache(maxsize=4096)(_addresses)


def _address(mailbox: Mailbox) -> str:
    if mailbox.is_group_end:
        return "(NIL NIL NIL NIL)"
    if mailbox.is_group_start:
        return f"(NIL NIL {string(mailbox.local)} NIL)"
    # A host of NIL would mean a group: what has no domain gets an empty one.
    host = string(mailbox.domain)
    return f"({nstring(mailbox.name)} {nstring(mailbox.route)} {string(mailbox.local)} {host})"


def bodystructure(raw: bytes, node: Node, *, extended: bool = True) -> str:
    """BODYSTRUCTURE with its extension data; without `extended` BODY (RFC 3501 7.4.2)."""
    if node.children:
        return _multipart(raw, node, extended=extended)
    leaf = _leaf(raw, node, extended=extended)
    extension = f" NIL {_disposition(node)} {nstring(node.language)} {nstring(node.location)}" if extended else ""
    return f"({leaf}{extension})"


def _multipart(raw: bytes, node: Node, *, extended: bool) -> str:
    inside = "".join(bodystructure(raw, child, extended=extended) for child in node.children)
    if not extended:
        return f"({inside} {string(node.subtype)})"
    extension = f"{_disposition(node)} {nstring(node.language)} {nstring(node.location)}"
    return f"({inside} {string(node.subtype)} {_parameters(node.parameters)} {extension})"


def _leaf(raw: bytes, node: Node, *, extended: bool) -> str:
    kind, subtype = node.type, node.subtype
    if kind == "message" and subtype in ("rfc822", "global") and node.message is None:
        # Its grammar demands an envelope, and an encoded message can't be looked into: a plain file to IMAP.
        kind, subtype = "application", "octet-stream"
    parameters = node.parameters
    if kind == "text" and "charset" not in parameters and "charset*" not in parameters:
        parameters = {"charset": "us-ascii", **parameters}
    fields = (
        f"{string(kind)} {string(subtype)} {_parameters(parameters)} {nstring(node.content_id)} "
        f"{nstring(node.description)} {string(node.encoding)} {node.size_bytes}"
    )
    if node.message is not None:
        inner = node.message
        fields += f" {envelope(inner.fields or {})} {bodystructure(raw, inner, extended=extended)} {body.line_count(raw, node)}"
    elif kind == "text":
        fields += f" {body.line_count(raw, node)}"
    return fields


def _parameters(parameters: Parameters) -> str:
    if not parameters:
        return "NIL"
    return f"({' '.join([f'{string(name)} {string(value)}' for name, value in parameters.items()])})"


def _disposition(node: Node) -> str:
    if not node.disposition:
        return "NIL"
    return f"({string(node.disposition)} {_parameters(node.disposition_parameters)})"
