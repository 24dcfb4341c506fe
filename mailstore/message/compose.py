"""A new message as bytes (RFC 5322, MIME) that Outlook and Foxmail show right, Chinese names and files included.

The tree is made of the standard library's messages and written by its generator. Header values are encoded here
(RFC 2047 words folded at 76, RFC 2231 file names with the older name= beside them), because the library's own
folding splits Chinese names where old clients can't join them. No value can bring a line break into a header.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime, make_msgid
from urllib.parse import quote

from core.errors import ErrorKind, MailError
from documents.html.text import html_to_text
from mailstore.message import header
from mailstore.message.address import Address, valid_address

# RFC 5322 2.1.1: 998 octets without the line break; longer lines need an encoding.
MAX_LINE_BYTES = 998
FOLD_CHARS = 76

POLICY = compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)
_NAME = re.compile(r"[!-9;-~]{1,70}")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


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
    identifier = outgoing.message_id or make_msgid(domain=_ascii_domain(domain)).strip("<>")
    found: list[tuple[str, str]] = [
        ("From", address_list([outgoing.from_])),
        ("Sender", address_list([outgoing.sender] if outgoing.sender else [])),
        ("Reply-To", address_list(outgoing.reply_to)),
        ("To", address_list(outgoing.to)),
        ("Cc", address_list(outgoing.cc)),
        ("Bcc", address_list(outgoing.bcc if keep_bcc else [])),
        ("Subject", unstructured(outgoing.subject, "Subject") or " "),
        ("Date", format_datetime(date)),
        ("Message-ID", _ids([identifier])),
        ("In-Reply-To", _ids([outgoing.in_reply_to] if outgoing.in_reply_to else [])),
        ("References", _ids(outgoing.references)),
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


def _one_line(value: str) -> str:
    """Without anything that ends a line or hides: the place where header injection ends."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def unstructured(value: str, name: str = "") -> str:
    """A header's free text, encoded where needed and folded."""
    clean = _one_line(value)[:8_000]
    if clean.isascii() and "=?" not in clean and max(map(len, clean.split(" ")), default=0) < 900:
        return _folded(clean.split(" "), len(name) + 2)
    return _folded(_words(clean), len(name) + 2)


def _words(value: str) -> list[str]:
    """Encoded words. What looks like one already is encoded again: text is text."""
    if not value.isascii():
        return header.encode_words(value).split(" ")
    return [f"=?utf-8?Q?{_q(value[i : i + 40])}?=" for i in range(0, len(value), 40)]


def _q(value: str) -> str:
    """RFC 2047 4.2 for ASCII."""
    return "".join(c if c.isalnum() else "_" if c == " " else f"={ord(c):02X}" for c in value)


def _folded(words: Sequence[str], used: int) -> str:
    """Words put on lines of at most 76 characters (RFC 5322 2.2.3)."""
    lines, line = [], ""
    for word in words:
        if line and used + len(line) + 1 + len(word) > FOLD_CHARS:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def address_list(addresses: Sequence[Address]) -> str:
    """An address header's value, folded; MailError INVALID when one can't be written."""
    if not addresses:
        return ""
    return _raw_utf8(",\r\n ".join(_address(address) for address in addresses))


def _address(address: Address) -> str:
    spec = wire_address(address.address)
    name = _one_line(address.name)[:200]
    if not name:
        return spec
    if not name.isascii() or "=?" in name:
        return _folded([*_words(name), f"<{spec}>"], 10)
    if _ATOMS.fullmatch(name):
        return f"{name} <{spec}>"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{spec}>'


def wire_address(address: str) -> str:
    """The address with its domain in ASCII (RFC 5891); MailError INVALID when it is malformed."""
    if not valid_address(address):
        raise MailError(ErrorKind.INVALID, address=address[:320])
    local, _at, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise MailError(ErrorKind.INVALID, address=domain[:255]) from error


def needs_smtputf8(addresses: Sequence[str]) -> bool:
    """Whether a local part is beyond ASCII, so that only SMTPUTF8 (RFC 6531) can carry it."""
    return any(not address.rpartition("@")[0].isascii() for address in addresses)


def _raw_utf8(value: str) -> str:
    """RFC 6532: local parts beyond ASCII stand as UTF-8; the generator writes surrogates as their bytes."""
    return value if value.isascii() else value.encode().decode("ascii", "surrogateescape")


def _ids(ids: Sequence[str]) -> str:
    clean = ["".join(c for c in i if "!" <= c <= "~" and c not in "<>")[:900] for i in ids]
    return "\r\n ".join(f"<{i}>" for i in clean if i)


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
    value = header.charset.scalar(value).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
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
    encoded = header.binascii.b2a_qp(data.replace(b"\r\n", b"\n"), istext=True)
    return encoded.replace(b"\n", b"\r\n").decode("ascii")


def base64_lines(data: bytes) -> str:
    """RFC 2045 6.8: lines of 76."""
    return header.base64.encodebytes(data).replace(b"\n", b"\r\n").decode("ascii")


def _file(part: OutgoingPart) -> Message:
    content_type = _sendable_type(part)
    message = Message(policy=POLICY)
    filename = _one_line(part.filename)[:255]
    message["Content-Type"] = content_type + _old_name(filename)
    kind = "inline" if part.inline and part.content_id else "attachment"
    message["Content-Disposition"] = kind + filename_parameter(filename)
    if part.content_id:
        message["Content-ID"] = _ids([part.content_id])
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


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _old_name(filename: str) -> str:
    """name= with encoded words: forbidden by RFC 2047 5, and all that old Outlook and Foxmail read."""
    if not filename:
        return ""
    value = "\r\n ".join(header.encode_words(filename).split(" ")) if not filename.isascii() else filename
    return f";\r\n name={_quoted(value)}"


def filename_parameter(filename: str) -> str:
    """filename= for ASCII, else RFC 2231 filename*= in continuations short enough for a line."""
    if not filename:
        return ""
    if filename.isascii() and len(filename) < 60:
        return f";\r\n filename={_quoted(filename)}"
    encoded = [quote(c, safe="") for c in filename]
    pieces, piece = [], "utf-8''"
    for character in encoded:
        if len(piece) + len(character) > 58:
            pieces.append(piece)
            piece = ""
        piece += character
    pieces.append(piece)
    if len(pieces) == 1:
        return f";\r\n filename*={pieces[0]}"
    return "".join(f";\r\n filename*{i}*={p}" for i, p in enumerate(pieces))


_BCC = re.compile(rb"(?im)^(?:resent-)?bcc[ \t]*:[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")


def without_bcc(raw: bytes) -> bytes:
    """The same bytes without their Bcc fields (RFC 5322 3.6.3); the body is not looked at."""
    stop, _body_offset = header.block_end(raw, 0, len(raw))
    return _BCC.sub(b"", raw[:stop]) + raw[stop:]
