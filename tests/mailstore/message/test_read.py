"""What the reading pane gets."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from mailstore.message import Address, Readable, read
from mailstore.message.read import MAX_TEXT_BYTES
from tests.mailstore.message import corpus


def attached(name: str) -> list[tuple[str, str, str, int]]:
    return [(p.number, p.filename, p.content_type, p.size_bytes) for p in read(corpus.message(name)).attachments]


def test_a_plain_mail_is_read_completely() -> None:
    found = read(corpus.message("plain-english"))
    assert found.subject == "Minutes of Tuesday's call"
    assert found.from_ == (Address("Bob Jones", "bob@example.com"),)
    assert found.to == (Address("Alice Wang", "alice@example.test"),)
    assert found.cc == (Address("Smith, Carol", "carol@example.com"), Address("", "dave@example.org"))
    assert found.date == datetime.fromisoformat("2026-10-13T09:14:58+00:00")
    assert found.references == ("71aa@example.test", "8f31@example.test")
    assert found.html is None
    assert found.text is not None
    assert found.text.startswith("Hi Alice,\n\nthe minutes")
    assert found.headers[0] == ("Return-Path", "<bob@example.com>")
    assert found.priority == "normal"


def test_gbk_labelled_gb2312_is_read_in_text_html_and_file_name() -> None:
    found = read(corpus.message("foxmail-gbk-labelled-gb2312"))
    assert found.text is not None
    assert found.html is not None
    assert found.text.startswith("朱镕基题词")
    assert "朱镕基题词" in found.html
    assert attached("foxmail-gbk-labelled-gb2312") == [("2", "季度报告.docx", "application/octet-stream", 81)]


def test_unlabelled_chinese_is_read() -> None:
    found = read(corpus.message("unlabelled-gbk"))
    assert found.text is not None
    assert found.text.startswith("各位同事：\n\n从下月开始")
    assert found.from_ == (Address("财务部", "caiwu@example.cn"),)


def test_an_invitation_is_an_attachment_beside_its_text() -> None:
    found = read(corpus.message("invitation"))
    assert found.html == "<p>Budget review, <b>Thursday 10:00</b></p>"
    assert found.text == "Budget review, Thursday 10:00"
    assert attached("invitation") == [("3", "invite.ics", "text/calendar", 59)]


def test_a_forwarded_message_is_one_file_named_by_its_subject() -> None:
    assert attached("forwarded-as-attachment") == [("2", "发货通知.eml", "message/rfc822", 472)]


def test_a_report_shows_its_text_and_offers_the_rest() -> None:
    assert [p[2] for p in attached("bounce")] == ["message/delivery-status", "message/rfc822"]


def test_winmail_dat_is_a_plain_attachment() -> None:
    assert attached("outlook-winmail") == [("2", "winmail.dat", "application/ms-tnef", 54)]


def test_texts_around_a_picture_are_joined() -> None:
    found = read(corpus.message("phone-text-picture-text"))
    assert found.text == "Before the picture\nSent from my phone"
    assert [p.filename for p in found.attachments] == ["IMG_0042.jpeg"]
    assert found.high_priority


def test_a_picture_that_the_html_names_is_inline_and_the_named_root_is_read() -> None:
    found = read(corpus.message("related-picture"))
    assert found.html == '<p>签名如下</p><img src="cid:logo@x">'
    assert [(p.content_id, p.inline) for p in found.attachments] == [("logo@x", True)]
    assert found.to == ()


def test_a_picture_with_an_id_that_nothing_names_is_an_attachment() -> None:
    assert [p.inline for p in read(corpus.message("rfc2231-filenames")).attachments] == [False, False]


def test_a_receipt_is_asked_for_by_whom_the_header_names() -> None:
    assert read(corpus.message("smime-signed")).receipt_to == (Address("Carol White", "carol@example.com"),)


def test_html_and_text_in_a_row_are_shown_together() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>one</p>\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\ntwo <three>\r\n--b--"
    )
    assert read(raw).html == "<p>one</p>\n<div>two &lt;three&gt;</div>"


def test_every_authentication_result_is_given_raw() -> None:
    raw = b"Authentication-Results: a; spf=pass\r\nAuthentication-Results: b; dkim=fail\r\n\r\n"
    assert read(raw).authentication_results == ("a; spf=pass", "b; dkim=fail")


UNREADABLE = [
    ("only-text", "this is no message at all\n\njust some text\n"),
    ("missing-boundary", "--oops\nContent-Type: text/plain\n\nstill readable\n--oops--\n"),
    ("broken-base64", "Hello world"),
    ("cut-in-the-middle", "the connection ended"),
]


@pytest.mark.parametrize(("name", "text"), UNREADABLE)
def test_a_broken_message_still_gives_text(name: str, text: str) -> None:
    assert read(corpus.message(name)).text == text


def test_a_multipart_without_parts_shows_its_bytes_as_text() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing but this"
    assert read(raw).text == "nothing but this"


def test_an_empty_message_is_empty() -> None:
    assert read(b"").text == ""


def test_text_beyond_the_limit_is_cut_and_says_so() -> None:
    found = read(b"\r\n" + b"x" * (MAX_TEXT_BYTES + 10))
    assert found.is_truncated
    assert found.text is not None
    assert len(found.text) == MAX_TEXT_BYTES


@given(st.one_of(st.binary(max_size=1_000), corpus.written()))
def test_anything_is_readable(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Readable)
    assert found.text is not None or found.html is not None or found.attachments or not raw.strip()
    for text in (found.subject, found.text or "", found.html or ""):
        assert "\0" not in text
        text.encode()
