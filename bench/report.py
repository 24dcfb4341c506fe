"""A table for people and JSON for programs, of the same rows."""

from __future__ import annotations

import json
import os
import platform
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent / "out"


def report(name: str, title: str, rows: Sequence[dict[str, Any]], **facts: Any) -> None:
    """Print `rows` under `title`; write them with the machine's facts to bench/out/NAME.json."""
    print(f"\n== {title}" + "".join(f" · {key} {value}" for key, value in facts.items()), flush=True)
    print(table(rows), flush=True)
    OUT.mkdir(exist_ok=True)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    content = {"name": name, "title": title, "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **facts}
    content |= {"machine": machine, "rows": list(rows)}
    (OUT / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Columns as wide as their widest cell; numbers to the right."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_shown(row.get(head, "")) for head in heads] for row in rows]
    widths = [max(_width(each) for each in column) for column in zip(heads, *cells, strict=True)]
    lines = [_line(heads, widths), "  ".join("-" * width for width in widths)]
    return "\n".join([*lines, *(_line(row, widths) for row in cells)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for cell, width in zip(cells, widths, strict=True):
        space = " " * (width - _width(cell))
        padded.append(space + cell if cell[:1].isdigit() else cell + space)
    return "  ".join(padded).rstrip()


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
