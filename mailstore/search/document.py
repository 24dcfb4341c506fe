"""A message as the index takes it in: its tokens, made from its bytes alone, so that they can be made again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator

from documents.extract import is_readable
from documents.html.text import html_to_text
from mailstore.message import Address, Readable, part, read
from mailstore.search.tree import Field
from mailstore.search.words import singles, words

TOKENS_VERSION = 1
"""Rises when the same bytes give other tokens: then `manage.py reindex` is needed."""
MAX_TOKENS = 60_000
MAX_BODY_CHARS = 400_000
MAX_FILES = 20
"""Attachments of one mail that are read."""
MAX_FILE_TOKENS = 30_000
MAX_NESTING = 3
MAX_PEOPLE = 200
SPARSE_CHARS = 400
"""A text form shorter than this beside HTML is often "view this in your browser": then the HTML is read too."""

GAP = "_"
"""Stands between two texts, so that no phrase reaches from one into the other."""
PREFIXES = {
    Field.ANY: "",
    Field.FROM: "f_",
    Field.TO: "t_",
    Field.CC: "c_",
    Field.BCC: "b_",
    Field.SUBJECT: "s_",
    Field.FILENAME: "n_",
    Field.LIST: "l_",
}
"""Tokens of a field stand in the index a second time under its prefix: "from:wang" then is a list of its own, not the
long list of "wang" to be looked through. No word of a text has an underscore."""

ReadFile = Callable[[str, bytes], str]


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """What goes into the index under one key."""

    message_id: int
    mailbox: int
    received_us: int
    tokens: list[str]

    @property
    def digest(self) -> int:
        """63 bits of the tokens' hash: whether tokens made again are those that were put in."""
        return digest_of(self.tokens)


def digest_of(tokens: Iterable[str]) -> int:
    """As `Document.digest`."""
    return int.from_bytes(hashlib.blake2b(" ".join(tokens).encode(), digest_size=8).digest(), "big") >> 1


def has_files(message: Readable) -> bool:
    """Whether a reader of files has something to do."""
    return any(is_readable(each.filename, each.content_type, each.size_bytes) for each in message.attachments)


def tokens_of(raw: bytes, message: Readable, read_file: ReadFile | None = None) -> list[str]:
    """All tokens of a message, subject and people first, bounded. Never raises for what the message holds; the text
    of attachments comes from `read_file`."""
    found: list[str] = []
    for piece in _pieces(raw, message, read_file):
        if len(found) >= MAX_TOKENS:
            break
        if piece:
            found += piece
            found.append(GAP)
    return found[:MAX_TOKENS]


def subject_tokens(message: Readable) -> list[str]:
    """Those of the subject alone: what a mail is known by when nothing else of it can be read."""
    return [*words(message.subject), GAP, *_under(Field.SUBJECT, [message.subject])]


def _pieces(raw: bytes, message: Readable, read_file: ReadFile | None) -> Iterator[list[str]]:
    yield words(message.subject)
    yield _under(Field.SUBJECT, [message.subject])
    yield singles(message.subject)
    to, cc, bcc = (people[:MAX_PEOPLE] for people in (message.to, message.cc, message.bcc))
    yield from _people([*message.from_, *message.sender], Field.FROM)
    yield from _people([*to, *cc, *bcc], Field.TO)
    yield _under(Field.CC, map(_person, cc))
    yield _under(Field.BCC, map(_person, bcc))
    yield _under(Field.LIST, [value for name, value in message.headers if name.lower() == "list-id"][:1])
    names = [each.filename for each in message.attachments if not each.inline][:MAX_PEOPLE]
    for name in names:
        yield words(name)
    yield _under(Field.FILENAME, names)
    yield words(body_text(message))
    yield from _files(raw, message, read_file, 0)


def _people(people: list[Address], field: Field) -> Iterator[list[str]]:
    shown = [_person(each) for each in people]
    for each in shown:
        yield words(each)
        yield singles(each)
    yield _under(field, shown)


def _person(address: Address) -> str:
    return f"{address.name} {address.address}"


def _under(field: Field, texts: Iterable[str]) -> list[str]:
    """The tokens of a field under its prefix, single characters too, gaps between the texts."""
    prefix = PREFIXES[field]
    found: list[str] = []
    for text in texts:
        if tokens := words(text):
            found += [prefix + token for token in tokens]
            found.append(GAP)
            found += [prefix + token for token in singles(text)]
    return found


def body_text(message: Readable) -> str:
    """What is read of the body: the text form, or the HTML's text where there is none worth the name."""
    text = (message.text or "")[:MAX_BODY_CHARS]
    if message.html and len(text.strip()) < SPARSE_CHARS:
        return f"{text}\n{html_to_text(message.html)}".strip()[:MAX_BODY_CHARS]
    return text


def _files(raw: bytes, message: Readable, read_file: ReadFile | None, depth: int) -> Iterator[list[str]]:
    for each in message.attachments[:MAX_FILES]:
        if each.content_type in ("message/rfc822", "message/global") and depth < MAX_NESTING:
            yield from _inner(part(raw, each.number).content, read_file, depth + 1)
        elif read_file is not None and is_readable(each.filename, each.content_type, each.size_bytes):
            yield words(read_file(each.filename, part(raw, each.number).content))[:MAX_FILE_TOKENS]


def _inner(raw: bytes, read_file: ReadFile | None, depth: int) -> Iterator[list[str]]:
    """A forwarded message: its subject, its people, its text and its files, as text of the outer one."""
    message = read(raw)
    yield words(message.subject)
    for each in [*message.from_, *message.to][:MAX_PEOPLE]:
        yield words(_person(each))
    yield words(body_text(message))
    yield from _files(raw, message, read_file, depth)
