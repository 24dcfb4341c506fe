"""Letters as bytes: what the reading side makes of them is what was written."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from email.message import EmailMessage

import pytest

from mailstore.message import read, scan
from tests.webmail.demo.test_script import NOON
from webmail.demo import markup
from webmail.demo.mime import UNLABELLED, message_of
from webmail.demo.script import Letter, letters


@pytest.fixture(scope="module")
def made() -> list[tuple[Letter, bytes]]:
    """Every letter with its bytes."""
    return [(letter, message_of(letter)) for letter in letters(NOON)]


def test_every_message_is_read_as_it_was_written(made: list[tuple[Letter, bytes]]) -> None:
    for letter, raw in made:
        scanned = scan(raw)
        assert scanned.subject == letter.subject
        assert (scanned.sender_name, scanned.sender_address) == (letter.sender.name, letter.sender.address)
        assert scanned.message_id == letter.message_id
        assert len(scanned.references) >= bool(letter.parent)


def test_the_first_words_of_every_message_can_be_read(made: list[tuple[Letter, bytes]]) -> None:
    for letter, raw in made:
        readable = read(raw)
        first = markup.to_plain(letter.text).strip().splitlines()[0].split()[0]
        assert first.strip("*")[:12] in (readable.text or "") + (readable.html or ""), letter.subject
        assert "\ufffd" not in (readable.text or "") + (readable.html or ""), letter.subject


def test_lines_end_and_are_bounded_as_the_protocol_wants(made: list[tuple[Letter, bytes]]) -> None:
    for letter, raw in made:
        assert b"\n" not in raw.replace(b"\r\n", b""), letter.subject
        assert max(map(len, raw.split(b"\r\n"))) <= 998, letter.subject


def test_the_standard_library_finds_no_defect(made: list[tuple[Letter, bytes]]) -> None:
    for letter, raw in made:
        if letter.charset == UNLABELLED:
            continue
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert not message.defects
        assert not any(part.defects for part in message.walk()), letter.subject


def test_old_charsets_are_really_used(made: list[tuple[Letter, bytes]]) -> None:
    used = Counter(
        str(part.get_content_charset()) for _, raw in made for part in _parsed(raw).walk() if not part.is_multipart()
    )
    for charset, least in {"gb18030": 15, "gbk": 5, "big5": 4, "iso-2022-jp": 4, "koi8-r": 1, "euc-kr": 1}.items():
        assert used[charset] >= least, charset


def test_unlabelled_gbk_says_nothing_of_its_charset(made: list[tuple[Letter, bytes]]) -> None:
    found = [(letter, raw) for letter, raw in made if letter.charset == UNLABELLED]
    assert len(found) >= 3
    for letter, raw in found:
        assert b"charset" not in raw.lower()
        assert letter.subject.encode("gbk") in raw


def test_attachments_are_what_their_names_say(made: list[tuple[Letter, bytes]]) -> None:
    starts = {"pdf": b"%PDF-", "xlsx": b"PK\x03\x04", "docx": b"PK\x03\x04", "zip": b"PK\x03\x04", "png": b"\x89PNG"}
    seen: Counter[str] = Counter()
    for letter, raw in made:
        files = list(_parsed(raw).iter_attachments()) if letter.files else []
        assert [each.get_filename() for each in files] == list(letter.files)
        for each in files:
            ending = str(each.get_filename()).rpartition(".")[2]
            seen[ending] += 1
            assert each.get_content().startswith(starts[ending]) if ending in starts else True
    assert all(seen[ending] for ending in (*starts, "csv"))


def test_every_picture_that_is_shown_comes_along(made: list[tuple[Letter, bytes]]) -> None:
    shown = 0
    for letter, raw in made:
        message = _parsed(raw)
        html = message.get_body(("html",))
        names = set() if html is None else {part.split('"')[0] for part in html.get_content().split('src="cid:')[1:]}
        along = {str(part["Content-ID"]).strip("<>") for part in message.walk() if part["Content-ID"]}
        assert names <= along, letter.subject
        shown += len(names)
    assert shown >= 8


def test_newsletters_have_remote_pictures_and_trackers(made: list[tuple[Letter, bytes]]) -> None:
    pages = [read(raw).html or "" for letter, raw in made if letter.look not in {"plain", "html"}]
    assert len(pages) >= 30
    assert sum('src="https://img.example.com/' in page for page in pages) >= 5
    assert sum('src="https://track.example.com/' in page for page in pages) >= 5


def test_the_same_letter_is_always_the_same_bytes(made: list[tuple[Letter, bytes]]) -> None:
    assert [raw for _, raw in made] == [message_of(letter) for letter in letters(NOON)]


def _parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message
