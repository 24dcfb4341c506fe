"""Reads what IMAP prints in brackets (RFC 3501 9) back into lists: a grammar check by another hand."""

from __future__ import annotations

import re

Value = str | int | None | list["Value"]

_TOKEN = re.compile(r'\(|\)|"((?:[^"\\\r\n]|\\["\\])*)"|(NIL)|(\d+)| ')


def parse(text: str) -> Value:
    """The one value in `text`; AssertionError when it is not exactly one."""
    stack: list[list[Value]] = [[]]
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match, f"no token at {position}: {text[position : position + 30]!r}"
        position = match.end()
        _take(stack, match)
    assert len(stack) == 1, "an open bracket"
    assert len(stack[0]) == 1
    return stack[0][0]


def _take(stack: list[list[Value]], match: re.Match[str]) -> None:
    token = match[0]
    if token == "(":
        stack.append([])
    elif token == ")":
        closed = stack.pop()
        stack[-1].append(closed)
    elif token.startswith('"'):
        stack[-1].append(re.sub(r"\\(.)", r"\1", match[1]))
    elif token != " ":
        stack[-1].append(None if match[2] else int(match[3]))
