"""Plain text for the reading pane: cut into what was written and what was quoted, so that quotes can fold."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator

from django.utils.safestring import SafeString, mark_safe

from documents.html.text import text_to_html

FOLD_LINES = 3
"""A quote of fewer lines is not worth folding."""
_QUOTE = re.compile(r"^\s{0,3}> ?")


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """A run of lines that are all quoted or all not."""

    is_quoted: bool
    html: SafeString
    lines: int

    @property
    def folds(self) -> bool:
        """Whether the page hides it until it is asked for."""
        return self.is_quoted and self.lines >= FOLD_LINES


def blocks(text: str) -> list[Block]:
    """`text` as blocks of safe HTML, in order; quotes lose their first mark, deeper ones stay nested."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    return [_block(is_quoted, run) for is_quoted, run in _runs(lines)]


def _runs(lines: Iterable[str]) -> Iterator[tuple[bool, list[str]]]:
    run: list[str] = []
    is_quoted = False
    for line in lines:
        quoted = bool(_QUOTE.match(line))
        if run and quoted != is_quoted:
            yield is_quoted, run
            run = []
        is_quoted = quoted
        run.append(line)
    if run:
        yield is_quoted, run


def _block(is_quoted: bool, run: list[str]) -> Block:
    shown = [_QUOTE.sub("", line, count=1) for line in run] if is_quoted else run
    html = text_to_html("\n".join(shown).strip("\n"))
    return Block(is_quoted, mark_safe(html), len(run))  # noqa: S308 - text_to_html escapes
