"""Content-Type and Content-Disposition: the value and its parameters (RFC 2045 5.1, RFC 2231).

`Parameters` keeps names as they are for BODYSTRUCTURE (`filename*` with its charset prefix, continuations
joined); `decoded()` gives the text for people.
"""

from __future__ import annotations

import functools
import re
from urllib.parse import unquote_to_bytes

from mailstore.message import charset, header

MAX_PARAMETERS = 64
MAX_PARAMETER_CHARS = 4_096

_VALUE = re.compile(r"[^;]*")
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*+"?|[^;]*)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SECTION = re.compile(r"^(.+?)\*(\d{1,3})(\*?)$")

Parameters = dict[str, str]


@functools.lru_cache(maxsize=1024)
def _parse_cached(value: bytes) -> tuple[str, Parameters]:
    return _parse(value)


def parse(value: bytes) -> tuple[str, Parameters]:
    """The lower-cased value and its parameters, names in lower case. The answer is shared: don't change it."""
    return _parse_cached(value) if len(value) < 128 else _parse(value)


def _parse(value: bytes) -> tuple[str, Parameters]:
    text = header.text(value)
    main = _VALUE.match(text)
    found: Parameters = {}
    for name, raw in _PARAMETER.findall(text)[:MAX_PARAMETERS]:
        found.setdefault(name.lower(), _unquoted(raw.strip())[:MAX_PARAMETER_CHARS])
    if any("*" in name for name in found):
        found = _joined(found)
    return (main[0].strip().lower() if main else ""), found


def _unquoted(raw: str) -> str:
    if not raw.startswith('"'):
        # A comment behind an unquoted token is legal (RFC 2045 5.1) and no part of it.
        return raw.split(" (", maxsplit=1)[0] if raw.endswith(")") else raw
    inner = raw[1:-1] if len(raw) > 1 and raw.endswith('"') else raw[1:]
    return _ESCAPE.sub(r"\1", inner) if "\\" in inner else inner


def _joined(found: Parameters) -> Parameters:
    """RFC 2231 3: continuations put together under `name`, or `name*` when a section is encoded."""
    joined: Parameters = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value in found.items():
        match = _SECTION.match(name)
        if match:
            sections.setdefault(match[1], {})[int(match[2])] = (value, bool(match[3]))
        else:
            joined[name] = value
    for name, numbered in sections.items():
        ordered = [numbered[number] for number in sorted(numbered)]
        encoded = any(is_encoded for _value, is_encoded in ordered)
        key = f"{name}*" if encoded else name
        joined[key] = "".join(_section(value, is_encoded, encoded) for value, is_encoded in ordered)
    return joined


def _section(value: str, is_encoded: bool, among_encoded: bool) -> str:
    return value.replace("%", "%25") if among_encoded and not is_encoded else value


def decoded(parameters: Parameters, name: str) -> str:
    """The parameter as text: RFC 2231 first, then plain with encoded words (wrong, and what everyone sends)."""
    extended = parameters.get(f"{name}*")
    if extended is not None:
        return _extended(extended)
    value = parameters.get(name, "")
    return header.decode_words(value) if value else ""


def _extended(value: str) -> str:
    label, _language, encoded = value.split("'", 2) if value.count("'") >= 2 else ("", "", value)
    data = unquote_to_bytes(encoded.encode("utf-8", "replace"))
    return header.folded(charset.decode(data, label))
