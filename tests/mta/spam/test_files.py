"""Attachments that run."""

from __future__ import annotations

import io
import zipfile

import pytest

from mta.spam.contents import Attached
from mta.spam.files import judge_files
from mta.spam.finding import Rule


def zipped(*names: str, locked: bool = False) -> bytes:
    """An archive; `locked` sets the bit that encryption sets."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    data = buffer.getvalue()
    if locked:
        at = data.index(b"PK\x01\x02") + 8
        data = data[:at] + b"\x01" + data[at + 1 :]
    return data


def rules(name: str, data: bytes = b"text", *, is_whole: bool = True) -> list[Rule]:
    return [each.rule for each in judge_files([Attached(name, "application/octet-stream", data, is_whole)])]


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("setup.exe", b"text", [Rule.PROGRAM]),
        ("holiday.jpg", b"MZ\x90\0" + bytes(60), [Rule.PROGRAM]),
        ("offer.pdf.exe", b"text", [Rule.DOUBLE_EXTENSION]),
        ("offer.pdf      .scr", b"text", [Rule.DOUBLE_EXTENSION]),
        ("offer_\u202efdp.exe", b"text", [Rule.DOUBLE_EXTENSION]),
        ("RUN.EXE. ", b"text", [Rule.PROGRAM]),
        ("list.xlsm", b"text", [Rule.MACROS]),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "_VBA_PROJECT".encode("utf-16-le"), [Rule.MACROS]),
        ("docs.zip", zipped("a.txt", "deep/run.js"), [Rule.PROGRAM]),
        ("new.docx", zipped("word/document.xml", "word/vbaProject.bin"), [Rule.MACROS]),
        ("secret.zip", zipped("a.txt", locked=True), [Rule.LOCKED_ARCHIVE]),
        ("offer.pdf", b"%PDF-1.7", []),
        ("photo.jpeg", b"\xff\xd8\xff", []),
        ("v1.2.docx", zipped("word/document.xml"), []),
        ("broken.zip", b"PK\x03\x04 and nothing more", []),
        ("exe", b"text", []),
        ("", b"text", []),
    ],
)
def test_what_runs_is_named(name: str, data: bytes, found: list[Rule]) -> None:
    assert rules(name, data) == found


def test_a_bomb_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", bytes(50_000_000))
    assert rules("bomb.zip", buffer.getvalue()) == []
