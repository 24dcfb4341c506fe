"""What files are, and what they may be called."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, strategies as st
from PIL import Image

from documents.filetype import MAX_NAME_BYTES, content_type_of, icon_kind, safe_filename

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

FILES = [
    ("a.pdf", b"%PDF-1.4", "", "application/pdf"),
    ("a.jpg", b"%PDF-1.4", "image/jpeg", "application/pdf"),
    ("a.docx", b"PK\x03\x04....word/document.xml", "", DOCX),
    ("a.docx", b"PK\x03\x04....", "", DOCX),
    ("a.zip", b"PK\x03\x04....", "", "application/zip"),
    ("a.doc", OLE, "", "application/msword"),
    ("a.xls", OLE, "application/msword", "application/vnd.ms-excel"),
    ("a.png", b"<script>alert(1)</script>", "image/png", "text/html"),
    ("a.png", b"<svg xmlns='x'>", "image/png", "image/svg+xml"),
    ("a.gif", b"not a picture", "image/gif", "text/plain"),
    ("a.png", b"\x01\x02\x03", "image/png", "application/octet-stream"),
    ("a.exe", b"MZ\x90\0", "image/png", "application/vnd.microsoft.portable-executable"),
    ("a.csv", b"a,b\n", "", "text/csv"),
    ("说明.txt", "说明".encode("gbk"), "", "text/plain"),
    ("a.ics", b"BEGIN:VCALENDAR\r\n", "", "text/calendar"),
    ("a", b"BEGIN:VCARD\r\n", "", "text/vcard"),
    ("a.eml", b"Subject: x\r\n", "", "message/rfc822"),
    ("a.mp4", b"\0\0\0\x18ftypmp42", "", "video/mp4"),
    ("winmail.dat", b'x\x9f>"', "", "application/ms-tnef"),
    ("a.bin", b"\x01\x02", "application/x-thing", "application/x-thing"),
    ("a.bin", b"\x01\x02", "evil\r\nheader: x", "application/octet-stream"),
    ("", b"", "", "application/octet-stream"),
]


@pytest.mark.parametrize(("name", "head", "claimed", "expected"), FILES)
def test_a_file_is_what_its_bytes_say(name: str, head: bytes, claimed: str, expected: str) -> None:
    assert content_type_of(name, head, claimed) == expected


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_pictures_as_pillow_writes_them_are_known(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, kind)
    assert content_type_of("x", buffer.getvalue()) == f"image/{kind.lower()}"


ICONS = [
    ("application/pdf", "a", "pdf"),
    (DOCX, "a", "doc"),
    ("application/octet-stream", "报告.DOCX", "doc"),
    ("application/zip", "a.xlsx", "xls"),
    ("application/zip", "a.zip", "archive"),
    ("text/csv", "a.csv", "xls"),
    ("text/plain", "a.txt", "text"),
    ("image/png", "a", "image"),
    ("audio/mpeg", "a", "audio"),
    ("video/mp4", "a", "video"),
    ("message/rfc822", "a", "mail"),
    ("text/calendar", "a.ics", "calendar"),
    ("application/vnd.ms-powerpoint", "a", "ppt"),
    ("", "", "other"),
]


@pytest.mark.parametrize(("content_type", "name", "kind"), ICONS)
def test_each_kind_has_its_picture(content_type: str, name: str, kind: str) -> None:
    assert icon_kind(content_type, name) == kind


NAMES = [
    ("报告.pdf", "报告.pdf"),
    ("../../etc/passwd", "passwd"),
    ("C:\\Users\\a\\b.txt", "b.txt"),
    ("a\u202egpj.exe", "agpj.exe"),
    ("a\r\nb\0.txt", "ab.txt"),
    ('a<b>:"|?*.txt', "a_b______.txt"),
    (" . ", "file"),
    ("", "file"),
    ("..", "file"),
    ("NUL.txt", "file-NUL.txt"),
    (".htaccess", "htaccess"),
]


@pytest.mark.parametrize(("name", "safe"), NAMES)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    safe = safe_filename("长" * 300 + ".docx")
    assert safe.endswith("长.docx")
    assert len(safe.encode()) <= MAX_NAME_BYTES


@given(st.text())
def test_any_name_becomes_a_safe_one(name: str) -> None:
    safe = safe_filename(name)
    assert 0 < len(safe.encode()) <= MAX_NAME_BYTES
    assert safe.isprintable()
    assert not set(safe) & set('/\\:*?"<>|')
    assert safe_filename(safe) == safe
