"""Header values written: RFC 2047 words folded at 76, addresses, ids, file names. No value can bring a line break.

Encoding is done here because the library's own folding splits Chinese names where old clients can't join them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from core.errors import ErrorKind, MailError
from mailstore.message import header
from mailstore.message.address import Address, valid_address

FOLD_CHARS = 76
"""RFC 5322 2.1.1, RFC 2047 2."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def one_line(value: str) -> str:
    """Without anything that ends a line or hides: the place where header injection ends."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def unstructured(value: str, name: str = "") -> str:
    """A header's free text, encoded where needed and folded."""
    clean = one_line(value)[:8_000]
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
    name = one_line(address.name)[:200]
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
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise MailError(ErrorKind.INVALID, address=domain[:255]) from error


def _raw_utf8(value: str) -> str:
    """RFC 6532: local parts beyond ASCII stand as UTF-8; the generator writes surrogates as their bytes."""
    return value if value.isascii() else value.encode().decode("ascii", "surrogateescape")


def ids(ids: Sequence[str]) -> str:
    clean = ["".join(c for c in i if "!" <= c <= "~" and c not in "<>")[:900] for i in ids]
    return "\r\n ".join(f"<{i}>" for i in clean if i)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def name_parameter(filename: str) -> str:
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
