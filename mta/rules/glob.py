"""Patterns with `*` and `?`, matched without ever going back: time grows with text times pattern at the worst.

A regular expression of a user's could hold a server up for hours; this can't.
"""

from __future__ import annotations


def matches(pattern: str, text: str) -> bool:
    """Whether all of `text` fits `pattern`: `*` is anything, `?` one character."""
    first, *rest = pattern.split("*")
    if not rest:
        return len(first) == len(text) and _fits(first, text, 0)
    *middle, last = rest
    end = len(text) - len(last)
    if end < len(first) or not _fits(first, text, 0) or not _fits(last, text, end):
        return False
    at = len(first)
    for piece in middle:
        # The leftmost place is as good as any: what follows may only lie further right.
        at = _find(piece, text, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _fits(piece: str, text: str, at: int) -> bool:
    return all(wanted in ("?", found) for wanted, found in zip(piece, text[at : at + len(piece)], strict=True))


def _find(piece: str, text: str, begin: int, end: int) -> int:
    if "?" not in piece:
        return text.find(piece, begin, end)
    return next((at for at in range(begin, end - len(piece) + 1) if _fits(piece, text, at)), -1)
