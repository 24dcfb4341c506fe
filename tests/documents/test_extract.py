"""Text of files: of honest ones all of it, of hostile ones nothing, and the worker lives."""

from __future__ import annotations

import io
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pptx
import pytest
from hypothesis import given, settings, strategies as st

from documents.extract import MAX_FILE_BYTES, Sandbox, is_readable
from documents.extract.readers import MAX_TEXT_CHARS, text_of


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One child for the module."""
    found = Sandbox()
    yield found
    found.close()


def pdf(text: str) -> bytes:
    """The smallest PDF that shows a line (ISO 32000-1 7.5)."""
    stream = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer << /Root 1 0 R /Size 6 >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


def docx(body: str) -> bytes:
    """A Word document of one part (ECMA-376)."""
    space = "http://schemas.openxmlformats.org"
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{space}/package/2006/content-types"><Default Extension="xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Default '
            'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{space}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{space}/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>',
        }
    )


def packed(members: dict[str, str | bytes]) -> bytes:
    """A zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def xlsx() -> bytes:
    """A sheet with a text and a number."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active["C2"] = "合同金额", 12345.5
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def slides() -> bytes:
    """A slide with a title, a table and notes."""
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "季度 review"
    slide.shapes.add_table(1, 1, 0, 0, 100, 100).table.cell(0, 0).text = "cell text"
    slide.notes_slide.notes_text_frame.text = "speaker notes"
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


PARAGRAPH = "<w:p><w:r><w:t>第二条 付款方式 payment</w:t></w:r></w:p>"


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.pdf", pdf("Hello contract"), ["Hello contract"]),
        ("renamed.bin", pdf("Typed by content"), ["Typed by content"]),
        ("a.docx", docx(PARAGRAPH), ["第二条 付款方式 payment"]),
        ("a.xlsx", xlsx(), ["合同金额", "12345.5"]),
        ("a.pptx", slides(), ["季度 review", "cell text", "speaker notes"]),
        ("a.txt", "你好 utf-8".encode(), ["你好 utf-8"]),
        ("a.txt", "你好 gbk".encode("gbk"), ["你好 gbk"]),
        ("a.csv", "品名,数量".encode("utf-16"), ["品名,数量"]),
        ("a.html", b"<html><p>read<script>never()</script></p>", ["read"]),
    ],
    ids=[
        "pdf",
        "renamed",
        "docx",
        "xlsx",
        "pptx",
        "utf-8",
        "gbk",
        "utf-16",
        "html",
    ],  # contents hold the time they were made
)
def test_the_text_of_common_files_is_read(sandbox: Sandbox, name: str, content: bytes, texts: list[str]) -> None:
    found = sandbox.text(name, content)
    for text in texts:
        assert text in found
    assert "never" not in found


def bombs() -> dict[str, tuple[str, bytes]]:
    """Files that would cost a careless reader its life."""
    zeros = b"<a>" * 90_000_000
    liar = bytearray(packed({"word/document.xml": zeros[: 50 << 20], "[Content_Types].xml": "x"}))
    for at in range(len(liar) - 4):  # the sizes in both headers say 10 bytes
        if liar[at : at + 4] == (50 << 20).to_bytes(4, "little"):
            liar[at : at + 4] = (10).to_bytes(4, "little")
    deep = "<w:tbl><w:tr><w:tc>" * 3_000 + PARAGRAPH + "</w:tc></w:tr></w:tbl>" * 3_000
    laughs = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    return {
        "unpacks to too much": ("a.xlsx", packed({"xl/workbook.xml": zeros, "[Content_Types].xml": "x"})),
        "lies about its size": ("a.docx", bytes(liar)),
        "too many members": ("a.xlsx", packed({f"xl/{n}": "" for n in range(6_000)})),
        "nested too deep": ("a.docx", docx(deep)),
        "billion laughs": (
            "a.docx",
            packed({"word/document.xml": laughs + "]><a>&j;</a>", "[Content_Types].xml": "x"}),
        ),
        "broken pdf": ("a.pdf", b"%PDF-1.7\n" + os.urandom(50_000)),
        "pdf cut": ("a.pdf", pdf("cut")[:-200]),
        "empty zip": ("a.docx", packed({})),
        "not a zip": ("a.docx", b"PK\3\4" + os.urandom(5_000)),
    }


@pytest.mark.parametrize("case", bombs())
def test_a_hostile_file_has_no_text_and_the_next_file_is_read(sandbox: Sandbox, case: str) -> None:
    name, content = bombs()[case]
    assert len(sandbox.text(name, content)) <= MAX_TEXT_CHARS
    assert sandbox.text("a.txt", b"alive") == "alive"


def test_a_reader_that_hangs_is_ended_and_replaced() -> None:
    sandbox = Sandbox()
    try:
        assert sandbox.text("a.txt", b"first") == "first"
        assert sandbox._child is not None
        os.kill(sandbox._child.pid, signal.SIGSTOP)
        patience_s, sandbox.timeout_s = sandbox.timeout_s, 0.1
        assert sandbox.text("a.txt", b"never read") == ""
        sandbox.timeout_s = patience_s
        assert sandbox.text("a.txt", b"next") == "next"
    finally:
        sandbox.close()


def test_a_reader_that_dies_is_replaced(sandbox: Sandbox) -> None:
    assert sandbox.text("a.txt", b"first") == "first"
    assert sandbox._child is not None
    sandbox._child.kill()
    sandbox._child.wait()
    assert sandbox.text("a.txt", b"second") == "second"


def test_the_child_holds_itself_to_its_bounds(sandbox: Sandbox) -> None:
    sandbox.text("a.txt", b"x")
    assert sandbox._child is not None
    limits = Path(f"/proc/{sandbox._child.pid}/limits").read_text()
    environment = Path(f"/proc/{sandbox._child.pid}/environ").read_text()
    assert f"Max address space         {1 << 30}" in limits
    assert "Max file size             0 " in limits
    assert not {"SECRET_KEYS", "DATABASE_URL", "DATA_DIR"} & {
        each.partition("=")[0] for each in environment.split("\0")
    }


def test_a_child_ends_with_its_sandbox() -> None:
    sandbox = Sandbox()
    sandbox.text("a.txt", b"x")
    assert sandbox._child is not None
    pid = sandbox._child.pid
    sandbox.close()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("name", "claimed", "size", "expected"),
    [
        ("a.pdf", "application/octet-stream", 10, True),
        ("", "application/pdf", 10, True),
        ("notes", "text/x-anything", 10, True),
        ("a.jpg", "image/jpeg", 10, False),
        ("a.pdf", "application/pdf", 0, False),
        ("a.pdf", "application/pdf", MAX_FILE_BYTES + 1, False),
    ],
)
def test_which_files_are_read(name: str, claimed: str, size: int, expected: bool) -> None:
    assert is_readable(name, claimed, size) is expected


def test_text_is_cut_and_the_child_is_never_asked_for_more_than_it_takes(sandbox: Sandbox) -> None:
    assert len(sandbox.text("a.txt", b"word " * 200_000)) == MAX_TEXT_CHARS
    assert sandbox.text("a.txt", b"x" * (MAX_FILE_BYTES + 1)) == ""


@settings(max_examples=60)
@given(st.binary(max_size=400), st.sampled_from(["a.txt", "a.html", "a.csv", "a.xml"]))
def test_any_bytes_are_text_or_none(content: bytes, name: str) -> None:
    assert isinstance(text_of(name, content), str)
