"""Messages that we write, read by others."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, strategies as st

from core.errors import ErrorKind, MailError
from mailstore.message import Address, Outgoing, OutgoingPart, compose, needs_smtputf8, part, read, scan, without_bcc

ALICE = Address("王伟", "alice@example.test")
BOB = Address("Bob", "bob@example.test")
AT = datetime(2026, 10, 13, 9, 15, 2, tzinfo=UTC)
LONG_NAME = "季度报告二〇二六年第三季度销售收入与成本的详细说明（最终版）.pdf"


def parsed(raw: bytes) -> EmailMessage:
    """By the standard library's strict policy, as another program would."""
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def test_chinese_names_subjects_and_text_arrive_as_written() -> None:
    raw = compose(Outgoing(ALICE, to=[BOB], subject="季度报告：请确认", text="你好\n谢谢", date=AT, message_id="m1@x"))
    message = parsed(raw)
    assert message["subject"] == "季度报告：请确认"
    sender = message["from"]
    assert isinstance(sender, AddressHeader)
    assert sender.addresses[0].display_name == "王伟"
    assert message.get_content() == "你好\r\n谢谢\r\n"
    assert message["message-id"] == "<m1@x>"
    assert raw.isascii()


def test_every_line_ends_with_crlf_and_is_short() -> None:
    raw = compose(
        Outgoing(ALICE, to=[BOB] * 50, subject="说" * 300, html="<p>" + "长" * 5_000 + "</p>", references=["r@x"] * 30)
    )
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 98


def test_html_comes_with_its_text_and_pictures_and_files() -> None:
    picture = OutgoingPart("logo.png", "image/png", b"\x89PNG", "logo@x", inline=True)
    file = OutgoingPart(LONG_NAME, "application/pdf", b"%PDF-1.4")
    html = '<p>你好 <img src="cid:logo@x"></p>'
    raw = compose(Outgoing(ALICE, to=[BOB], html=html, attachments=[picture, file]))
    found = read(raw)
    assert found.html == html + "\n"
    assert found.text == "你好\n"
    assert [(p.filename, p.inline) for p in found.attachments] == [("logo.png", True), (LONG_NAME, False)]
    assert [p.get_content_type() for p in parsed(raw).walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]


def test_a_chinese_file_name_is_there_for_new_and_for_old_programs() -> None:
    raw = compose(Outgoing(ALICE, attachments=[OutgoingPart(LONG_NAME, "application/pdf", b"x")], text=""))
    attachment = next(parsed(raw).iter_attachments())
    assert attachment.get_filename() == LONG_NAME
    assert b"filename*0*=utf-8''" in raw
    assert b'name="=?utf-8?B?' in raw


@given(st.binary(max_size=500), st.text(min_size=1, max_size=80))
def test_a_file_arrives_byte_for_byte(content: bytes, name: str) -> None:
    raw = compose(Outgoing(ALICE, text="x", attachments=[OutgoingPart(name, "application/x-thing", content)]))
    assert part(raw, "2").content == content


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_text_arrives_as_written(text: str) -> None:
    found = read(compose(Outgoing(ALICE, text=text))).text
    assert found is not None
    assert found.rstrip("\n") == text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def test_bcc_is_written_only_for_the_copy_that_is_kept() -> None:
    outgoing = Outgoing(ALICE, to=[BOB], bcc=[Address("", f"b{n}@example.test") for n in range(9)], text="Bcc: body")
    assert b"b0@example.test" not in compose(outgoing)
    kept = compose(outgoing, keep_bcc=True)
    assert len(read(kept).bcc) == 9
    stripped = without_bcc(kept)
    assert read(stripped).bcc == ()
    assert b"b8@example.test" not in stripped
    assert stripped.endswith(b"Bcc: body\r\n")
    assert read(stripped).to == (BOB,)


@pytest.mark.parametrize(
    "bcc", [b"Bcc: a@x\r\n", b"bcc : a@x,\r\n b@x\r\n\tc@x\r\n", b"Resent-BCC: a@x\n", b"BCC:\r\n"]
)
def test_every_form_of_bcc_is_taken_out(bcc: bytes) -> None:
    assert without_bcc(b"A: b\r\n" + bcc + b"C: Bcc: d\r\n\r\nBcc: e") == b"A: b\r\nC: Bcc: d\r\n\r\nBcc: e"


INJECTIONS = [
    "x\r\nBcc: evil@x.test",
    "x\nBcc: evil@x.test",
    "x\rBcc: evil@x.test",
    "x\r\n\r\nbody",
    "x\u2028Bcc: evil@x.test",
    "\x85Bcc: e",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_value_can_add_a_header(text: str) -> None:
    outgoing = Outgoing(
        Address(text, "alice@example.test"),
        to=[Address(text, "bob@example.test")],
        subject=text,
        text="t",
        in_reply_to=text,
        references=[text],
        message_id=text,
        extra_headers={"X-Note": text},
        attachments=[OutgoingPart(text, f"text/plain{text}", b"", text, inline=True)],
    )
    message = parsed(compose(outgoing))
    assert message["bcc"] is None
    assert len(list(message.iter_attachments())) == 1
    assert "evil" not in [name.lower() for name in message]


@given(st.text(), st.text())
def test_any_name_and_subject_leave_the_headers_as_they_should_be(name: str, subject: str) -> None:
    raw = compose(Outgoing(Address(name, "alice@example.test"), to=[BOB], subject=subject, text="t"))
    names = [n for n, _v in read(raw).headers]
    assert names[:4] == ["From", "To", "Subject", "Date"]
    assert read(raw).from_[0].address == "alice@example.test"
    assert read(raw).text == "t\n"


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=100))
def test_a_subject_arrives_as_written(subject: str) -> None:
    assert scan(compose(Outgoing(ALICE, subject=subject, text=""))).subject == " ".join(subject.split())


@pytest.mark.parametrize(
    "address", ["", "bob", "bob@", "@x.test", "bob@x.test>, <evil@x.test", "bob@x.test\r\nBcc: e@x", "b b@x.test"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(MailError) as error:
        compose(Outgoing(ALICE, to=[Address("", address)], text=""))
    assert error.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nY", "Ü", "x" * 200])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(MailError) as error:
        compose(Outgoing(ALICE, text="", extra_headers={name: "v"}))
    assert error.value.kind is ErrorKind.INVALID


def test_priority_receipt_and_thread_are_said() -> None:
    outgoing = Outgoing(
        ALICE,
        text="",
        high_priority=True,
        receipt_to=ALICE,
        reply_to=[BOB],
        in_reply_to="b@x",
        references=["a@x", "b@x"],
    )
    found = read(compose(outgoing))
    assert found.high_priority
    assert found.receipt_to == (ALICE,)
    assert found.reply_to == (BOB,)
    assert found.references == ("a@x", "b@x")


def test_addresses_beyond_ascii_are_written_as_utf_8_and_their_domains_in_ascii() -> None:
    raw = compose(Outgoing(ALICE, to=[Address("", "用户@例子.中国")], text=""))
    assert "To: 用户@xn--fsqu00a.xn--fiqs8s\r\n".encode() in raw
    assert needs_smtputf8(["用户@x.test"])
    assert not needs_smtputf8(["user@例子.中国"])


def test_a_forwarded_message_is_attached_as_a_message() -> None:
    inner = compose(Outgoing(BOB, to=[ALICE], subject="inner", text="plain"))
    found = read(compose(Outgoing(ALICE, text="", attachments=[OutgoingPart("m.eml", "message/rfc822", inner)])))
    assert [p.content_type for p in found.attachments] == ["message/rfc822"]


def test_an_attached_message_with_8_bit_bytes_goes_as_a_file() -> None:
    inner = "Subject: 你好\r\n\r\n8 bit".encode()
    raw = compose(Outgoing(ALICE, text="", attachments=[OutgoingPart("m.eml", "message/rfc822", inner)]))
    assert part(raw, "2").content == inner
    assert part(raw, "2").content_type == "application/octet-stream"


@pytest.mark.parametrize(
    "kind", ["multipart/mixed", "message/delivery-status", "nonsense", "a/b; c=d", "text/plain\r\nX: y", ""]
)
def test_a_content_type_that_no_file_may_have_becomes_octets(kind: str) -> None:
    raw = compose(Outgoing(ALICE, text="", attachments=[OutgoingPart("f", kind, b"x")]))
    assert part(raw, "2").content_type == "application/octet-stream"


def test_a_message_id_is_made_of_the_senders_domain() -> None:
    found = scan(compose(Outgoing(ALICE, text="")))
    assert found.message_id is not None
    assert found.message_id.endswith("@example.test")


def test_control_and_bidi_characters_do_not_reach_a_header() -> None:
    hidden = "a\0b\x1b[1m\u202ec"
    raw = compose(
        Outgoing(Address(hidden, "alice@example.test"), subject=hidden, text="", extra_headers={"X-A": hidden})
    )
    assert read(raw).subject == "a b [1m c"
    assert b"\0" not in raw
    assert b"\x1b" not in raw
