"""Addresses that people type and paste, and how they are written down again."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_LOCAL_BYTES = 64
"""RFC 5321 4.5.3.1.1."""
MAX_ADDRESS_BYTES = 254
"""RFC 5321 4.5.3.1.3: a path of 256 with its brackets."""
MAX_ITEMS = 10_000
MAX_TEXT_CHARS = 500_000


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address and the name beside it (empty when there is none)."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """A piece of a list that is no address. `reason`: "no_at", "local", "domain", "too_long" or "characters"."""

    text: str
    reason: str


# RFC 5322 3.2.3 atext, and everything above ASCII (RFC 6532 3.2).
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED_LOCAL = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_LABEL = re.compile(r"[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\u0080-\U0010ffff-]*[A-Za-z0-9\u0080-\U0010ffff])?")
_LITERAL = re.compile(r"\[(?:IPv6:[0-9A-Fa-f:.]{2,45}|\d{1,3}(?:\.\d{1,3}){3})\]", re.IGNORECASE)


def invalid_reason(address: str) -> str:
    """Why `address` can't be written to, in the words of `Invalid.reason`; empty when it can."""
    local, at, domain = address.rpartition("@")
    if not at:
        return "no_at"
    octets = len(address.encode("utf-8", "replace"))
    if octets > MAX_ADDRESS_BYTES or len(local.encode("utf-8", "replace")) > MAX_LOCAL_BYTES:
        return "too_long"
    if any(unicodedata.category(c)[0] in "CZ" and c != " " for c in address):
        return "characters"
    if not (_LOCAL.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)):
        return "local"
    return "" if _valid_domain(domain) else "domain"


def _valid_domain(domain: str) -> bool:
    if _LITERAL.fullmatch(domain):
        return True
    labels = domain.split(".")
    return all(len(label) <= 63 and _LABEL.fullmatch(label) for label in labels)


def valid_address(address: str) -> bool:
    """Whether it is a well-formed address (RFC 5321 4.1.2, RFC 6531)."""
    return not invalid_reason(address)


_SEPARATORS = frozenset(",;，；、\r\n\t")
_FULL_WIDTH = str.maketrans("＜＞〈〉＠“”\u3000．", '<><>@"" .')
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_MAILTO = re.compile(r"(?i)^mailto:")


def parse_address_list(text: str) -> list[Address | Invalid]:
    """Every form people paste: commas, semicolons, ，；、, lines, `Name <a@b>`, `<a@b>`, `a@b (Name)`, bare.

    Spaces separate bare addresses. Each address comes once, in order; what is no address comes as `Invalid`.
    """
    found: dict[str, Address | Invalid] = {}
    for piece in _pieces(_INVISIBLE.sub("", text[:MAX_TEXT_CHARS]).translate(_FULL_WIDTH)):
        for item in _items(piece):
            key = item.address.casefold() if isinstance(item, Address) else f"\0{item.text}"
            found.setdefault(key, item)
            if len(found) >= MAX_ITEMS:
                return list(found.values())
    return list(found.values())


_PIECE = re.compile(
    r'"(?:[^"\\\r\n]|\\.){0,256}+"|<[^<>\r\n]*>|\([^()\r\n]*\)|[,;，；、\r\n\t]|[^"<(,;，；、\r\n\t]+|["<(]'
)


def _pieces(text: str) -> list[str]:
    """Cut at separators that stand outside quotes, brackets and comments."""
    pieces: list[list[str]] = [[]]
    for match in _PIECE.finditer(text):
        if match[0] in _SEPARATORS:
            pieces.append([])
        else:
            pieces[-1].append(match[0])
    joined = ("".join(piece).strip() for piece in pieces)
    return [piece for piece in joined if piece]


_ANGLE = re.compile(r"<([^<>]*+)>")
_COMMENT = re.compile(r"([^\s()@]++@[^\s()@]++)\s*+\(([^()]*+)\)")


def _items(piece: str) -> list[Address | Invalid]:
    """The addresses in one piece; several when they are separated by spaces or follow as `A <a@b> B <c@d>`."""
    items: list[Address | Invalid] = []
    position = 0
    for match in _ANGLE.finditer(piece):
        items.append(_item(_name(piece[position : match.start()]), match[1]))
        position = match.end()
    rest = piece[position:].strip(" .>")
    if items or not rest:
        return items
    return _bare(rest)


def _bare(text: str) -> list[Address | Invalid]:
    comment = _COMMENT.fullmatch(text)
    if comment:
        return [_item(_name(comment[2]), comment[1])]
    if text.startswith('"') and not invalid_reason(text):
        return [Address("", text)]
    words = text.split()
    addresses = [word for word in words if "@" in word]
    if len(addresses) == 1 and len(words) > 1:
        # "Zhang San a@b", without brackets.
        return [_item(_name(text.replace(addresses[0], " ", 1)), addresses[0])]
    return [_item("", word) for word in addresses] if len(addresses) == len(words) else [_item("", text)]


def _item(name: str, address: str) -> Address | Invalid:
    address = _MAILTO.sub("", address.strip().strip("'"))
    local, _at, domain = address.rpartition("@")
    address = f"{local}@{domain.rstrip('.').lower()}" if local else address
    reason = invalid_reason(address)
    return Invalid((f"{name} <{address}>" if name else address)[:1_000], reason) if reason else Address(name, address)


def _name(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:200]


_NEEDS_QUOTES = re.compile(r'[()<>@,;:\\".\[\]，；、＜＞]')


def format_address(address: Address) -> str:
    """`Name <a@b>` as people read it and `parse_address_list` takes it again; not for header fields."""
    if not address.name:
        return address.address
    name = "".join(c for c in address.name if c.isprintable())
    if _NEEDS_QUOTES.search(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address.address}>"
