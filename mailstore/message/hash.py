"""Keys made from messages: a number for a Message-ID, sort keys for subjects and senders. Stable for ever."""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable

from pypinyin.constants import PINYIN_DICT

KEY_CHARS = 64

# Re, Fw and what programs write instead, with an optional count: Re[2]:, RE：, 回复:, 答复：, Aw:, Antw:, Sv:.
_PREFIX = re.compile(
    r"(?i)\s*(?:re|fwd?|aw|antw|sv|vs|wg|tr|rv|res|enc|rif|回复|回覆|回復|答复|答覆|答復|转发|轉發|轉寄|转寄)"
    r"\s*(?:[\[(]\d{1,4}[\])])?\s*[:：]\s*"
)
_QUOTED_LOCAL = re.compile(r'"((?:[^"\\]|\\.)*)"@')
_ESCAPED = re.compile(r"\\(.)")


def message_id_hash(message_id: str) -> int:
    """A positive 63-bit number for a Message-ID, with or without its brackets; the same on every machine. Quotes that a
    sender put around the part before the @ make no other id (RFC 5256 3)."""
    plain = message_id.strip().strip("<>").strip()
    if plain.startswith('"'):
        plain = _QUOTED_LOCAL.sub(lambda found: _ESCAPED.sub(r"\1", found[1]) + "@", plain, count=1)
    digest = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def ancestor_hashes(message_ids: Iterable[str]) -> str:
    """`message_id_hash` of each, 16 hexadecimal digits."""
    return "".join(f"{message_id_hash(each):016x}" for each in message_ids)


@functools.lru_cache(maxsize=4096)
def address_hash(address: str) -> int:
    """A positive 63-bit number for an address, without regard to case: what lists filter a sender by."""
    digest = hashlib.blake2b(address.strip().lower().encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def base_subject(subject: str) -> str:
    """The subject without its answer and forward prefixes (RFC 5256 2.1, and the Chinese ones)."""
    for _ in range(32):
        match = _PREFIX.match(subject)
        if not match:
            break
        subject = subject[match.end() :]
    return subject.strip()


def subject_key(subject: str) -> str:
    """A sort key of at most 64 characters: NFKC, prefixes off, lower case, Han as pinyin."""
    return _key(base_subject(subject[:500]))


@functools.lru_cache(maxsize=4096)
def sender_key(name: str, address: str) -> str:
    """A sort key of at most 64 characters for the name, or the address when there is no name."""
    return _key(name.strip(" \"'") or address)


def _key(text: str) -> str:
    text = text[: 4 * KEY_CHARS]
    if not text.isascii():
        text = base_subject(unicodedata.normalize("NFKC", text))
        text = "".join(c if c < "\u2e80" else pinyin(c) for c in text[:KEY_CHARS])
    text = " ".join(text.split()).casefold()[:KEY_CHARS].rstrip()
    return text if text.isprintable() else "".join(c for c in text if c.isprintable())


@functools.lru_cache(maxsize=8192)
def pinyin(character: str) -> str:
    """The most common reading of a Han character without its tone and with a space behind; others as they are."""
    readings = PINYIN_DICT.get(ord(character))
    if not readings:
        return character
    first = unicodedata.normalize("NFD", readings.split(",")[0])
    return "".join(c for c in first if not unicodedata.combining(c)) + " "
