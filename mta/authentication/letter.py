"""A message as signatures see it: header fields as they were sent, the body, and their canonical forms (RFC 6376 3.4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

HASHED_ON_LOOP_MAX = 64 * 1024
"""Hashing less than this (0.2 ms) is cheaper than a thread; more would make other clients wait."""

_START = re.compile(rb"\r\n(?![ \t])")
_FOLD_OR_RUN = re.compile(rb"(?:\r\n)?[ \t]+")


class Field(NamedTuple):
    """One header field: its name in lower case, and all its bytes without the last CRLF."""

    name: bytes
    raw: bytes

    @property
    def value(self) -> bytes:
        """What stands after the colon, folded as it came."""
        return self.raw.partition(b":")[2]


class Letter:
    """`header` starts with CRLF and has none at its end (as `trace.checked_header` gives it); `body` is what follows."""

    def __init__(self, header: bytes, body: bytes) -> None:
        self.fields = split_fields(header.removesuffix(b"\r\n"))
        self.by_name = sorted_by_name(self.fields)
        self.body = body
        self._hashes: dict[tuple[bool, int | None], bytes] = {}
        self._bodies: dict[bool, int] = {}

    @classmethod
    def of(cls, message: bytes) -> Letter:
        """Split `message` at its empty line."""
        if message.startswith(b"\r\n"):
            return cls(b"", message[2:])
        header, _, body = message.partition(b"\r\n\r\n")
        return cls(b"\r\n" + header.removesuffix(b"\r\n"), body)

    @classmethod
    def after(cls, header: bytes, message: bytes) -> Letter:
        """`message` whose `header` block is known already (`trace.checked_header`)."""
        has_header = len(header) > 2
        return cls(header if has_header else b"", message[len(header) + (2 if has_header else 0) :])

    def named(self, name: bytes) -> list[Field]:
        """The fields of a name (lower case), from top to bottom."""
        return list(self.by_name.get(name, ()))

    def chosen(self, names: Iterable[bytes], besides: Field) -> list[Field]:
        """The fields that `names` mean, each name the lowest one not yet taken, never `besides`; missing ones are left
        out (5.4.2)."""
        left: dict[bytes, list[Field]] = {}
        found = []
        for name in names:
            stack = left.get(name)
            if stack is None:
                stack = left[name] = [field for field in self.by_name.get(name, ()) if field is not besides]
            if stack:
                found.append(stack.pop())
        return found

    def body_hash(self, *, relaxed: bool, length: int | None = None) -> bytes:
        """SHA-256 of the canonical body, of its first `length` octets when given (RFC 6376 3.7); computed once."""
        found = self._hashes.get((relaxed, length))
        if found is None:
            body = relaxed_body(self.body) if relaxed else simple_body(self.body)
            self._bodies[relaxed] = len(body)
            found = hashlib.sha256(body if length is None else memoryview(body)[:length]).digest()
            self._hashes[relaxed, length] = found
        return found

    def body_length(self, *, relaxed: bool) -> int:
        """Octets of the canonical body."""
        if relaxed not in self._bodies:
            self.body_hash(relaxed=relaxed)
        return self._bodies[relaxed]


def split_fields(header: bytes) -> list[Field]:
    """The fields of a header block from top to bottom; a line without a colon has the empty name."""
    return [Field(_name_of(raw), raw) for raw in _START.split(header)[1:]]


def sorted_by_name(fields: Iterable[Field]) -> Mapping[bytes, Sequence[Field]]:
    """Those of each name, from top to bottom."""
    found: dict[bytes, list[Field]] = {}
    for field in fields:
        found.setdefault(field.name, []).append(field)
    return found


def _name_of(raw: bytes) -> bytes:
    name, colon, _ = raw.partition(b":")
    return name.rstrip(b" \t").lower() if colon else b""


def relaxed_field(field: Field) -> bytes:
    """RFC 6376 3.4.2, with its CRLF."""
    value = field.value
    if b"\x0b" in value or b"\x0c" in value:  # split() would take these for spaces, signers do not
        return field.name + b":" + _FOLD_OR_RUN.sub(b" ", value).strip(b" \t\r\n") + b"\r\n"
    return field.name + b":" + b" ".join(value.split()) + b"\r\n"


def simple_field(field: Field) -> bytes:
    """RFC 6376 3.4.1: as it is."""
    return field.raw + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4. By replacing and not by a pattern: a twentieth of the time, and halving bounds any run."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    body = body.replace(b" \r\n", b"\r\n")
    body = body.removesuffix(b" ").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def simple_body(body: bytes) -> bytes:
    """RFC 6376 3.4.3: an empty body is one CRLF."""
    return body.rstrip(b"\r\n") + b"\r\n"
