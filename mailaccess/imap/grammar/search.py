"""What SEARCH, SORT and THREAD may ask for (RFC 9051 6.4.4, RFC 3501 6.4.4), with the keys of CONDSTORE (RFC 7162 3.1.5),
WITHIN (RFC 5032), OBJECTID (RFC 8474 6) and SAVEDATE (RFC 8514 4.3). A tree of bounded depth and size, every text decoded."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from mailaccess.imap.grammar.cursor import MAX_NUMBER64, Cursor
from mailaccess.imap.grammar.dates import date
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.sets import SequenceSet, sequence_set
from mailstore.message.charset import codec_of

MAX_DEPTH = 40
MAX_KEYS = 2_000
"""Of one command; each costs up to some milliseconds in a large folder."""
MAX_READING = 30
"""Keys of one command that may have to read messages: TEXT, BODY, HEADER. One of them can cost seconds in a large folder."""
CHARSETS = ("US-ASCII", "UTF-8", "GBK", "GB18030", "BIG5", "ISO-8859-1")
"""Named to a client that asked for another; every charset that mail is read in is understood."""


class TooManyKeysError(Exception):
    """More keys than one command may have: NO [LIMIT]."""


class UnknownCharsetError(Exception):
    """CHARSET names one that nobody knows: NO [BADCHARSET]."""


@dataclass(frozen=True, slots=True)
class Every:
    """ALL."""


@dataclass(frozen=True, slots=True)
class Recent:
    """RECENT (RFC 3501 2.3.2)."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """Has one of the system flags in `name` (upper case, with backslash), or a keyword."""

    name: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """Message numbers or UIDs."""

    numbers: SequenceSet
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Holds:
    """`value` is part of the field: subject, from, to, cc, bcc, text (everything) or body."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class HasHeader:
    """A field of the header, its name in lower case, holds `value`; an empty one: the field is there."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Dated:
    """A day of the date that is `internal`, `saved` or `sent`, from `first` on and before `last`; None is open."""

    which: str
    first: datetime.date | None
    last: datetime.date | None


@dataclass(frozen=True, slots=True)
class Sized:
    """More, or fewer, bytes."""

    size_bytes: int
    larger: bool


@dataclass(frozen=True, slots=True)
class Aged:
    """Arrived less, or more, than so many seconds ago."""

    seconds: int
    younger: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """Modification sequence of at least `modseq`."""

    modseq: int


@dataclass(frozen=True, slots=True)
class Identified:
    """EMAILID or THREADID (`kind` email or thread); `number` -1 for an id that is not ours."""

    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    key: Key


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of two."""

    left: Key
    right: Key


Key = (
    Every
    | Recent
    | Flagged
    | Numbered
    | Holds
    | HasHeader
    | Dated
    | Sized
    | Aged
    | Changed
    | Identified
    | Not
    | And
    | Or
)
_FLAGS = {b"ANSWERED", b"DELETED", b"DRAFT", b"FLAGGED", b"SEEN"}
_DAY = datetime.timedelta(days=1)


@dataclass(slots=True)
class Keys:
    """Parses keys; counts them."""

    cursor: Cursor
    charset: str = ""
    count: int = 0
    reading: int = 0

    def all(self) -> Key:
        """`key *(SP key)` up to the end."""
        found = [self._key(0)]
        while self.cursor.skip(b" "):
            found.append(self._key(0))
        self.cursor.end()
        return And(tuple(found)) if len(found) > 1 else found[0]

    def _key(self, depth: int) -> Key:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_KEYS or self.reading > MAX_READING:
            raise TooManyKeysError
        cursor = self.cursor
        ahead = cursor.peek()
        if ahead == b"(":
            return And(tuple(cursor.listed(lambda: self._key(depth + 1))))
        if ahead.isdigit() or ahead in {b"*", b"$"}:
            return Numbered(sequence_set(cursor), by_uid=False)
        word = cursor.atom().upper()
        if word == b"NOT":
            cursor.space()
            return Not(self._key(depth + 1))
        if word == b"OR":
            return self._or(depth)
        return self._leaf(word)

    def _or(self, depth: int) -> Key:
        self.cursor.space()
        left = self._key(depth + 1)
        self.cursor.space()
        return Or(left, self._key(depth + 1))

    def _leaf(self, word: bytes) -> Key:
        plain = _PLAIN.get(word)
        if plain is not None:
            return plain
        make = _ARGUED.get(word)
        if make is None:
            raise ImapSyntaxError("unknown search key")
        self.cursor.space()
        self.reading += word in {b"TEXT", b"BODY", b"HEADER"}
        return make(self)

    # Arguments ------------------------------------------------------------------------------------

    def text(self) -> str:
        """A string in the command's charset."""
        raw = self.cursor.astring()
        try:
            return raw.decode(self.charset or "utf-8")
        except UnicodeError:
            pass
        if self.charset:
            raise ImapSyntaxError("the text is not in its charset")
        return raw.decode("gb18030", "replace")  # Chinese programs that name no charset mean this one

    def header(self) -> Key:
        """`HEADER name text`."""
        name = self.cursor.astring().decode("ascii", "replace").lower()
        self.cursor.space()
        return HasHeader(name, self.text())

    def keyword(self) -> Key:
        """`KEYWORD flag`."""
        return Flagged(self.cursor.atom().decode("ascii").upper())

    def numbers(self) -> Key:
        """`UID set`."""
        return Numbered(sequence_set(self.cursor), by_uid=True)

    def modseq(self) -> Key:
        """`MODSEQ ["entry" type] number`; flags have one modseq together, so the entry doesn't matter."""
        if self.cursor.peek() == b'"':
            self.cursor.string()
            self.cursor.space()
            if self.cursor.atom().lower() not in {b"priv", b"shared", b"all"}:
                raise ImapSyntaxError("bad entry type")
            self.cursor.space()
        return Changed(self.cursor.number(MAX_NUMBER64))

    def identity(self, kind: str, letter: str) -> Key:
        """An id as FETCH tells it: a letter and hexadecimal digits."""
        text = self.cursor.atom().decode("ascii")
        number = text[1:]
        is_ours = text[:1] == letter and 0 < len(number) <= 16 and all(each in "0123456789abcdef" for each in number)
        return Identified(kind, int(number, 16) if is_ours else -1)

    def day(self, which: str, how: str) -> Key:
        """`BEFORE date` and its kin."""
        found = date(self.cursor)
        if how == "before":
            return Dated(which, None, found)
        if how == "since":
            return Dated(which, found, None)
        after = found + _DAY if found < datetime.date.max else None
        return Dated(which, found, after)


def _holds(field: str) -> Callable[[Keys], Key]:
    return lambda keys: Holds(field, keys.text())


def _dated(which: str, how: str) -> Callable[[Keys], Key]:
    return lambda keys: keys.day(which, how)


_PLAIN: dict[bytes, Key] = {
    b"ALL": Every(),
    b"OLD": Not(Recent()),
    b"NEW": And((Recent(), Not(Flagged("\\SEEN")))),
    b"RECENT": Recent(),
    b"SAVEDATESUPPORTED": Every(),
    **{name: Flagged("\\" + name.decode()) for name in _FLAGS},
    **{b"UN" + name: Not(Flagged("\\" + name.decode())) for name in _FLAGS},
}
_ARGUED: dict[bytes, Callable[[Keys], Key]] = {
    **{name.upper().encode(): _holds(name) for name in ("subject", "from", "to", "cc", "bcc", "text", "body")},
    b"HEADER": Keys.header,
    b"KEYWORD": Keys.keyword,
    b"UNKEYWORD": lambda keys: Not(keys.keyword()),
    b"UID": Keys.numbers,
    b"LARGER": lambda keys: Sized(keys.cursor.number(MAX_NUMBER64), larger=True),
    b"SMALLER": lambda keys: Sized(keys.cursor.number(MAX_NUMBER64), larger=False),
    b"YOUNGER": lambda keys: Aged(keys.cursor.nonzero(), younger=True),
    b"OLDER": lambda keys: Aged(keys.cursor.nonzero(), younger=False),
    b"MODSEQ": Keys.modseq,
    b"EMAILID": lambda keys: keys.identity("email", "M"),
    b"THREADID": lambda keys: keys.identity("thread", "T"),
    **{how.upper().encode(): _dated("internal", how) for how in ("before", "on", "since")},
    **{b"SENT" + how.upper().encode(): _dated("sent", how) for how in ("before", "on", "since")},
    **{b"SAVED" + how.upper().encode(): _dated("saved", how) for how in ("before", "on", "since")},
}


def codec(label: bytes) -> str:
    """The codec of a charset's name."""
    name = label.decode("ascii", "replace")
    if name.upper() in {"US-ASCII", "ASCII"}:
        return ""  # what is not ASCII in it is taken as UTF-8, as without CHARSET
    found = codec_of(name)
    if found is None:
        raise UnknownCharsetError
    return found


def mentions(key: Key, kind: type) -> bool:
    """Whether a key of this kind is anywhere in the tree."""
    if isinstance(key, Not):
        return mentions(key.key, kind)
    if isinstance(key, And):
        return any(mentions(each, kind) for each in key.keys)
    if isinstance(key, Or):
        return mentions(key.left, kind) or mentions(key.right, kind)
    return isinstance(key, kind)
