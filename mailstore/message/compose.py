"""A new message as bytes (RFC 5322, MIME) that Outlook and Foxmail show right, Chinese names and files included.

The tree is made of the standard library's messages and written by its generator; header values come encoded and
folded from `write`, so that none can bring a line break into a header.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime, make_msgid

from core.errors import ErrorKind, MailError
from documents.html.text import html_to_text
from mailstore.message import charset, header
from mailstore.message.address import Address
from mailstore.message.write import (
    address_list,
    ascii_domain,
    filename_parameter,
    ids,
    name_parameter,
    one_line,
    unstructured,
)

# RFC 5322 2.1.1: 998 octets without the line break; longer lines need an encoding.
MAX_LINE_BYTES = 998

POLICY = compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)
_NAME = re.compile(r"[!-9;-~]{1,70}")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}")


@dataclass(frozen=True, slots=True)
class OutgoingPart:
    """A file to send. `inline` with a `content_id` is a picture of the HTML, named there as cid:…"""

    filename: str
    content_type: str
    content: bytes
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to write. Ids stand without brackets; `date` is aware; missing id and date are made."""

    from_: Address
    to: Sequence[Address] = ()
    cc: Sequence[Address] = ()
    bcc: Sequence[Address] = ()
    subject: str = ""
    html: str | None = None
    text: str | None = None
    """Derived from the HTML when None."""
    attachments: Sequence[OutgoingPart] = ()
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    message_id: str | None = None
    date: datetime | None = None
    high_priority: bool = False
    receipt_to: Address | None = None
    reply_to: Sequence[Address] = ()
    sender: Address | None = None
    extra_headers: Mapping[str, str] = field(default_factory=dict)


def compose(outgoing: Outgoing, *, keep_bcc: bool = False) -> bytes:
    """The message with CRLF line ends. Bcc is written only with `keep_bcc` (the copy in Sent).

    MailError INVALID for an address, header name or content type that no message may hold.
    """
    return with_headers(_body(outgoing), outgoing, keep_bcc=keep_bcc)


def with_headers(message: Message, outgoing: Outgoing, *, keep_bcc: bool = False) -> bytes:
    """The bytes of a body made elsewhere under the headers of `outgoing`."""
    headers = _headers(outgoing, keep_bcc)
    headers.append(("MIME-Version", "1.0"))
    # RFC 5322 3.6 leaves the order free; readers of the source expect these in front of Content-Type.
    for name, value in reversed(headers):
        message._headers.insert(0, (name, value))  # type: ignore[attr-defined]
    return _flattened(message)


def _flattened(message: Message) -> bytes:
    buffer = io.BytesIO()
    BytesGenerator(buffer, policy=POLICY).flatten(message)
    return buffer.getvalue()


def _headers(outgoing: Outgoing, keep_bcc: bool) -> list[tuple[str, str]]:
    date = outgoing.date or datetime.now(UTC)
    domain = outgoing.from_.address.rpartition("@")[2]
    identifier = outgoing.message_id or make_msgid(domain=ascii_domain(domain)).strip("<>")
    found: list[tuple[str, str]] = [
        ("From", address_list([outgoing.from_])),
        ("Sender", address_list([outgoing.sender] if outgoing.sender else [])),
        ("Reply-To", address_list(outgoing.reply_to)),
        ("To", address_list(outgoing.to)),
        ("Cc", address_list(outgoing.cc)),
        ("Bcc", address_list(outgoing.bcc if keep_bcc else [])),
        ("Subject", unstructured(outgoing.subject, "Subject") or " "),
        ("Date", format_datetime(date)),
        ("Message-ID", ids([identifier])),
        ("In-Reply-To", ids([outgoing.in_reply_to] if outgoing.in_reply_to else [])),
        ("References", ids(outgoing.references)),
        ("Disposition-Notification-To", address_list([outgoing.receipt_to] if outgoing.receipt_to else [])),
    ]
    if outgoing.high_priority:
        found += [("X-Priority", "1 (Highest)"), ("Importance", "High")]
    found += [(_header_name(name), unstructured(value, name)) for name, value in outgoing.extra_headers.items()]
    return [(name, value) for name, value in found if value]


def _header_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise MailError(ErrorKind.INVALID, header=name[:70])
    return name


def needs_smtputf8(addresses: Sequence[str]) -> bool:
    """Whether a local part is beyond ASCII, so that only SMTPUTF8 (RFC 6531) can carry it."""
    return any(not address.rpartition("@")[0].isascii() for address in addresses)


def _body(outgoing: Outgoing) -> Message:
    """text | alternative(text, html), in related with its pictures, in mixed with its files."""
    inline = [p for p in outgoing.attachments if p.inline and p.content_id and outgoing.html is not None]
    files = [p for p in outgoing.attachments if p not in inline]
    made = _text_body(outgoing, inline)
    if not files:
        return made
    return multipart("mixed", [made, *(_file(p) for p in files)])


def _text_body(outgoing: Outgoing, inline: Sequence[OutgoingPart]) -> Message:
    if outgoing.html is None:
        return text_part("plain", outgoing.text or "")
    text = outgoing.text if outgoing.text is not None else html_to_text(outgoing.html)
    html = text_part("html", outgoing.html)
    if inline:
        html = multipart("related", [html, *(_file(p) for p in inline)], type='"text/html"')
    return multipart("alternative", [text_part("plain", text), html])


def multipart(subtype: str, parts: Sequence[Message], **parameters: str) -> Message:
    message = Message(policy=POLICY)
    extra = "".join(f"; {name}={value}" for name, value in parameters.items())
    message["Content-Type"] = f"multipart/{subtype}{extra}"
    for part in parts:
        message.attach(part)
    return message


def text_part(subtype: str, value: str) -> Message:
    value = charset.scalar(value).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    if value and not value.endswith("\r\n"):
        value += "\r\n"
    data = value.encode()
    message = Message(policy=POLICY)
    label = "us-ascii" if data.isascii() else "utf-8"
    message["Content-Type"] = f"text/{subtype}; charset={label}"
    return with_payload(message, data)


def with_payload(message: Message, data: bytes) -> Message:
    """7bit when lines allow it, quoted-printable for mostly ASCII text, else base64."""
    if data.isascii() and b"\0" not in data and max(map(len, data.split(b"\r\n"))) <= MAX_LINE_BYTES:
        encoding, payload = "7bit", data.decode("ascii")
    elif len(data) > 4 * sum(b > 127 for b in data):
        encoding, payload = "quoted-printable", quoted_printable(data)
    else:
        encoding, payload = "base64", base64_lines(data)
    message["Content-Transfer-Encoding"] = encoding
    message.set_payload(payload)
    return message


def quoted_printable(data: bytes) -> str:
    """RFC 2045 6.7 for text with CRLF line ends."""
    encoded = binascii.b2a_qp(data.replace(b"\r\n", b"\n"), istext=True)
    return encoded.replace(b"\n", b"\r\n").decode("ascii")


def base64_lines(data: bytes) -> str:
    """RFC 2045 6.8: lines of 76."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n").decode("ascii")


def _file(part: OutgoingPart) -> Message:
    content_type = _sendable_type(part)
    message = Message(policy=POLICY)
    filename = one_line(part.filename)[:255]
    message["Content-Type"] = content_type + name_parameter(filename)
    kind = "inline" if part.inline and part.content_id else "attachment"
    message["Content-Disposition"] = kind + filename_parameter(filename)
    if part.content_id:
        message["Content-ID"] = ids([part.content_id])
    if content_type == "message/rfc822":
        message["Content-Transfer-Encoding"] = "7bit"
        message.set_payload(part.content.decode("ascii").replace("\r\n", "\n").replace("\n", "\r\n"))
    else:
        message["Content-Transfer-Encoding"] = "base64"
        message.set_payload(base64_lines(part.content))
    return message


def _sendable_type(part: OutgoingPart) -> str:
    """The type to send a file as. RFC 2046 5.2.1: an attached message may not be encoded, so one that is not
    clean 7bit goes as a plain file, as does every other structured type.
    """
    claimed = part.content_type.lower()
    if claimed == "message/rfc822" and _is_clean(part.content):
        return claimed
    if not _TYPE.fullmatch(claimed) or claimed.startswith(("multipart/", "message/")):
        return "application/octet-stream"
    return claimed


def _is_clean(data: bytes) -> bool:
    lines = data.splitlines()
    return data.isascii() and b"\0" not in data and max(map(len, lines), default=0) <= MAX_LINE_BYTES


_BCC = re.compile(rb"(?im)^(?:resent-)?bcc[ \t]*:[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")


def without_bcc(raw: bytes) -> bytes:
    """The same bytes without their Bcc fields (RFC 5322 3.6.3); the body is not looked at."""
    stop, _body_offset = header.block_end(raw, 0, len(raw))
    return _BCC.sub(b"", raw[:stop]) + raw[stop:]
