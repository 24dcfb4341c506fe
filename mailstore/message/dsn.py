"""Delivery status notifications: multipart/report (RFC 3462) with message/delivery-status (RFC 3464)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime

from mailstore.message import charset, header
from mailstore.message.address import Address
from mailstore.message.compose import POLICY, Outgoing, multipart, text_part, with_headers, with_payload


@dataclass(frozen=True, slots=True)
class RecipientStatus:
    """What became of one recipient (RFC 3464 2.3)."""

    recipient: str
    action: str
    """"failed", "delayed", "delivered", "relayed" or "expanded"."""
    status: str
    """Enhanced status code (RFC 3463), such as 5.1.1."""
    diagnostic: str = ""
    """The other server's reply, or our own words; ASCII is kept, the rest replaced."""
    remote_mta: str = ""
    original_recipient: str = ""
    last_attempt: datetime | None = None
    will_retry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A report to write. `subject` and `text` are in the reader's language; `original` is the mail it is about."""

    from_: Address
    to: str
    subject: str
    text: str
    reporting_mta: str
    recipients: Sequence[RecipientStatus]
    original: bytes
    whole_original: bool = False
    """Return all of it (RFC 3461 RET=FULL) instead of its header."""
    message_id: str | None = None
    date: datetime | None = None
    arrival_date: datetime | None = None
    envelope_id: str = ""


def build_dsn(report: DeliveryReport) -> bytes:
    """The report with CRLF line ends, marked as automatic (RFC 3834 5). Send it with an empty envelope sender."""
    message = multipart(
        "report",
        [text_part("plain", report.text), _status(report), _returned(report)],
        **{"report-type": "delivery-status"},
    )
    outgoing = Outgoing(
        from_=report.from_,
        to=[Address("", report.to)],
        subject=report.subject,
        message_id=report.message_id,
        date=report.date,
        references=_original_id(report.original),
        extra_headers={"Auto-Submitted": "auto-replied"},
    )
    return with_headers(message, outgoing)


def _original_id(original: bytes) -> tuple[str, ...]:
    found = header.first_of(header.fields(original, 0, header.block_end(original, 0, len(original))[1]))
    value = header.text(found.get(b"message-id", b"")).strip("<> ")
    return (value,) if value else ()


def _status(report: DeliveryReport) -> Message:
    """RFC 3464 2.2, 2.3: the fields per message, then a group of fields per recipient."""
    groups = [
        [
            ("Reporting-MTA", f"dns; {report.reporting_mta}"),
            ("Original-Envelope-Id", report.envelope_id),
            ("Arrival-Date", _date(report.arrival_date)),
        ],
        *(_recipient(status) for status in report.recipients),
    ]
    message = Message(policy=POLICY)
    message["Content-Type"] = "message/delivery-status"
    message["Content-Transfer-Encoding"] = "7bit"
    message.set_payload([_group(fields) for fields in groups])
    return message


def _group(fields: Sequence[tuple[str, str]]) -> Message:
    group = Message(policy=POLICY)
    for name, value in fields:
        if value:
            group[name] = _ascii(value)
    return group


def _recipient(status: RecipientStatus) -> list[tuple[str, str]]:
    kind = "rfc822" if status.recipient.isascii() else "utf-8"
    original = status.original_recipient
    return [
        # RFC 3464 2.3.1; RFC 6533 3 for addresses beyond ASCII.
        ("Original-Recipient", f"{'rfc822' if original.isascii() else 'utf-8'}; {original}" if original else ""),
        ("Final-Recipient", f"{kind}; {status.recipient}"),
        ("Action", status.action),
        ("Status", status.status),
        ("Remote-MTA", f"dns; {status.remote_mta}" if status.remote_mta else ""),
        ("Diagnostic-Code", f"smtp; {status.diagnostic}" if status.diagnostic else ""),
        ("Last-Attempt-Date", _date(status.last_attempt)),
        ("Will-Retry-Until", _date(status.will_retry_until)),
    ]


def _date(at: datetime | None) -> str:
    return format_datetime(at.astimezone(UTC)) if at else ""


def _ascii(value: str) -> str:
    """One line of ASCII; other characters as RFC 6533 writes them in utf-8-addr-xtext."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())[:900]
    return "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in line)


def _returned(report: DeliveryReport) -> Message:
    """RFC 3462 2: the third part, the message or its header."""
    original = report.original
    whole = report.whole_original
    data = original if whole else original[: header.block_end(original, 0, len(original))[0]][:64_000]
    message = Message(policy=POLICY)
    if not data.isascii() or b"\0" in data:
        # RFC 3462 3 wants 7bit for rfc822-headers: what is not goes as a text file.
        message["Content-Type"] = "text/plain; charset=utf-8"
        message["Content-Disposition"] = 'attachment; filename="original.txt"'
        return with_payload(message, charset.decode(data).encode())
    message["Content-Type"] = "message/rfc822" if whole else "text/rfc822-headers"
    message["Content-Transfer-Encoding"] = "7bit"
    message.set_payload(data.decode("ascii").replace("\r\n", "\n").replace("\n", "\r\n"))
    return message
