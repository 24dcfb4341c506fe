"""Whole messages as TEXT, BODY and HEADER see them."""

from __future__ import annotations

from array import array
from email.message import EmailMessage

import pytest
from hypothesis import given, strategies as st

from core.access import Access
from mailaccess.imap.search import letters, masks
from mailaccess.imap.search.letters import Letter, in_header, in_text
from tests.mailaccess.imap.search.test_columns import ended
from tests.mailstore.letters import folder_id, letter, stored


def made() -> bytes:
    """A text in GBK and base64, HTML, an attached mail and a file."""
    inner = EmailMessage()
    inner["Subject"] = "The inner one"
    inner.set_content("deep inside")
    mail = EmailMessage()
    mail["Subject"] = "预算 outer"
    mail.set_content("请查收附件", charset="gbk", cte="base64")
    mail.add_alternative("<p>rich&nbsp;text</p>", subtype="html")
    mail.add_attachment(inner)
    mail.add_attachment(b"hidden in a file", maintype="application", subtype="octet-stream", filename="报告.bin")
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("value", "in_body", "in_all"),
    [
        ("查收", True, True),
        ("rich&NBSP;text", True, True),
        ("DEEP inside", True, True),
        ("inner one", True, True),
        ("报告.bin", True, True),
        ("預算", False, True),
        ("subject: 预算", False, True),
        ("hidden in a file", False, False),
        ("deep inside\r\n", True, True),
    ],
)
def test_texts_are_decoded_and_those_of_inner_mails_belong_to_the_body(value: str, in_body: bool, in_all: bool) -> None:
    whole = Letter(made(), 0)
    assert in_text(value, with_header=False)(whole) == in_body
    assert in_text(value, with_header=True)(whole) == in_all


def test_a_header_field_is_unfolded_decoded_and_found_by_its_whole_name() -> None:
    head = b"X-One: a\r\n  b\r\nx-one: =?utf-8?q?caf=C3=A9?=\r\nX-One-More: z\r\nX-None:\r\n\r\n"
    whole = Letter(head + b"X-Body: no", len(head))
    assert in_header("x-one", "A B")(whole)
    assert in_header("x-one", "cafe")(whole)
    assert not in_header("x-one", "z")(whole)
    assert in_header("x-none", "")(whole)
    assert not in_header("x-body", "")(whole)


@given(st.binary(max_size=300), st.text(max_size=4))
def test_any_bytes_are_looked_through(raw: bytes, value: str) -> None:
    in_text(value, with_header=True)(Letter(raw, 0))
    in_header("x", value)(Letter(raw, len(raw)))


@pytest.mark.parametrize("limit", [1, 900, 1 << 20])
def test_slices_are_bounded_and_leave_nothing_out(mine: Access, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(letters, "BATCH", 3)
    monkeypatch.setattr(letters, "BATCH_BYTES", limit)
    for number in range(8):
        stored(mine, letter(f"n{number}", body="needle" if number % 2 else "hay"))
    uids = array("I", range(1, 9))
    test = in_text("needle", with_header=False)
    found = ended(letters.matching(folder_id(mine), uids, masks.every(8), test))
    assert list(masks.positions(found, 8)) == [1, 3, 5, 7]
    some = masks.spans(8, [(0, 2), (5, 7)])
    assert list(masks.positions(ended(letters.matching(folder_id(mine), uids, some, test)), 8)) == [1, 5]
    heads = ended(letters.matching(folder_id(mine), uids, some, in_header("subject", "budget"), head=True))
    assert list(masks.positions(heads, 8)) == [0, 1, 5, 6]
