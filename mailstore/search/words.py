"""Text as the index sees it: folded, cut into words, Chinese into pairs of characters.

Folding is NFKC, lower case, traditional to simplified, Latin letters without their accents. Traditional characters
are folded one by one, never by phrase: what a character becomes must not depend on its neighbours, or a search for a
part of a text would miss it. Chinese, Japanese and Korean runs become overlapping pairs ("全球邮" is 全球, 球邮), so a
word of two characters is one token and a longer one is a phrase of neighbours. Latin words lose a plural s.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator

import opencc

from mailstore.search.expression import Phrase

MAX_WORD_CHARS = 40
"""Longer ones are cut in the index and in the question alike: base64 and hashes, not words."""

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af"
_RUN = re.compile(rf"([{CJK}]+)|([^\W_{CJK}]+)")
_HAN = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000))
_LATIN = (range(0xC0, 0x250), range(0x1E00, 0x1F00))


@functools.cache
def _table() -> tuple[re.Pattern[str], dict[str, str]]:
    """Traditional characters to simplified ones, accented Latin letters to plain ones (70 ms, once); and what finds them.
    Few characters of a text are in it: looking for them is fifteen times as fast as `str.translate`, which asks for each."""
    convert = opencc.OpenCC("t2s").convert
    found = {code: convert(chr(code)) for block in _HAN for code in block}
    for block in _LATIN:
        for code in block:
            base = unicodedata.normalize("NFD", chr(code))[0]
            if base.isascii():
                found[code] = base
    kept = {chr(code): after for code, after in found.items() if after != chr(code) and len(after) == 1}
    return re.compile(f"[{''.join(kept)}]"), kept


def fold(text: str) -> str:
    """`text` in the form in which it is compared."""
    if text.isascii():
        return text.lower()
    seen, after = _table()
    return seen.sub(lambda match: after[match[0]], unicodedata.normalize("NFKC", text).lower())


def words(text: str) -> list[str]:
    """The tokens of a text in their order, for the index."""
    return list(_tokens(_RUN.findall(fold(text))))


def _tokens(runs: list[tuple[str, str]]) -> Iterator[str]:
    """A Chinese run before a word ends with its last character by itself, so that "第3章" is found in "合同第3章节"."""
    for number, (chinese, word) in enumerate(runs):
        if not chinese:
            yield stem(word)
            continue
        yield from map("".join, itertools.pairwise(chinese))
        if len(chinese) == 1 or (number + 1 < len(runs) and not runs[number + 1][0]):
            yield chinese[-1]


def singles(text: str) -> list[str]:
    """Every Chinese character by itself: of names and subjects, so that one character can be looked for there."""
    return [character for chinese, _ in _RUN.findall(fold(text)) if len(chinese) > 1 for character in chinese]


def asked(text: str) -> Phrase | None:
    """The phrase that stands in the index where `text` stands; None for a text without words. A single character at the
    end of a longer text may be the first half of a pair there."""
    runs = _RUN.findall(fold(text))
    if not runs:
        return None
    return Phrase(tuple(_tokens(runs)), is_prefix=len(runs) > 1 and len(runs[-1][0]) == 1)


def stem(word: str) -> str:
    """An English word without its plural (Harman's S-stemmer: three rules, no dictionary), cut to its bound."""
    if len(word) > 3 and word.endswith("s") and word.isascii() and word.isalpha():
        if word.endswith("ies"):
            word = word[:-3] + "y"
        elif not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    return word[:MAX_WORD_CHARS]


def pattern(text: str, *, is_prefix: bool = False) -> str:
    """A regular expression that finds in a folded text what `asked(text)` finds in the index; empty for no words. With
    `is_prefix` the last word may go on."""
    runs = _RUN.findall(fold(text))
    pieces = [re.escape(chinese) if chinese else _word_pattern(word) for chinese, word in runs]
    if is_prefix and runs and runs[-1][1]:
        pieces[-1] = rf"(?<![^\W_{CJK}]){re.escape(stem(runs[-1][1]))}[^\W_{CJK}]*"
    return r"[\W_]*".join(pieces)


def _word_pattern(word: str) -> str:
    base = stem(word)
    more = r"\w*" if len(base) == MAX_WORD_CHARS else ""
    if base.isascii() and base.isalpha() and len(base) > 2:
        end = rf"(?:{re.escape(base)}s?|{re.escape(base[:-1])}ies)" if base.endswith("y") else rf"{re.escape(base)}s?"
    else:
        end = re.escape(base)
    return rf"(?<![^\W_{CJK}]){end}{more}(?![^\W_{CJK}])"
