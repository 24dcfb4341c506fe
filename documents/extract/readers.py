"""Text of the common kinds of files. Runs only inside the sandbox's child: any of these may raise, loop or crash.

Each reader yields pieces until the caller has enough; it keeps to its own bounds on pages, sheets and depth.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import mammoth
import openpyxl
import pptx
import pypdfium2

from documents.filetype import HEAD_BYTES, content_type_of
from documents.html.text import html_to_text

MAX_TEXT_CHARS = 200_000
"""Of one file: a contract of 100 pages. What stands behind is not searched."""
MAX_PAGES = 500
MAX_ROWS = 50_000
MAX_UNPACKED_BYTES = 200 << 20
MAX_MEMBERS = 5_000
MAX_GROUP_DEPTH = 16

_OOXML = "application/vnd.openxmlformats-officedocument."


class TooLargeError(Exception):
    """A container that unpacks to more than we read."""


def text_of(name: str, content: bytes) -> str:
    """At most MAX_TEXT_CHARS of the text in a file; empty for a kind that has none. May raise anything."""
    kind = content_type_of(name, content[:HEAD_BYTES])
    reader = READERS.get(kind) or (_plain if kind.startswith("text/") else None)
    if reader is None:
        return ""
    pieces, length = [], 0
    for piece in reader(content):
        pieces.append(piece)
        length += len(piece) + 1
        if length >= MAX_TEXT_CHARS:
            break
    return "\n".join(pieces)[:MAX_TEXT_CHARS]


def _plain(content: bytes) -> Iterator[str]:
    """UTF-8 or UTF-16 by its mark, else what most Chinese files are."""
    head = content[: 4 * MAX_TEXT_CHARS]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield head.decode("utf-16", "ignore")
        return
    try:
        yield head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cut = error.start > len(head) - 4
        yield head.decode("utf-8-sig", "ignore") if cut else head.decode("gb18030", "replace")


def _html(content: bytes) -> Iterator[str]:
    for marked in _plain(content):
        yield html_to_text(marked)


def _pdf(content: bytes) -> Iterator[str]:
    document = pypdfium2.PdfDocument(content)
    for number in range(min(len(document), MAX_PAGES)):
        page = document[number].get_textpage()
        yield page.get_text_range(0, -1)


def _docx(content: bytes) -> Iterator[str]:
    _check_container(content)
    yield mammoth.extract_raw_text(io.BytesIO(content)).value


def _xlsx(content: bytes) -> Iterator[str]:
    _check_container(content)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    left = MAX_ROWS
    for sheet in book.worksheets:
        yield sheet.title
        for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS, max_col=500):
            left -= 1
            if left < 0:
                return
            cells = [str(value) for value in row if value is not None]
            if cells:
                yield "\t".join(cells)


def _pptx(content: bytes) -> Iterator[str]:
    _check_container(content)
    for number, slide in enumerate(pptx.Presentation(io.BytesIO(content)).slides):
        if number >= MAX_PAGES:
            return
        yield from _shapes(slide.shapes, 0)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            yield slide.notes_slide.notes_text_frame.text


def _shapes(shapes: Any, depth: int) -> Iterator[str]:
    for shape in shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        if getattr(shape, "has_table", False):
            yield from ("\t".join(cell.text for cell in row.cells) for row in shape.table.rows)
        if hasattr(shape, "shapes") and depth < MAX_GROUP_DEPTH:
            yield from _shapes(shape.shapes, depth + 1)


def _check_container(content: bytes) -> None:
    """A zip that says honestly how large it is; one that lies meets the memory limit of the process."""
    members = zipfile.ZipFile(io.BytesIO(content)).infolist()
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise TooLargeError


READERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    "application/pdf": _pdf,
    "text/html": _html,
    _OOXML + "wordprocessingml.document": _docx,
    _OOXML + "spreadsheetml.sheet": _xlsx,
    _OOXML + "presentationml.presentation": _pptx,
}
"""By the type that the content shows, not by what the sender claims."""
