"""Attachments of the letters, made by code: real PDF, XLSX, DOCX, PNG, ZIP and CSV, small and always the same.

A letter names a file as `kind:title`, for example `pdf:Quotation FY-26118.pdf`; its content is made from the title.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import escape

from webmail.demo.figures import price_rows
from webmail.demo.pictures import png

LONG_AGO = (2026, 1, 1, 0, 0, 0)
"""The date inside archives: the same bytes on every run."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "application/vnd.openxmlformats-package.relationships+xml"
_PDF_LEADING = 22


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """What a mail carries."""

    name: str
    content_type: str
    content: bytes


@functools.cache
def make(name: str) -> File:
    """The file called `name`; its ending says what it is."""
    stem, _, ending = name.rpartition(".")
    content_type, build = _KINDS[ending.lower()]
    return File(name, content_type, build(stem))


def _pdf(title: str) -> bytes:
    """One page. STSong-Light is one of the fonts every viewer knows for Chinese (PDF 1.7, 9.7.5.2)."""
    lines = [title, "Farvoyage Lighting Co., Ltd.  宁波远航照明有限公司", ""]
    lines += ["   ".join(row) for row in price_rows(title)]
    shown = "".join(
        f"BT /F1 {16 if number == 0 else 11} Tf 56 {770 - number * _PDF_LEADING} Td <{_utf16(line)}> Tj ET\n"
        for number, line in enumerate(lines)
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(shown)} >>\nstream\n{shown}endstream",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 7 0 R /DW 1000 "
        "/W [1 95 500] /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
        "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 "
        "/Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    ]
    return _pdf_file(objects)


def _pdf_file(objects: list[str]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.5\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{offset:010d} 00000 n \n" for offset in offsets).encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def _utf16(text: str) -> str:
    return text.encode("utf-16-be").hex()


def _xlsx(title: str) -> bytes:
    """A workbook of one sheet with inline strings and numbers (ECMA-376)."""
    rows = "".join(
        f'<row r="{number}">{"".join(_cell(value) for value in row)}</row>'
        for number, row in enumerate([(title,), *price_rows(title)], start=1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return archive(
        {
            "[Content_Types].xml": _types(
                ("/xl/workbook.xml", f"{_XLSX}.main+xml"),
                ("/xl/worksheets/sheet1.xml", _XLSX.replace("sheet", "worksheet") + "+xml"),
            ),
            "_rels/.rels": _relations("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


def _cell(value: str) -> str:
    plain = value.replace(",", "")
    if plain.replace(".", "", 1).isdigit():
        return f"<c><v>{plain}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _docx(title: str) -> bytes:
    """A document of a heading and a few paragraphs (ECMA-376)."""
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraphs = [title, "宁波远航照明有限公司 Farvoyage Lighting Co., Ltd."]
    paragraphs += ["\t".join(row) for row in price_rows(title)]
    body = "".join(f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in paragraphs)
    return archive(
        {
            "[Content_Types].xml": _types(("/word/document.xml", f"{_DOCX}.main+xml")),
            "_rels/.rels": _relations("officeDocument", "word/document.xml"),
            "word/document.xml": f'<w:document xmlns:w="{main}"><w:body>{body}</w:body></w:document>',
        }
    )


def _types(*overrides: tuple[str, str]) -> str:
    listed = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in overrides)
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{_PACKAGE}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )


def _relations(kind: str, target: str) -> str:
    relation = f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>'


def _zip(title: str) -> bytes:
    return archive({f"{title}-1.png": png(f"{title} 1"), f"{title}-2.png": png(f"{title} 2"), "readme.txt": title})


def _csv(title: str) -> bytes:
    return "\r\n".join(",".join(f'"{value}"' for value in row) for row in price_rows(title)).encode("utf-8-sig")


def archive(members: dict[str, str | bytes]) -> bytes:
    """A zip file with fixed dates."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(zipfile.ZipInfo(name, LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


_KINDS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "pdf": ("application/pdf", _pdf),
    "xlsx": (_XLSX, _xlsx),
    "docx": (_DOCX, _docx),
    "png": ("image/png", png),
    "zip": ("application/zip", _zip),
    "csv": ("text/csv", _csv),
}
