"""What FETCH may ask for (RFC 9051 6.4.5, RFC 3501 6.4.5, RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970)."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailaccess.imap.grammar.cursor import MAX_NUMBER64, Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.returns import Part, partial
from mailaccess.imap.grammar.strings import string

MACROS = {
    b"ALL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"),
    b"FAST": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"),
    b"FULL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY"),
}
PLAIN = frozenset(
    {
        b"ENVELOPE",
        b"FLAGS",
        b"INTERNALDATE",
        b"RFC822",
        b"RFC822.HEADER",
        b"RFC822.SIZE",
        b"RFC822.TEXT",
        b"BODY",
        b"BODYSTRUCTURE",
        b"UID",
        b"MODSEQ",
        b"EMAILID",
        b"THREADID",
        b"PREVIEW",
        b"SAVEDATE",
    }
)
MAX_ITEMS = 200
MAX_FIELDS = 200
MAX_PARTS = 40
"""Levels of a section; mail nests less (mailstore.message.structure.MAX_DEPTH)."""


@dataclass(frozen=True, slots=True)
class Section:
    """`part` (empty: the message) and what of it: everything, HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, MIME."""

    part: tuple[int, ...] = ()
    text: str = ""
    fields: tuple[bytes, ...] = ()

    def written(self) -> bytes:
        """As the answer repeats it."""
        words = [".".join(map(str, self.part)), self.text]
        head = ".".join(filter(None, words)).encode()
        if not self.fields:
            return head
        return head + b" (" + b" ".join(_written_field(each) for each in self.fields) + b")"


@dataclass(frozen=True, slots=True)
class Item:
    """One wish. `name` is a word of PLAIN, or BODY[], BINARY[], BINARY.SIZE[] with a section."""

    name: bytes
    section: Section | None = None
    peek: bool = False
    partial: tuple[int, int] | None = None

    @property
    def marks_seen(self) -> bool:
        """Whether fetching it sets \\Seen."""
        if self.section is not None:
            return not self.peek and self.name != b"BINARY.SIZE"
        return self.name in {b"RFC822", b"RFC822.TEXT"}

    def label(self) -> bytes:
        """The name as the answer writes it (a partial one names where it begins)."""
        if self.section is None:
            return self.name
        begin = b"<%d>" % self.partial[0] if self.partial else b""
        return b"%b[%b]%b" % (self.name, self.section.written(), begin)


@dataclass(slots=True)
class Wishes:
    """A parsed FETCH behind its sequence set."""

    items: list[Item] = field(default_factory=list)
    changed_since: int | None = None
    vanished: bool = False
    partial: Part | None = None
    """Of the messages named, only so many (RFC 9394 3.3)."""


def fetch_items(cursor: Cursor) -> Wishes:
    """`macro`, `item` or `(item …)`, then modifiers (RFC 7162 3.1.4.1, 3.2.6)."""
    wishes = Wishes(_items(cursor))
    if cursor.skip(b" "):
        cursor.listed(lambda: _modifier(cursor, wishes))
    if wishes.vanished and wishes.changed_since is None:
        raise ImapSyntaxError("VANISHED needs CHANGEDSINCE")
    return wishes


def fetch_attributes(cursor: Cursor) -> list[Item]:
    """`(item item …)` (NOTIFY, RFC 5465 8)."""
    if cursor.peek() != b"(":
        raise ImapSyntaxError("expected a list")
    return _items(cursor)


def _items(cursor: Cursor) -> list[Item]:
    if cursor.peek() == b"(":
        found = [item for items in cursor.listed(lambda: _one(cursor)) for item in items]
    else:
        found = _one(cursor)
    if len(found) > MAX_ITEMS:
        raise ImapSyntaxError("too many items")
    return list(dict.fromkeys(found))


def _one(cursor: Cursor) -> list[Item]:
    word = _word(cursor)
    if word in MACROS:
        return [Item(name) for name in MACROS[word]]
    if word in {b"BODY", b"BODY.PEEK", b"BINARY", b"BINARY.PEEK", b"BINARY.SIZE"} and cursor.peek() == b"[":
        return [_sectioned(cursor, word)]
    if word not in PLAIN:
        raise ImapSyntaxError("unknown FETCH item")
    if word == b"PREVIEW":
        cursor.skip(b" (LAZY)")  # other brackets behind it are modifiers of FETCH
    return [Item(word)]


def _word(cursor: Cursor) -> bytes:
    """Up to a bracket: `BODY.PEEK` of `BODY.PEEK[…]`."""
    word = cursor.word_ahead().partition(b"[")[0]
    if not word:
        raise ImapSyntaxError("expected a FETCH item")
    cursor.expect(word)
    return word


def _sectioned(cursor: Cursor, word: bytes) -> Item:
    name, peek = word.removesuffix(b".PEEK"), word.endswith(b".PEEK")
    cursor.expect(b"[")
    section = _section(cursor)
    cursor.expect(b"]")
    partial = None
    if name != b"BINARY.SIZE" and cursor.skip(b"<"):
        begin = cursor.number(MAX_NUMBER64)
        # Some programs give no length to BINARY: everything from there on.
        size = MAX_NUMBER64 if name == b"BINARY" and cursor.peek() == b">" else _size(cursor)
        partial = (begin, size)
        cursor.expect(b">")
    return Item(name, section, peek, partial)


def _size(cursor: Cursor) -> int:
    cursor.expect(b".")
    size = cursor.number(MAX_NUMBER64)
    if not size:
        raise ImapSyntaxError("empty partial")
    return size


def section_of(text: bytes) -> Section:
    """A section without its brackets, as URLs carry it (RFC 5092)."""
    cursor = Cursor([text + b"]"])
    found = _section(cursor)
    cursor.expect(b"]")
    cursor.end()
    return found


def _section(cursor: Cursor) -> Section:
    part: list[int] = []
    while cursor.peek().isdigit():
        part.append(cursor.nonzero())
        if len(part) > MAX_PARTS:
            raise ImapSyntaxError("section is too deep")
        if not cursor.skip(b"."):
            return Section(tuple(part))
    if cursor.peek() == b"]" and not part:
        return Section()
    for text in (b"HEADER.FIELDS.NOT", b"HEADER.FIELDS", b"HEADER", b"TEXT", b"MIME"):
        if cursor.skip(text):
            break
    else:
        raise ImapSyntaxError("bad section")
    if text == b"MIME" and not part:
        raise ImapSyntaxError("MIME needs a part")
    fields: list[bytes] = []
    if b"FIELDS" in text:
        cursor.space()
        fields = cursor.listed(cursor.astring)
        if len(fields) > MAX_FIELDS:
            raise ImapSyntaxError("too many fields")
    return Section(tuple(part), text.decode(), tuple(each.upper() for each in fields))


def _modifier(cursor: Cursor, wishes: Wishes) -> None:
    if cursor.skip(b"CHANGEDSINCE "):
        wishes.changed_since = cursor.number(MAX_NUMBER64)
    elif cursor.skip(b"VANISHED"):
        wishes.vanished = True
    elif cursor.skip(b"PARTIAL "):
        wishes.partial = partial(cursor)
    else:
        raise ImapSyntaxError("unknown FETCH modifier")


def _written_field(name: bytes) -> bytes:
    return name if name.replace(b"-", b"").isalnum() else string(name)
