"""What a header tells about the program that wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mta.authentication.letter import Field
from mta.spam.contents import Contents
from mta.spam.finding import Finding, Rule

DAY_US = 24 * 3600 * 1_000_000
FUTURE_US = DAY_US
PAST_US = 30 * DAY_US
_REPLY = re.compile(r"(?i)\s*(?:re|aw|回复|答复)\s*[:：]")


def judge_header(
    fields: Mapping[bytes, Sequence[Field]], contents: Contents, *, sent_us: int | None, at_us: int
) -> Iterator[Finding]:
    """`fields` by lower-case name, from top to bottom; `sent_us` is the Date field's."""
    if b"date" not in fields:
        yield Finding(Rule.NO_DATE, 8)
    elif sent_us is None or not at_us - PAST_US < sent_us < at_us + FUTURE_US:
        yield Finding(Rule.WRONG_DATE, 8)
    if b"message-id" not in fields:
        yield Finding(Rule.NO_MESSAGE_ID, 8)
    if b"from" not in fields or b"@" not in fields[b"from"][0].value:
        yield Finding(Rule.NO_AUTHOR, 20)
    if b"to" not in fields and b"cc" not in fields:
        yield Finding(Rule.NO_RECIPIENT, 5)
    if _REPLY.match(contents.subject) and not fields.keys() & {b"references", b"in-reply-to"}:
        yield Finding(Rule.FALSE_REPLY, 8)
    yield from _judge_shape(contents)


def _judge_shape(contents: Contents) -> Iterator[Finding]:
    subject, text = contents.subject, contents.text.strip()
    if subject.isascii() and subject.isupper() and len(subject) >= 10:
        yield Finding(Rule.SHOUTING, 8)
    if not text and not contents.files and not contents.pictures:
        yield Finding(Rule.EMPTY, 8)
    elif contents.is_html_only and contents.pictures and len(text) < 60:
        yield Finding(Rule.ONLY_PICTURE, 12)
