"""Messages as bytes (RFC 5322, MIME): read, written, never stored. Pure: no Django, no database."""

from mailstore.message.address import Address, Invalid, format_address, parse_address_list, valid_address
from mailstore.message.compose import Outgoing, OutgoingPart, compose, needs_smtputf8, without_bcc
from mailstore.message.dsn import DeliveryReport, RecipientStatus, build_dsn
from mailstore.message.hash import address_hash, ancestor_hashes, message_id_hash, sender_key, subject_key
from mailstore.message.part import PartBytes, part, parts
from mailstore.message.read import Part, Readable, read
from mailstore.message.scan import PARSER_VERSION, Attribute, Scanned, scan

__all__ = [
    "PARSER_VERSION",
    "Address",
    "Attribute",
    "DeliveryReport",
    "Invalid",
    "Outgoing",
    "OutgoingPart",
    "Part",
    "PartBytes",
    "Readable",
    "RecipientStatus",
    "Scanned",
    "address_hash",
    "ancestor_hashes",
    "build_dsn",
    "compose",
    "format_address",
    "message_id_hash",
    "needs_smtputf8",
    "parse_address_list",
    "part",
    "parts",
    "read",
    "scan",
    "sender_key",
    "subject_key",
    "valid_address",
    "without_bcc",
]
