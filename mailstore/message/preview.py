"""The grey text behind the subject in lists: the first words of a mail, from its first 2,400 bytes."""

from __future__ import annotations

import html
import re

from mailstore.message import body, charset
from mailstore.message.structure import Node

PREVIEW_CHARS = 160
MOST_WORDS = PREVIEW_CHARS // 2 + 1
"""That have room in it."""
PLAIN_BYTES = 2_400
HTML_BYTES = 24 * 1024
"""Newsletters carry 10–20 KB of style in front of the first word."""

_QUOTE_STARTS = re.compile(
    r"(?m)\n(?:-- ?$|-{3,} ?(?:Original Message|Forwarded message|原始邮件|原始郵件|转发邮件|转发的邮件)"
    r"|_{20,}$|On .{5,100} wrote:$|(?:发件人|寄件者|From)[:：] .*$|在 ?\d{4}.{5,80}写道[:：])"
)
"""A break and a line: what begins with a letter is looked for ten times as fast as what begins with a condition."""
_QUOTED_LINE = re.compile(r"(?m)^>.*$")
_HIDDEN = re.compile(r"(?is)<(style|script|head|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
_TAG = re.compile(r"<[^>]*(?:>|\Z)")
_RULES = re.compile(r"[-=_*#~]{4,}")


def preview(raw: bytes, leaves: list[Node]) -> str:
    """At most 160 characters; empty when the message has no readable text."""
    plain = next((n for n in leaves if n.subtype == "plain" and _is_body(n)), None)
    if plain is not None:
        found = of_text(body.text(raw, plain, PLAIN_BYTES))
        if found:
            return found
    marked = next((n for n in leaves if n.subtype == "html" and _is_body(n)), None)
    if marked is None:
        return ""
    limit = PLAIN_BYTES if marked.size_bytes <= PLAIN_BYTES else HTML_BYTES
    return of_html(body.text(raw, marked, limit))


def _is_body(node: Node) -> bool:
    return node.type == "text" and node.disposition != "attachment" and node.size_bytes > 0


def of_text(text: str) -> str:
    """The first words of plain text that are the writer's own."""
    start = _QUOTE_STARTS.search("\n" + text)
    own = text[: start.start()] if start else text
    if ">" in own:
        own = _QUOTED_LINE.sub("", own)
    return folded(own) or folded(text)


def of_html(marked: str) -> str:
    """The first words of HTML; tags, style and comments left out."""
    return folded(html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", marked))))


def folded(text: str) -> str:
    """On one line, cut to the length of a preview, without invisible and control characters."""
    line = _RULES.sub(" ", text) if "----" in text or "====" in text or "____" in text else text
    line = line[: 20 * PREVIEW_CHARS]
    found = " ".join(line.split(maxsplit=MOST_WORDS)[:MOST_WORDS])[:PREVIEW_CHARS]
    if found.isprintable():
        return found
    # Newsletters pad with zero-width characters: they are no text.
    line = charset.scalar(" ".join(line.split()))
    return " ".join("".join(c for c in line if c.isprintable()).split())[:PREVIEW_CHARS]
