"""How strings are compared in SORT and THREAD (RFC 5256 2.1, RFC 5051) and in SEARCH."""

from __future__ import annotations

import functools
import re
import unicodedata

from mailstore.search.words import fold

_SPACE = re.compile(r"\s+")
_BLOB = r"\[[^\[\]]*\]\s*"
# RFC 5256 5, and what Chinese programs write in place of Re and Fwd, with their colon.
_LEADER = re.compile(rf"(?:{_BLOB})*(?:re|fwd?|回复|回覆|答复|答覆|转发|轉寄)\s*(?:{_BLOB})?[:：]", re.IGNORECASE)
_PREFIX_BLOB = re.compile(_BLOB)
_TRAILER = re.compile(r"\s*\(fwd\)\s*\Z", re.IGNORECASE)
_WRAPPED = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE | re.DOTALL)
_MAY_HAVE_MORE = re.compile(r"\s*(?:\[|re|fw|回|答|转|轉)|.*\)\s*\Z", re.IGNORECASE)
MAX_ROUNDS = 100
LAST_CASED = 0x1E944


def folded(text: str) -> str:
    """What SEARCH compares: on one line, without regard to case, width, accents, and traditional or simplified form."""
    return _SPACE.sub(" ", fold(text))


def casemap(text: str) -> str:
    """i;unicode-casemap (RFC 5051 2): titlecase, then decomposed; compared as UTF-8."""
    if text.isascii():
        return text.upper()
    return unicodedata.normalize("NFKD", text.translate(_titles()))


def make_tables() -> None:
    """Make what comparing needs (0.1 s): where a process does so at its start, nobody's first SEARCH waits for it."""
    fold("é")
    casemap("é")


@functools.cache
def _titles() -> dict[int, str]:
    """Characters whose titlecase is another one character (30 ms, once). No letter behind LAST_CASED has two cases."""
    found = {code: chr(code).title() for code in range(LAST_CASED)}
    return {code: title for code, title in found.items() if len(title) == 1 and title != chr(code)}


def base_subject(subject: str) -> tuple[str, bool]:
    """The base subject and whether the message is a reply or forward (RFC 5256 2.1); `subject` is decoded."""
    text = _SPACE.sub(" ", subject).strip()
    if not _MAY_HAVE_MORE.match(text):
        return text, False
    is_reply = False
    for _ in range(MAX_ROUNDS):
        text, found = _stripped(text)
        is_reply |= found
        wrapped = _WRAPPED.match(text)
        if not wrapped:
            break
        text, is_reply = wrapped[1].strip(), True
    return text, is_reply


def _stripped(text: str) -> tuple[str, bool]:
    """Steps 2 to 5."""
    is_reply = False
    for _ in range(MAX_ROUNDS):
        trailer = _TRAILER.search(text)
        if not trailer:
            break
        text, is_reply = text[: trailer.start()], True
    for _ in range(MAX_ROUNDS):
        text = text.lstrip()
        leader = _LEADER.match(text)
        if leader:
            text, is_reply = text[leader.end() :], True
            continue
        blob = _PREFIX_BLOB.match(text)
        if not blob or blob.end() == len(text):
            break
        text = text[blob.end() :]
    return text, is_reply
