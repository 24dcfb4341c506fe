"""Attachments are files that real programs open."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree

import pytest
from PIL import Image

from webmail.demo import files


@pytest.mark.parametrize("name", ["报价单 7.pdf", "Prices.xlsx", "合同.docx", "Lamp.png", "Photos.zip", "list.csv"])
def test_a_file_is_the_same_every_time(name: str) -> None:
    first = files.make(name)
    files.make.cache_clear()
    assert files.make(name) == first
    assert first.content


def test_the_cross_references_of_a_pdf_point_at_its_objects() -> None:
    content = files.make("Offer.pdf").content
    start = int(content.rpartition(b"startxref\n")[2].split()[0])
    assert content[start:].startswith(b"xref")
    offsets = [int(each) for each in re.findall(rb"(\d{10}) 00000 n", content)]
    assert all(content[offset:].startswith(b"%d 0 obj" % number) for number, offset in enumerate(offsets, start=1))


def test_the_text_of_a_pdf_holds_its_title() -> None:
    assert "报价单".encode("utf-16-be").hex().encode() in files.make("报价单 8.pdf").content


@pytest.mark.parametrize("name", ["A.xlsx", "B.docx"])
def test_an_office_file_is_a_zip_of_well_formed_parts(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(files.make(name).content)) as opened:
        assert opened.testzip() is None
        assert "[Content_Types].xml" in opened.namelist()
        for member in opened.namelist():
            ElementTree.fromstring(opened.read(member))


def test_a_picture_can_be_opened() -> None:
    with Image.open(io.BytesIO(files.make("Lamp.png").content)) as picture:
        picture.load()
        assert picture.size == (840, 560)
