"""Keys: stable, bounded, sorted as people look for things."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.message import message_id_hash, sender_key, subject_key


def test_the_hash_of_a_message_id_never_changes() -> None:
    # Stored in rows: another value here would cut every thread.
    assert message_id_hash("8f31@example.test") == 1344440469892602526
    assert message_id_hash(" <8f31@example.test> ") == message_id_hash("8f31@example.test")


def test_quotes_make_no_other_message_id() -> None:
    assert message_id_hash('<"8f31"@example.test>') == message_id_hash("8f31@example.test")
    assert message_id_hash(r'<"8\f\"31"@example.test>') == message_id_hash('8f"31@example.test')
    assert message_id_hash('<"8f31@example.test>') != message_id_hash("8f31@example.test")


@given(st.text())
def test_a_hash_is_a_positive_63_bit_number(text: str) -> None:
    assert 0 <= message_id_hash(text) < 1 << 63


SUBJECTS = [
    ("Re: Fw: RE[2]: Minutes", "minutes"),
    ("回复：转发: 答复: 季度报告", "ji du bao gao"),
    ("回覆: 報價", "bao jia"),
    ("Ｒｅ： ＡＢＣ", "abc"),
    ("Regarding: x", "regarding: x"),
    ("Re:", ""),
    ("  many   spaces ", "many spaces"),
    ("Q3 报告", "q3 bao gao"),
]


@pytest.mark.parametrize(("subject", "key"), SUBJECTS)
def test_subjects_sort_by_what_they_say(subject: str, key: str) -> None:
    assert subject_key(subject) == key


def test_chinese_names_sort_by_pinyin_beside_latin_ones() -> None:
    names = ["赵磊", "Bob", "陈静", "alice", "李娜"]
    assert sorted(names, key=lambda name: sender_key(name, "")) == ["alice", "Bob", "陈静", "李娜", "赵磊"]


def test_a_sender_without_a_name_sorts_by_his_address() -> None:
    assert sender_key("", "Bob@x.test") == "bob@x.test"


@given(st.text())
def test_keys_are_bounded_and_printable(text: str) -> None:
    for key in (subject_key(text), sender_key(text, text)):
        assert len(key) <= 64
        assert key.isprintable()
