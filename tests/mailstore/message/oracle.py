"""The second opinion: the same facts by the standard library's compat32 parser, slowly."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses


@dataclass(frozen=True)
class Leaf:
    """One part that holds no parts."""

    content_type: str
    encoding: str
    filename: str
    body: bytes
    decoded: bytes | None


def parse(raw: bytes) -> Message:
    return message_from_bytes(raw)


def leaves(message: Message) -> list[Leaf]:
    """Leaves and message/rfc822 parts with what is inside them, in the order of the message."""
    if message.get_content_type() == "message/rfc822":
        inner = message.get_payload(0)
        assert isinstance(inner, Message)
        return [_leaf(message), *leaves(inner)]
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        return [leaf for part in parts(message) for leaf in leaves(part)]
    return [_leaf(message)]


def parts(message: Message) -> list[Message]:
    """The parts of a multipart."""
    payload = message.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]


def _leaf(message: Message) -> Leaf:
    # get_payload() replaces 8-bit text; the bytes are behind it.
    payload = message._payload  # type: ignore[attr-defined]
    is_text = isinstance(payload, str)
    return Leaf(
        message.get_content_type(),
        str(message.get("content-transfer-encoding", "7bit")).lower(),
        _filename(message),
        payload.encode("utf-8", "surrogateescape") if is_text else b"",
        message.get_payload(decode=True) if is_text else None,  # type: ignore[arg-type]
    )


def _filename(message: Message) -> str:
    found = message.get_param("filename", None, "content-disposition") or message.get_param("name", "")
    return _text(collapse_rfc2231_value(found or ""))


def _text(value: str) -> str:
    return str(make_header(decode_header(value)))


def tree(message: Message) -> object:
    """The shape: a type, or the type of a multipart with its parts, or of a message with what it holds."""
    if message.get_content_type() == "message/rfc822":
        return ("message/rfc822", tree(message.get_payload(0)))  # type: ignore[arg-type]
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        return (message.get_content_type(), [tree(part) for part in parts(message)])
    return message.get_content_type()


def subject(message: Message) -> str:
    unfolded = str(message.get("subject", "")).replace("\r\n", "").replace("\n", "")
    return " ".join(_text(unfolded).split())


def people(message: Message, name: str) -> list[tuple[str, str]]:
    """Decoded names and addresses."""
    pairs = getaddresses([str(value).replace("\r\n", "").replace("\n", "") for value in message.get_all(name, [])])
    return [(_text(shown), address) for shown, address in pairs]
