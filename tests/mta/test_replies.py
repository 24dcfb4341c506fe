"""What every reply must have."""

from __future__ import annotations

import re

import pytest

from mta.smtp_in import replies

LINES = {name: value for name, value in vars(replies).items() if name.isupper() and isinstance(value, bytes)}
WITHOUT_CODE = {"GO_AHEAD"}
"""RFC 2034 4: replies of 3xx have none."""


@pytest.mark.parametrize("name", sorted(LINES.keys() - WITHOUT_CODE))
def test_a_reply_has_an_enhanced_code_of_its_own_class(name: str) -> None:
    found = re.fullmatch(rb"([245])\d\d ([245])\.\d{1,3}\.\d{1,3} [ -~]+\r\n", LINES[name])
    assert found is not None
    assert found[1] == found[2]


@pytest.mark.parametrize("line", replies.ERRORS.values())
def test_so_has_the_answer_to_every_kind_of_error(line: bytes) -> None:
    assert re.fullmatch(rb"([45])\d\d \1\.\d{1,3}\.\d{1,3} [ -~]+\r\n", line)


def test_what_cannot_be_said_in_ascii_is_replaced() -> None:
    assert replies.reply(550, "5.7.1", "已满\r\n250 ok\t~") == b"550 5.7.1 ????250 ok?~\r\n"
    assert replies.reply(250, "2.0.0", "Ok: " + "x" * 500) == b"250 2.0.0 Ok: " + b"x" * 396 + b"\r\n"
