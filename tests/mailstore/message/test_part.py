"""Parts by their number."""

from __future__ import annotations

import importlib
import json

import pytest

from core.errors import ErrorKind, MailError
from mailstore.message import part, parts, read, scan
from tests.mailstore.message import corpus


def test_a_part_comes_decoded_with_its_name() -> None:
    found = part(corpus.message("foxmail-gbk-labelled-gb2312"), "2")
    assert found.filename == "季度报告.docx"
    assert found.content.startswith(b"PK\x03\x04word/")


def test_a_part_inside_a_forwarded_message_has_the_number_that_imap_gives_it() -> None:
    found = part(corpus.message("forwarded-as-attachment"), "2.2")
    assert (found.filename, found.content[:2]) == ("list.zip", b"PK")


def test_a_forwarded_message_comes_as_it_is() -> None:
    content = part(corpus.message("forwarded-as-attachment"), "2").content
    assert read(content).subject == "发货通知"


@pytest.mark.parametrize("number", ["", "0", "3", "2.3", "1.1", "x", "../1", "2." * 500])
def test_a_number_that_is_not_there_is_not_found(number: str) -> None:
    with pytest.raises(MailError) as error:
        part(corpus.message("forwarded-as-attachment"), number)
    assert error.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize("name", corpus.NAMES)
def test_every_part_that_is_listed_can_be_had(name: str) -> None:
    raw = corpus.message(name)
    for listed in json.loads(scan(raw).parts):
        assert part(raw, listed[0]).content_type == f"{listed[1]}/{listed[2]}"
    for attachment in read(raw).attachments:
        assert len(part(raw, attachment.number).content) == attachment.size_bytes


def test_many_parts_are_found_in_one_walk_over_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50 + b"--b--\r\n"
    module = importlib.import_module("mailstore.message.part")
    walks: list[int] = []
    real = module.structure
    monkeypatch.setattr(module, "structure", lambda message: walks.append(1) or real(message))
    found = list(parts(raw, [str(number) for number in range(60, 0, -1)] + [""]))
    assert [each.number for each in found] == [str(number) for number in range(1, 51)]
    assert len(walks) == 1
