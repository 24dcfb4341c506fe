"""URLs of messages (RFC 5092)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailaccess.imap.grammar.fetch import Section
from mailaccess.imap.grammar.urls import MessageUrl, message_url

URLS = [
    ("/INBOX/;UID=20", ("", "INBOX", 0, 20, Section(), None)),
    ("/INBOX;UIDVALIDITY=3/;UID=20", ("", "INBOX", 3, 20, Section(), None)),
    (";UID=20/;SECTION=1.2.MIME", ("", "", 0, 20, Section((1, 2), "MIME"), None)),
    ("/a/b%20c/;uid=20/;section=HEADER", ("", "a/b c", 0, 20, Section((), "HEADER"), None)),
    ("imap://alice@Mail.test:143/%E5%AE%A2/;UID=1/;PARTIAL=5.7", ("mail.test", "客", 0, 1, Section(), (5, 7))),
    ("/x/;UID=1/;PARTIAL=5", ("", "x", 0, 1, Section(), (5, (1 << 63) - 1))),
]


@pytest.mark.parametrize(("text", "found"), URLS)
def test_a_url_is_read(text: str, found: tuple[object, ...]) -> None:
    assert message_url(text.encode()) == MessageUrl(text, *found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [b"", b"/INBOX", b"/INBOX/;UID=0", b"/INBOX/;UID=99999999999", b"imap://host/;UID=1", b"/x/;UID=1/;SECTION=NO"]
    + [b"/%ff/;UID=1", b"\xff", b"/x/;UID=1/;SECTION=1]", b"/" + b"x" * 5_000 + b"/;UID=1"],
)
def test_what_is_no_url_of_a_message(text: bytes) -> None:
    assert message_url(text) is None


@given(st.binary(max_size=100))
def test_nothing_raises(text: bytes) -> None:
    message_url(b"/" + text + b"/;UID=1/;SECTION=" + text)
