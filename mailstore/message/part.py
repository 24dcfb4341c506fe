"""One part of a message by its number: what a download or a picture in the text asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.errors import ErrorKind, MailError
from mailstore.message import body, header
from mailstore.message.scan import content_id
from mailstore.message.structure import Node, structure

_EXTENSIONS = {
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "text/calendar": ".ics",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/ms-tnef": ".dat",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "text/rfc822-headers": ".txt",
}


@dataclass(frozen=True, slots=True)
class PartBytes:
    """A decoded part. `filename` is as the sender wrote it (or made up): make it safe before use."""

    content_type: str
    """As claimed by the sender, type/subtype; no reason to trust it."""
    filename: str
    content: bytes
    charset: str = ""
    content_id: str = ""
    number: str = ""


def part(raw: bytes, number: str) -> PartBytes:
    """The part with this number (RFC 3501 6.4.5). MailError NOT_FOUND when there is none."""
    for found in parts(raw, [number]):
        return found
    raise MailError(ErrorKind.NOT_FOUND, part=number[:40])


def parts(raw: bytes, numbers: Collection[str]) -> Iterator[PartBytes]:
    """Those of the parts that are there, in the order of the message, each decoded when its turn comes.

    The message is parsed once: asking for each of a thousand files by itself would parse it a thousand times.
    """
    wanted = frozenset(numbers) - {""}
    for node in structure(raw).walk():
        if node.number in wanted and not node.children:
            name, content = part_name(raw, node), body.content(raw, node)
            yield PartBytes(node.content_type, name, content, node.charset, content_id(node), node.number)


def part_name(raw: bytes, node: Node) -> str:
    """The file name of a part; one made of its subject or kind when the sender gave none."""
    if node.filename:
        return node.filename
    extension = _EXTENSIONS.get(node.content_type, "")
    if node.message is not None:
        subject = header.decoded((node.message.fields or {}).get(b"subject", b""))[:80].strip(". ")
        return (subject or "message") + extension
    if node.subtype == "calendar":
        return f"invite{extension}"
    return f"part-{node.number}{extension or '.bin'}"
