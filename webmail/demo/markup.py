"""The letters' light markup as HTML and as plain text.

Blank lines divide paragraphs; lines that begin with `|` are a table whose first row is its head; `- ` and `1. ` begin
list items; `# ` a heading; `![name]` alone on a line shows the picture of that name; `[text](url)` is a link and
`**text**` is bold.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+|mailto:[^)\s]+)\)")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_PICTURE = re.compile(r"!\[([a-z0-9-]+)\]")
_NUMBERED = re.compile(r"\d+\. ")
CELL = "border:1px solid #d5d9e2;padding:6px 12px"
HEAD = f"{CELL};background-color:#eef1f6;text-align:left"


def pictures(text: str) -> list[str]:
    """Names of the pictures shown, each once."""
    return list(dict.fromkeys(_PICTURE.findall(text)))


def to_plain(text: str) -> str:
    """As a person would type it."""
    lines = []
    for line in text.splitlines():
        if _PICTURE.fullmatch(line.strip()):
            continue
        lines.append(_plain_row(line) if line.startswith("|") else _plain_inline(line.removeprefix("# ")))
    return "\n".join(lines)


def to_html(text: str, source_of: Callable[[str], str]) -> str:
    """Paragraphs, tables, lists, pictures; `source_of` gives a picture's address."""
    return "\n".join(_block(block.splitlines(), source_of) for block in re.split(r"\n{2,}", text.strip("\n")))


def _block(lines: Sequence[str], source_of: Callable[[str], str]) -> str:
    first = lines[0]
    picture = _PICTURE.fullmatch(first.strip())
    if picture:
        return f'<p><img src="{source_of(picture[1])}" alt="{picture[1]}" width="420" style="max-width:100%"></p>'
    if first.startswith("|"):
        return _table([_cells(line) for line in lines])
    if first.startswith("# "):
        return f"<h3>{_inline(first[2:])}</h3>"
    if all(line.startswith("- ") for line in lines):
        return "<ul>" + "".join(f"<li>{_inline(line[2:])}</li>" for line in lines) + "</ul>"
    if all(_NUMBERED.match(line) for line in lines):
        return "<ol>" + "".join(f"<li>{_inline(_NUMBERED.sub('', line, count=1))}</li>" for line in lines) + "</ol>"
    return "<p>" + "<br>\n".join(_inline(line) for line in lines) + "</p>"


def _table(rows: list[list[str]]) -> str:
    head = "".join(f'<th style="{HEAD}">{_inline(cell)}</th>' for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f'<td style="{CELL}{_aligned(cell)}">{_inline(cell)}</td>' for cell in row) + "</tr>\n"
        for row in rows[1:]
    )
    return f'<table style="border-collapse:collapse"><tr>{head}</tr>\n{body}</table>'


def _aligned(cell: str) -> str:
    return ";text-align:right" if re.fullmatch(r"[\d.,%$€¥+-]+", cell) else ""


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _inline(text: str) -> str:
    escaped = html.escape(text, quote=False)
    linked = _LINK.sub(r'<a href="\2">\1</a>', escaped)
    return _BOLD.sub(r"<b>\1</b>", linked)


def _plain_row(line: str) -> str:
    return "  ".join(_plain_inline(cell) for cell in _cells(line))


def _plain_inline(text: str) -> str:
    return _BOLD.sub(r"\1", _LINK.sub(r"\1 <\2>", text))
