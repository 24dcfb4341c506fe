"""Address headers of received mail (RFC 5322 3.4 and the obsolete forms), as they are and not as they should be.

A quick pattern reads what nearly all mail has; anything else goes to a tokenizer that knows comments, groups,
routes, quoted local parts and broken brackets. Neither raises; both are linear. For lists that people type see
`address.py`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from mailstore.message import header

MAX_ADDRESSES = 2_000
MAX_NAMED = 100

_DOT_ATOM = re.compile(r"[^\s\"(),:;<>@\[\\\]]+")
_QUOTED = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of a header. `name` still holds its encoded words. A group's start and end have no domain."""

    name: str
    local: str
    domain: str
    route: str = ""
    is_group_start: bool = False
    is_group_end: bool = False

    @property
    def address(self) -> str:
        """local@domain; what there is when a half is missing; the domain in lower case (RFC 5321 2.3.11)."""
        if not self.domain:
            return self.local
        local = self.local if _DOT_ATOM.fullmatch(self.local) else '"' + _QUOTED.sub(r"\\\g<0>", self.local) + '"'
        return f"{local}@{self.domain.lower()}"

    @property
    def display(self) -> str:
        """The name as people read it; empty when there is none."""
        return _shown(self.name) if self.name else ""


@functools.lru_cache(maxsize=4096)
def _shown(name: str) -> str:
    """People write more than one mail."""
    return header.decode_words(name)


_ATOMS = r'[^"<>@,;:()\\\s\[\]]'
_QUICK = re.compile(
    r'\s*+(?:(?:"((?:[^"\\]|\\.)*+)"|((?:' + _ATOMS + r"++[ \t]*+)*+))\s*+<(" + _ATOMS + r"++)@(" + _ATOMS + r"++)>"
    r"|(" + _ATOMS + r"++)@(" + _ATOMS + r"++))\s*+(?:,|\Z)"
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@functools.lru_cache(maxsize=4096)
def _parse_cached(value: bytes) -> tuple[Mailbox, ...]:
    return _parse(header.text(value))


def parse(value: bytes | None) -> tuple[Mailbox, ...]:
    """The mailboxes of one address header's raw value, groups marked; bounded."""
    if not value:
        return ()
    return _parse_cached(value) if len(value) < 256 else _parse(header.text(value))


def people(value: bytes | None) -> list[Mailbox]:
    """The mailboxes without the marks of groups."""
    return [m for m in parse(value) if not (m.is_group_start or m.is_group_end)]


def named(value: bytes | None) -> tuple[tuple[str, str], ...]:
    """`display` and `address` of the first `MAX_NAMED` of `people`: what lists show."""
    if not value:
        return ()
    return _named_cached(value) if len(value) < 256 else _named(value)


def _named(value: bytes) -> tuple[tuple[str, str], ...]:
    return tuple((mailbox.display, mailbox.address) for mailbox in people(value)[:MAX_NAMED])


_named_cached = functools.lru_cache(maxsize=4096)(_named)


def _parse(text: str) -> tuple[Mailbox, ...]:
    found: list[Mailbox] = []
    position = 0
    while position < len(text) and len(found) < MAX_ADDRESSES:
        match = _QUICK.match(text, position)
        if not match:
            return tuple(found) + tuple(_careful(text[position:]))[: MAX_ADDRESSES - len(found)]
        quoted, name, local, domain, bare_local, bare_domain = match.groups()
        if quoted is not None:
            name = _ESCAPE.sub(r"\1", quoted) if "\\" in quoted else quoted
        found.append(Mailbox((name or "").strip(), local or bare_local, domain or bare_domain))
        position = match.end()
    return tuple(found)


_TOKEN = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*+"?)|(?P<literal>\[[^\]\s]*+\]?)|(?P<special>[<>@,;:()])|(?P<space>\s+)'
    r'|(?P<atom>(?:[^"\[<>@,;:()\\\s]|\\.?)+)',
    re.DOTALL,
)


class _Reader:
    """Collects one address after another from tokens; the state of the tokenizer below."""

    def __init__(self) -> None:
        self.found: list[Mailbox] = []
        self.in_group = False
        self.reset()

    def reset(self) -> None:
        self.words: list[str] = []
        self.comment: list[str] = []
        self.angle: list[str] | None = None
        self.depth = 0

    def feed(self, kind: str, token: str) -> None:
        if self.depth or token in ("(", ")"):
            self._comment(token)
        elif self.angle is not None and token != ">":
            self._inside_angle(token)
        elif kind == "special":
            self._special(token)
        elif kind == "space":
            self.words.append(" ")
        else:
            self.words.append(token)

    def _comment(self, token: str) -> None:
        self.depth = max(0, self.depth + (token == "(") - (token == ")"))
        if token not in "()":
            self.comment.append(token)

    def _inside_angle(self, token: str) -> None:
        assert self.angle is not None
        if token == "<":
            # A second "<" before ">": what stood between them was name after all.
            self.words += ["<", *self.angle]
            self.angle = []
        elif not token.isspace():
            self.angle.append(token)

    def _special(self, token: str) -> None:
        if token == "<":
            self.angle = []
        elif token == ">":
            if self.angle is not None:
                self.words.append("\0")
                self._finish_angle()
        elif token == ",":
            self.finish()
        elif token == ":" and not self.in_group and "@" not in self.words:
            self._group_start()
        elif token == ";":
            self.finish()
            self._group_end()
        else:
            self.words.append(token)

    def _group_start(self) -> None:
        self.in_group = True
        self.found.append(Mailbox("", _plain(self.words), "", is_group_start=True))
        self.reset()

    def _group_end(self) -> None:
        if self.in_group:
            self.found.append(Mailbox("", "", "", is_group_end=True))
        self.in_group = False

    def _finish_angle(self) -> None:
        spec, words = self.angle or [], [w for w in self.words if w != "\0"]
        self.found.append(_mailbox(spec, _plain(words) or _plain(self.comment)))
        self.reset()

    def finish(self) -> None:
        """The end of an address without brackets, or with a bracket that was never closed."""
        if self.angle is not None:
            self._finish_angle()
        elif any(not w.isspace() for w in self.words):
            self.found.append(_bare(self.words, self.comment))
        self.reset()


def _careful(text: str) -> list[Mailbox]:
    reader = _Reader()
    for match in _TOKEN.finditer(text):
        reader.feed(match.lastgroup or "atom", match[0])
        if len(reader.found) >= MAX_ADDRESSES:
            break
    reader.finish()
    reader._group_end()
    return reader.found


def _plain(words: list[str]) -> str:
    """Words as a phrase, quotes taken off."""
    return re.sub(r"\s+", " ", "".join(_unquoted(word) for word in words)).strip()


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    inner = word[1:-1] if len(word) > 1 and word.endswith('"') else word[1:]
    return _ESCAPE.sub(r"\1", inner)


def _mailbox(spec: list[str], name: str) -> Mailbox:
    """What stands in angle brackets: `@route:local@domain` (RFC 5322 4.4), or anything."""
    route = ""
    if spec[:1] == ["@"] and ":" in spec:
        colon = spec.index(":")
        route, spec = "".join(spec[:colon]), spec[colon + 1 :]
    if "@" not in spec:
        return Mailbox(name, _plain(spec), "", route)
    at = len(spec) - 1 - spec[::-1].index("@")
    return Mailbox(name, _plain(spec[:at]), "".join(spec[at + 1 :]), route)


def _bare(words: list[str], comment: list[str]) -> Mailbox:
    """`a@b`, `a@b (Name)`, or words without any address: then they are the name."""
    if "@" not in words:
        return Mailbox(_plain(words), "", "")
    groups = _groups(words)
    at = next((i for i, group in enumerate(groups) if "@" in group and group != ["@"]), None)
    if at is None:
        return _mailbox([w for w in words if not w.isspace()], _plain(comment))
    name = " ".join(_plain(group) for group in groups[:at] + groups[at + 1 :])
    return _mailbox(groups[at], name or _plain(comment))


def _groups(words: list[str]) -> list[list[str]]:
    """Tokens that stand together without a space between them."""
    groups: list[list[str]] = [[]]
    for word in words:
        if word.isspace():
            groups.append([])
        else:
            groups[-1].append(word)
    return [group for group in groups if group]
