"""The bytes of a section (RFC 9051 6.4.5.1): slices of the stored message, no copy of it is made or parsed twice."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field

from mailaccess.imap.grammar.fetch import Section
from mailstore.message import body
from mailstore.message.structure import Node, structure

_FIELD = re.compile(rb"^([^\s:]+)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE)


class UnknownEncodingError(Exception):
    """BINARY of a part whose transfer encoding nobody knows (RFC 3516 4.3)."""


@dataclass(slots=True)
class Letter:
    """A message whose parts are found when somebody asks for one."""

    raw: bytes
    header_length: int
    _root: Node | None = field(default=None)

    @property
    def root(self) -> Node:
        """The tree of parts."""
        if self._root is None:
            self._root = structure(self.raw)
        return self._root

    def section(self, asked: Section) -> bytes | None:
        """The bytes, or None when there is no such part."""
        if not asked.part:
            return self._of_message(asked, 0, self.header_length, len(self.raw))
        node = self._node(asked.part)
        if node is None:
            return None
        if asked.text == "MIME":
            return self.raw[node.header_offset : node.body_offset]
        if not asked.text:
            return self.raw[node.body_offset : node.body_end]
        inner = node.message
        if inner is None:
            return None
        return self._of_message(asked, inner.header_offset, inner.body_offset, inner.body_end)

    def decoded(self, asked: Section) -> bytes | None:
        """A part with its transfer encoding undone (RFC 3516); None when there is no such part. HEADER, MIME and TEXT, which
        the RFC has for BODY alone and some clients ask of BINARY, have no encoding of their own."""
        if asked.text or not asked.part:
            return self.section(asked)
        node = self._node(asked.part)
        if node is None:
            return None
        if node.encoding not in {"7bit", "8bit", "binary", "base64", "quoted-printable"}:
            raise UnknownEncodingError
        return body.transfer_decoded(self.raw[node.body_offset : node.body_end], node.encoding)

    def _of_message(self, asked: Section, start: int, body_start: int, end: int) -> bytes:
        if asked.text == "TEXT":
            return self.raw[body_start:end]
        if asked.text.startswith("HEADER"):
            head = self.raw[start:body_start]
            return chosen_fields(head, asked) if asked.fields else head
        return self.raw[start:end]

    def _node(self, part: tuple[int, ...]) -> Node | None:
        """Walk down by numbers; a message that is no multipart has a part 1, its body (RFC 9051 6.4.5.1)."""
        node = self.root
        for depth, number in enumerate(part):
            holder = node.message if node.message is not None and depth else node
            if holder.children:
                if number > len(holder.children):
                    return None
                node = holder.children[number - 1]
            elif number == 1 and (depth == 0 or node.message is not None):
                node = holder
            else:
                return None
        return node


def chosen_fields(head: bytes, asked: Section) -> bytes:
    """HEADER.FIELDS and HEADER.FIELDS.NOT: the fields as they stand, and the empty line."""
    if not asked.text.endswith("NOT"):
        return fields_in(head, frozenset(asked.fields))
    unwanted = frozenset(asked.fields)
    kept = [found[0] for found in _FIELD.finditer(head) if found[1].upper() not in unwanted]
    return b"".join(kept) + b"\r\n"


def fields_in(head: bytes, names: frozenset[bytes]) -> bytes:
    """The fields with these names as they stand, and the empty line."""
    found = _these(names).findall(b"\n" + head)
    return b"\n".join(found) + b"\n\r\n" if found else b"\r\n"


@functools.lru_cache(256)
def _these(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """Fields of a header with one of these names, each behind the end of a line: a search for `^` would look at every byte,
    this one jumps from line to line."""
    words = b"|".join(map(re.escape, sorted(names)))
    return re.compile(rb"\n((?:%b)[ \t]*:.*(?:\n[ \t].*)*)(?=\n)" % words, re.IGNORECASE)


def told(value: bytes) -> bytes:
    """Stored bytes as a literal may hold them. A NUL in them (from servers that let one pass) would be an error of ours
    (RFC 9051 4.3): it is told as 0x80, so that sizes and offsets stay; BINARY tells it as it is."""
    return value.replace(b"\0", b"\x80") if b"\0" in value else value
