"""HTML brought into a shape that a parser can't be hurt with, before any parser sees it.

HTML's own rules (WHATWG 13.2) make some short inputs enormous: every unclosed formatting element is opened again
in every following block, and depth makes scope checks quadratic. So the text is cut into tokens once, linearly,
and written again from them: comments and raw-text elements gone, depth, tags and open formatting bounded. The
parser then sees exactly what was counted here. This is about time and memory; safety is `clean`'s work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_CHARS = 2_000_000
"""More than this is cut. The longest newsletters are 500 KB."""
MAX_TAGS = 60_000
MAX_DEPTH = 200
MAX_FORMATTING = 24
"""Formatting elements open at the same time in big documents."""
SMALL_TAGS = 400
"""Documents with fewer tags can't hurt and are left alone."""
MAX_TAG_CHARS = 64_000
"""One tag: room for an inline picture is given by `MAX_DATA_CHARS`."""
MAX_DATA_CHARS = 700_000

MAX_REFERENCES = 30_000

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
RAW = "style|script|title|textarea|xmp|iframe|noembed|noframes|noscript|plaintext|svg|math|template"

_TOKEN = re.compile(
    r"<!--.*?(?:--!?>|\Z)|<[!?][^>]*+(?:>|\Z)"
    r"|<(/?)([A-Za-z][^\s/>]*+)((?:[^>\"']|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)(?:>|\Z)",
    re.DOTALL,
)
_RAW_END = {name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE) for name in RAW.split("|")}


def bounded(html: str) -> str:
    """`html` in bounds; the same string when it is small and harmless."""
    html = _without_reference_flood(html[:MAX_CHARS].replace("\0", ""))
    if html.count("<") <= SMALL_TAGS:
        return html
    return "".join(_Bounded().pieces(html))


def _without_reference_flood(html: str) -> str:
    """html5ever is quadratic in the number of ampersands (31 s for 2 million); no mail needs so many."""
    if html.count("&") <= MAX_REFERENCES:
        return html
    html = html.replace("&nbsp;", "\xa0")
    return html if html.count("&") <= MAX_REFERENCES else html.replace("&", " ")


class _Bounded:
    """The open elements while tokens pass by."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.formatting = 0
        self.tags = 0

    def pieces(self, html: str) -> Iterator[str]:
        position = 0
        while match := _TOKEN.search(html, position):
            yield _escaped(html[position : match.start()])
            position = match.end()
            name = (match[2] or "").lower()
            if not name:
                continue
            if name in _RAW_END and not match[1]:
                position = _raw_end(html, name, position)
                continue
            self.tags += 1
            if self.tags > MAX_TAGS:
                return
            yield self._end(name) if match[1] else self._start(name, match[3])
        yield _escaped(html[position:])

    def _start(self, name: str, attributes: str) -> str:
        if len(attributes) > (MAX_DATA_CHARS if name == "img" else MAX_TAG_CHARS) or not name.isalnum():
            return ""
        if name in VOID:
            return f"<{name}{attributes}>"
        if len(self.stack) >= MAX_DEPTH:
            return ""
        if name in FORMATTING:
            if self.formatting >= MAX_FORMATTING:
                return ""
            self.formatting += 1
        self.stack.append(name)
        return f"<{name}{attributes.rstrip('/')}>"

    def _end(self, name: str) -> str:
        """Close the nearest open element of that name and what is open inside it; an end without start goes."""
        if name not in self.stack:
            return "<br>" if name == "br" else ""
        closed = []
        while self.stack:
            last = self.stack.pop()
            self.formatting -= last in FORMATTING
            closed.append(f"</{last}>")
            if last == name:
                break
        return "".join(closed)


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;") if "<" in text else text


def _raw_end(html: str, name: str, position: int) -> int:
    """Behind the end tag of a raw-text element; the end of everything when it is never closed."""
    match = _RAW_END[name].search(html, position)
    if match is None:
        return len(html)
    close = html.find(">", match.end() - 1)
    return len(html) if close < 0 else close + 1
