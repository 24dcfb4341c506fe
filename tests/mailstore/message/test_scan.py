"""The scanner against the standard library, against the grammar, and against anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from mailstore.message import Attribute, scan
from mailstore.message.scan import MAX_REFERENCES
from mailstore.message.structure import MAX_PARTS
from tests.mailstore.message import corpus, imap_value, oracle

# Where people and the standard library disagree about broken input: see test_structure and test_read.
WELL_FORMED = [n for n in corpus.NAMES if n not in {"missing-boundary", "only-text", "broken-base64"}]


def parts_of(raw: bytes) -> list[list[Any]]:
    found = json.loads(scan(raw).parts)
    assert isinstance(found, list)
    return found


def check_parts(raw: bytes) -> None:
    expected = oracle.leaves(oracle.parse(raw))
    found = parts_of(raw)
    assert [f"{p[1]}/{p[2]}" for p in found] == [leaf.content_type for leaf in expected]
    assert [p[4] for p in found] == [leaf.encoding for leaf in expected]
    for part, leaf in zip(found, expected, strict=True):
        if leaf.decoded is not None:
            assert raw[part[9] : part[10]] == leaf.body
            assert part[11] == leaf.body.count(b"\n")


@pytest.mark.parametrize("name", WELL_FORMED)
def test_the_parts_are_those_that_the_standard_library_finds(name: str) -> None:
    check_parts(corpus.message(name))


@pytest.mark.parametrize("name", WELL_FORMED)
def test_line_ends_without_carriage_return_give_the_same_parts(name: str) -> None:
    check_parts(corpus.message(name).replace(b"\r\n", b"\n"))


@given(corpus.written())
def test_every_message_that_the_standard_library_writes_is_read_as_it_reads_it(raw: bytes) -> None:
    check_parts(raw)
    parsed, scanned = oracle.parse(raw), scan(raw)
    assert scanned.subject == oracle.subject(parsed)
    # Runs of spaces in names are folded for people.
    assert [p[5] for p in parts_of(raw)] == [" ".join(leaf.filename.split()) for leaf in oracle.leaves(parsed)]
    assert (scanned.sender_name, scanned.sender_address) == oracle.people(parsed, "from")[0]


@pytest.mark.parametrize("name", WELL_FORMED)
def test_bodystructure_has_the_shape_that_the_standard_library_sees(name: str) -> None:
    raw = corpus.message(name)
    assert shape(imap_value.parse(scan(raw).bodystructure)) == oracle.tree(oracle.parse(raw))


def shape(value: Any) -> object:
    if isinstance(value[0], list):
        inner = [v for v in value if isinstance(v, list) and v and isinstance(v[0], (str, list))]
        children = inner[: next(i for i, v in enumerate(value) if not isinstance(v, list))]
        return (f"multipart/{value[len(children)]}", [shape(child) for child in children])
    kind = f"{value[0]}/{value[1]}"
    return (kind, shape(value[8])) if kind == "message/rfc822" else kind


@pytest.mark.parametrize("name", corpus.NAMES)
def test_what_imap_prints_obeys_its_grammar(name: str) -> None:
    scanned = scan(corpus.message(name))
    envelope = imap_value.parse(scanned.envelope)
    assert isinstance(envelope, list)
    assert len(envelope) == 10
    assert scanned.envelope.isascii()
    assert scanned.bodystructure.isascii()
    imap_value.parse(scanned.bodystructure)


def test_an_envelope_is_printed_as_rfc_3501_says() -> None:
    assert imap_value.parse(scan(corpus.message("plain-english")).envelope) == [
        "Tue, 13 Oct 2026 09:14:58 +0000",
        "Minutes of Tuesday's call",
        [["Bob Jones", None, "bob", "example.com"]],
        [["Bob Jones", None, "bob", "example.com"]],
        [["Bob Jones", None, "bob", "example.com"]],
        [["Alice Wang", None, "alice", "example.test"]],
        [["Smith, Carol", None, "carol", "example.com"], [None, None, "dave", "example.org"]],
        None,
        "<8f31@example.test>",
        "<20261013091458.GA2213@example.com>",
    ]


def test_a_group_stands_between_its_marks_in_the_envelope() -> None:
    raw = b"To: team: a@x.test, B <b@x.test>;, c@x.test\r\n\r\n"
    envelope = imap_value.parse(scan(raw).envelope)
    assert isinstance(envelope, list)
    assert envelope[5] == [
        [None, None, "team", None],
        [None, None, "a", "x.test"],
        ["B", None, "b", "x.test"],
        [None, None, None, None],
        [None, None, "c", "x.test"],
    ]


FACTS = [
    ("foxmail-gbk-labelled-gb2312", "答复: 朱镕基题词与季度报告", "李娜", "lina@example.cn", "王伟"),
    ("big5-8bit", "產品報價單（第二版）", "陳經理", "chen@example.tw", "alice@example.test"),
    ("unlabelled-gbk", "关于报销流程的通知", "财务部", "caiwu@example.cn", "alice@example.test"),
    ("raw-utf8-headers", "周会时间调整 – bitte lesen", "张敏", "zhangmin@example.cn", "王伟, 刘洋"),
    ("split-characters", "关于二〇二六年第四季度销售工作的安排", "Marketing", "news@example.com", "alice@example.test"),
    ("related-picture", "签名", "张敏", "zhangmin@example.cn", ""),
    ("newsletter", "20 % off all desks", "Desk Shop", "news@shop.example", "alice@example.test"),
]


@pytest.mark.parametrize(("name", "subject", "sender_name", "sender_address", "recipients"), FACTS)
def test_lists_get_readable_text(
    name: str, subject: str, sender_name: str, sender_address: str, recipients: str
) -> None:
    scanned = scan(corpus.message(name))
    assert scanned.subject == subject
    assert (scanned.sender_name, scanned.sender_address) == (sender_name, sender_address)
    assert scanned.recipients_short == recipients


PREVIEWS = [
    ("plain-english", "Hi Alice, the minutes are on the shared drive. Delivery moves to November. Bob"),
    ("foxmail-gbk-labelled-gb2312", "朱镕基题词的照片已经收到，请各位同事周五之前确认季度报告。 谢谢！ 李娜"),
    ("big5-8bit", "您好， 附上產品報價單，請確認價錢與交貨時間。許功蓋先生會與您聯絡。"),
    ("unlabelled-gbk", "各位同事： 从下月开始，报销流程改为网上申请，请大家注意。 财务部"),
    ("newsletter", "Save 20 % on all desks this week only All desks are 20 % off until Sunday."),
    ("related-picture", "签名如下"),
    ("rfc2231-filenames", "Schöne Grüße – Zoë"),
    ("only-text", "this is no message at all just some text"),
]


@pytest.mark.parametrize(("name", "preview"), PREVIEWS)
def test_the_preview_is_the_first_words_of_the_writer(name: str, preview: str) -> None:
    assert scan(corpus.message(name)).preview == preview


ATTRIBUTES = [
    ("plain-english", Attribute(0)),
    ("foxmail-gbk-labelled-gb2312", Attribute.ATTACHMENT),
    ("invitation", Attribute.CALENDAR),
    ("newsletter", Attribute.LIST),
    ("bounce", Attribute.AUTO_SUBMITTED | Attribute.ATTACHMENT),
    ("smime-signed", Attribute.SIGNED | Attribute.HIGH_PRIORITY | Attribute.RECEIPT_REQUESTED),
    ("phone-text-picture-text", Attribute.ATTACHMENT | Attribute.HIGH_PRIORITY),
    ("related-picture", Attribute(0)),
]


@pytest.mark.parametrize(("name", "attributes"), ATTRIBUTES)
def test_attributes_say_what_lists_show(name: str, attributes: Attribute) -> None:
    assert Attribute(scan(corpus.message(name)).attributes) == attributes


def test_references_come_oldest_first_and_once_with_in_reply_to_last() -> None:
    assert scan(corpus.message("plain-english")).references == ("71aa@example.test", "8f31@example.test")
    raw = b"References: <a@x>\r\n <b@x> <a@x>\r\nIn-Reply-To: <c@x> from Bob\r\n\r\n"
    assert scan(raw).references == ("a@x", "b@x", "c@x")


def test_of_many_references_the_newest_are_kept() -> None:
    raw = b"References: " + b" ".join(b"<%d@x>" % n for n in range(500)) + b"\r\n\r\n"
    found = scan(raw).references
    assert len(found) == MAX_REFERENCES
    assert found[-1] == "499@x"


def test_header_and_body_meet_where_header_length_says() -> None:
    raw = corpus.message("plain-english")
    assert raw[: scan(raw).header_length].endswith(b"7bit\r\n\r\n")


def test_parts_beyond_the_limit_are_not_listed() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 5_000
    assert len(parts_of(raw)) <= MAX_PARTS


def check_bounds(raw: bytes) -> None:
    scanned = scan(raw)
    assert scanned.size == len(raw)
    assert 0 <= scanned.header_length <= len(raw)
    assert len(scanned.subject) <= 500
    assert len(scanned.sender_name) <= 200
    assert len(scanned.sender_address) <= 320
    assert len(scanned.recipients_short) <= 200
    assert len(scanned.preview) <= 160
    for text in (scanned.subject, scanned.sender_name, scanned.sender_address, scanned.preview, scanned.parts):
        assert "\0" not in text
        text.encode()
    imap_value.parse(scanned.envelope)
    imap_value.parse(scanned.bodystructure)
    for part in json.loads(scanned.parts):
        assert 0 <= part[8] <= part[9] <= part[10] <= len(raw)


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_within_bounds(raw: bytes) -> None:
    check_bounds(raw)


PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"--b",
        b"--b--",
        b"--",
        b": ",
        b"=?gb2312?B?",
        b"?=",
        b"<a@b>",
        b'"',
        b"(",
        b";",
        b"\0",
        b"\xc4\xe3",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Subject: ",
        b"From: ",
        b"To: ",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename*0*=utf-8''%E4",
        b"charset=utf-7",
        b"Content-Type: text/html; charset=",
        b"x",
        b" ",
        b"\t",
        b"=",
        b"+2AA-",
        b"\xed\xa0\x80",
        b"References: <",
        b"Date: ",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=60).map(b"".join))
def test_the_bits_that_messages_are_made_of_are_read_in_any_order(raw: bytes) -> None:
    check_bounds(raw)


@given(st.sampled_from(corpus.NAMES), st.data())
def test_a_message_cut_anywhere_or_damaged_is_still_read(name: str, data: st.DataObject) -> None:
    raw = bytearray(corpus.message(name))
    for _ in range(data.draw(st.integers(0, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check_bounds(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


def test_a_tree_is_made_by_references_and_only_without_them_by_the_first_of_in_reply_to() -> None:
    both = b"References: <a@x>\r\n <b@x> <a@x>\r\nIn-Reply-To: <c@x>\r\n\r\n"
    assert scan(both).ancestors == ("a@x", "b@x")
    assert scan(b"In-Reply-To: <c@x> <d@x>\r\nReferences: nothing\r\n\r\n").ancestors == ("c@x",)
    assert scan(b"Subject: alone\r\n\r\n").ancestors == ()
    many = b"References:" + b"".join(b" <%d@x>" % number for number in range(80)) + b"\r\n\r\n"
    assert scan(many).ancestors == tuple(f"{number}@x" for number in range(30, 80))
