"""The header block by offsets: where it ends, its fields, and their text.

Lines are read as RFC 5322 2.2 (and the obsolete white space before the colon, 4.5.1). The block ends at the
first empty line, or at the first line that can't belong to a header: then the blank line was forgotten and that
line is body, as Python's own parser has it. Values are bytes until they are decoded here, once.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Iterator

from mailstore.message import charset

MAX_HEADER_BYTES = 256 * 1024
"""What is looked at of one header block. Real ones stay below 64 KB; a 10 MB one must not cost seconds."""
MAX_FIELDS = 2_000
MAX_VALUE_BYTES = 64 * 1024

# Possessive quantifiers keep no way back: a line or a fold costs no memory, however many there are.
# A line that is neither a field nor a fold ends the block. No alternative inside a possessive group: Python before 3.11.5
# (Debian 12 has 3.11.2) then takes what the failed alternative had consumed (CPython issue 106052).
_BLOCK = re.compile(rb"(?:From [^\n]*+\n?)?(?:(?!(?![ \t])(?![!-9;-~]*+[ \t]*+:))[^\n]++\n?)*+")
_FIELD = re.compile(rb"(?m)^([!-9;-~]+)[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*+)")
# RFC 2047 2, RFC 2231 5 (language); spaces inside the text are wrong and common.
_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")
_SPACE = re.compile(r"\s+")

Fields = list[tuple[bytes, bytes]]


def block_end(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the header block that begins at `start` ends, and where its body begins; never behind `end`."""
    match = _BLOCK.match(raw, start, end)
    stop = match.end() if match else start
    if raw.startswith(b"\r\n", stop, end):
        return stop, stop + 2
    if raw.startswith((b"\n", b"\r"), stop, end):
        return stop, stop + 1
    return stop, stop


def fields(raw: bytes, start: int, end: int) -> Fields:
    """Name and raw value (folded, not stripped) of each field, in order; bounded."""
    return _FIELD.findall(raw, start, min(end, start + MAX_HEADER_BYTES))[:MAX_FIELDS]


def first_of(found: Fields) -> dict[bytes, bytes]:
    """The first value of each name; names in lower case. RFC 5322 3.6 allows most names once."""
    values: dict[bytes, bytes] = {}
    for name, value in found:
        values.setdefault(name.lower(), value)
    return values


def unfolded(value: bytes) -> bytes:
    """RFC 5322 2.2.3: the folds taken out."""
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return value[:MAX_VALUE_BYTES].strip(b" \t\r\0")


def text(value: bytes) -> str:
    """The value as text with its encoded words left alone. Unlabelled 8-bit text is repaired."""
    plain = unfolded(value)
    found = plain.decode("ascii") if plain.isascii() else charset.decode(plain)
    return found if found.isprintable() else _CONTROLS.sub("", found)


def decoded(value: bytes) -> str:
    """The value as people read it: encoded words decoded, white space folded, no control characters."""
    return decode_words(text(value))


def decode_words(value: str) -> str:
    """RFC 2047 decoding. Neighbours in one charset are joined before decoding: senders split characters."""
    if "=?" in value:
        value = "".join(_pieces(value))
    return folded(value)


def folded(value: str) -> str:
    """On one line: white space folded, controls gone."""
    if (
        "  " not in value and value.isprintable()
    ):  # of white space, controls and surrogates the space alone is printable
        return value.strip()
    return _SPACE.sub(" ", _CONTROLS.sub("", charset.scalar(value))).strip()


def _pieces(value: str) -> Iterator[str]:
    label, held, position = "", b"", 0
    for match in _WORD.finditer(value):
        between = value[position : match.start()]
        adjacent = bool(label) and not between.strip()
        if label and not (adjacent and label == match[1].lower()):
            yield charset.decode(held, label)
            held = b""
        if not adjacent:
            yield between
        label, position = match[1].lower(), match.end()
        held += word_bytes(match[2], match[3])
    if label:
        yield charset.decode(held, label)
    yield value[position:]


def word_bytes(encoding: str, payload: str) -> bytes:
    """The bytes of one encoded word, from as much of it as can be read."""
    data = payload.encode("utf-8", "replace")
    if encoding in "bB":
        return base64_bytes(data)
    return binascii.a2b_qp(data, header=True)


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_ALPHABET))


def base64_bytes(data: bytes) -> bytes:
    """Base64 (RFC 2045 6.8) as far as it goes: foreign characters and wrong padding are passed over."""
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except binascii.Error:
        clean = data.translate(None, _NOT_BASE64)
    usable = len(clean) - (len(clean) % 4 == 1)
    return base64.b64decode(clean[:usable] + b"=" * (-usable % 4))


@functools.lru_cache(maxsize=2048)
def _encode_cached(value: str) -> str:
    return " ".join(_encode_words(value))


def encode_words(value: str) -> str:
    """`value` as RFC 2047 words of at most 75 characters, separated by spaces; ASCII stays as it is."""
    if value.isascii():
        return value
    return _encode_cached(value) if len(value) < 200 else " ".join(_encode_words(value))


def _encode_words(value: str) -> Iterator[str]:
    """RFC 2047 2: a word ≤ 75 characters, and 5: no character split between words."""
    chunk = b""
    for character in value:
        octets = character.encode("utf-8", "replace")
        if len(chunk) + len(octets) > 45:
            yield f"=?utf-8?B?{base64.b64encode(chunk).decode()}?="
            chunk = b""
        chunk += octets
    if chunk:
        yield f"=?utf-8?B?{base64.b64encode(chunk).decode()}?="
