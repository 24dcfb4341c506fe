"""What of a text to show, and which of its letters to mark: by the same words as the index, in the text as it is written."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from mailstore.search.tree import Field, Node, Text, leaves
from mailstore.search.words import fold, pattern

EXCERPT_CHARS = 180
LEAD_CHARS = 24
"""Of the text before the first match."""
MAX_SPANS = 50
_PEOPLE = frozenset({Field.ANY, Field.FROM, Field.TO, Field.CC, Field.BCC})

_QUOTES = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+")

Spans = list[tuple[int, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Marks:
    """What to mark in subjects, in people and in texts; None where nothing is wished for."""

    subject: re.Pattern[str] | None
    people: re.Pattern[str] | None
    text: re.Pattern[str] | None

    @classmethod
    def of(cls, tree: Node) -> Marks:
        """Of the words that are wished for."""
        wanted = [leaf for leaf, is_positive in leaves(tree) if is_positive and isinstance(leaf, Text)]
        return cls(
            _any(leaf for leaf in wanted if leaf.field in (Field.ANY, Field.SUBJECT)),
            _any(leaf for leaf in wanted if leaf.field in _PEOPLE),
            _any(leaf for leaf in wanted if leaf.field is Field.ANY),
        )


def _any(texts: Iterable[Text]) -> re.Pattern[str] | None:
    patterns = dict.fromkeys(pattern(each.value, is_prefix=each.is_prefix) for each in texts)
    patterns.pop("", None)
    # Longer ones first: an alternation takes the first that fits.
    return re.compile("|".join(sorted(patterns, key=len, reverse=True))) if patterns else None


def spans(wanted: re.Pattern[str] | None, text: str) -> Spans:
    """Where `wanted` stands in `text`, at most 50 times."""
    if wanted is None:
        return []
    folded, places = _folded(text)
    found: Spans = []
    for match in wanted.finditer(folded):
        if match.end() > match.start():
            found.append((places[match.start()], places[match.end() - 1] + 1) if places else match.span())
        if len(found) == MAX_SPANS:
            break
    return found


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text and, where folding changed its length, the place that each of its characters came from."""
    folded = fold(text)
    if len(folded) == len(text):
        return folded, []
    pieces = [fold(character) for character in text]
    return "".join(pieces), [place for place, piece in enumerate(pieces) for _ in piece]


def excerpt(wanted: re.Pattern[str] | None, text: str) -> str:
    """The part of a text around its first match, on one line; empty when there is none."""
    if wanted is None:
        return ""
    line = " ".join(_QUOTES.sub("", text).split())
    first = wanted.search(fold(line))
    if first is None:
        return ""
    start = max(0, min(first.start(), len(line)) - LEAD_CHARS)
    if start and (space := line.find(" ", start, start + LEAD_CHARS // 2)) > 0:
        start = space + 1
    cut = line[start : start + EXCERPT_CHARS]
    return ("…" if start else "") + cut + ("…" if start + EXCERPT_CHARS < len(line) else "")
