"""Text as the index sees it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from mailstore.search.expression import Phrase
from mailstore.search.words import CJK, MAX_WORD_CHARS, asked, fold, pattern, singles, stem, words

TEXTS = st.text(alphabet="王小明全球郵邮 abAB12-_。，Ｆ３é\n", max_size=40)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＰＯ－１２３", "po-123"),
        ("採購合約", "采购合约"),
        ("乾隆", "干隆"),
        ("Müller ÅNGSTRÖM", "muller angstrom"),
        ("ﬁle", "file"),
        ("パソコン 한국어", "パソコン 한국어"),
    ],
)
def test_width_case_accents_and_traditional_characters_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("全球邮", ["全球", "球邮"]),
        ("采购", ["采购"]),
        ("王", ["王"]),
        ("Price lists", ["price", "list"]),
        ("PO-2024_001", ["po", "2024", "001"]),
        ("anna@lichtwerk.test", ["anna", "lichtwerk", "test"]),
        ("合同第3章节", ["合同", "同第", "第", "3", "章节"]),
        ("", []),
    ],
)
def test_chinese_becomes_pairs_and_the_rest_words(text: str, tokens: list[str]) -> None:
    assert words(text) == tokens


@pytest.mark.parametrize(
    ("word", "base"),
    [
        ("invoices", "invoice"),
        ("companies", "company"),
        ("glass", "glass"),
        ("status", "status"),
        ("analysis", "analysis"),
        ("gas", "gas"),
        ("sn2s", "sn2s"),
        ("x" * 99, "x" * MAX_WORD_CHARS),
    ],
)
def test_only_a_plural_s_goes(word: str, base: str) -> None:
    assert stem(word) == base


def test_traditional_characters_are_folded_one_by_one_whatever_stands_beside_them() -> None:
    text = "乾隆皇帝的頭髮乾了"
    assert fold(text) == "".join(fold(character) for character in text)


def test_every_character_of_a_name_can_be_asked_for_alone() -> None:
    assert singles("王小明 Wang 李") == ["王", "小", "明"]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("全球郵", Phrase(("全球", "球邮"))),
        ("第3章", Phrase(("第", "3", "章"), is_prefix=True)),
        ("Invoices", Phrase(("invoice",))),
        ("!?", None),
    ],
)
def test_a_question_is_a_phrase(text: str, phrase: Phrase | None) -> None:
    assert asked(text) == phrase


def stands_in(phrase: Phrase, tokens: list[str]) -> bool:
    """What an index does."""
    count = len(phrase.tokens)
    for at in range(len(tokens) - count + 1):
        part = tuple(tokens[at : at + count])
        if part == phrase.tokens or (
            phrase.is_prefix and part[:-1] == phrase.tokens[:-1] and part[-1].startswith(phrase.tokens[-1])
        ):
            return True
    return False


@given(TEXTS, st.integers(0, 40), st.integers(1, 12))
def test_every_piece_of_a_text_is_found_in_it(text: str, start: int, length: int) -> None:
    """Cut where a reader would cut: not inside a word of letters."""
    folded = fold(text)
    piece = folded[start : start + length]
    if re.match(rf"[^\W_{CJK}]", folded[start + length :]) and re.search(rf"[^\W_{CJK}]\Z", piece):
        return
    if re.match(rf"[^\W_{CJK}]", piece) and re.search(rf"[^\W_{CJK}]\Z", folded[:start]):
        return
    phrase = asked(piece)
    if phrase is None or (
        len(phrase.tokens) == 1 and len(phrase.tokens[0]) == 1 and phrase.tokens[0] not in words(text)
    ):
        return  # one Chinese character alone is looked for in people and subjects (`singles`)
    assert stands_in(phrase, words(text))


@given(TEXTS, TEXTS)
def test_a_question_never_finds_what_does_not_stand_there(text: str, question: str) -> None:
    phrase = asked(question)
    if phrase is not None and stands_in(phrase, words(text)):
        assert re.search(pattern(question), fold(text)), (phrase, words(text))


def test_a_pattern_finds_plurals_and_whole_words_only() -> None:
    found = re.findall(pattern("company"), fold("Company companies companys accompany company报价"))
    assert found == ["company", "companies", "companys", "company"]
    assert re.findall(pattern("contr", is_prefix=True), "contract control uncontrolled") == ["contract", "control"]
