"""Bayes over words."""

from __future__ import annotations

from mta.spam.contents import Contents, Link
from mta.spam.finding import Rule
from mta.spam.words import TOKENS_MAX, Learnt, judge_words, probability, tokens_of

LEARNT = Learnt(spam=20, ham=20)
BAD, GOOD = {f"bad{n}": (15, 0) for n in range(8)}, {f"good{n}": (0, 15) for n in range(8)}


def test_words_of_spam_make_spam_and_words_of_mail_make_mail() -> None:
    counts = BAD | GOOD
    spam, ham = probability(BAD, counts, LEARNT), probability(GOOD, counts, LEARNT)
    assert spam is not None
    assert ham is not None
    assert spam > 0.99 > 0.01 > ham
    found, other = judge_words(spam), judge_words(ham)
    assert found is not None
    assert other is not None
    assert (found.rule, other.rule) == (Rule.WORDS_SPAM, Rule.WORDS_HAM)
    assert found.tenths > 0 > other.tenths


def test_both_kinds_at_once_say_nothing() -> None:
    chance = probability([*BAD, *GOOD], BAD | GOOD, LEARNT)
    assert chance is not None
    assert judge_words(chance) is None


def test_little_experience_and_unknown_words_say_nothing() -> None:
    assert probability(BAD, BAD, Learnt(spam=4, ham=100)) is None
    assert probability(["new"], BAD, LEARNT) is None


def test_halved_counts_are_no_more_than_certain() -> None:
    assert probability(["odd"], {"odd": (50, 0)}, Learnt(spam=10, ham=10)) is not None


def test_a_mail_is_known_by_its_first_page() -> None:
    contents = Contents(
        subject="发票 Invoice",
        text="贸易公司 " + " ".join(f"word{n}" for n in range(5_000)),
        links=(Link("https://click.shop.test/x"),),
        files=(),
        pictures=0,
        is_html_only=False,
    )
    tokens = tokens_of(contents, "A@Shop.test")
    assert len(tokens) == TOKENS_MAX
    assert {"f_a@shop.test", "d_shop.test", "s_发票", "s_invoice", "u_shop.test", "贸易", "易公", "word1"} <= set(
        tokens
    )
