"""What is known of an author is asked of the database once a second."""

from __future__ import annotations

import dataclasses

import pytest

from accounts.models import Account
from accounts.rows import AccountRow, account_row
from mta.inbound.facts import NO_FACTS, Facts
from mta.models import KnownSender, SpamToken
from mta.spam import recent
from mta.spam.known import Question, known_about
from mta.spam.recent import Recent
from mta.spam.senders import Author
from mta.spam.words import Learnt

pytestmark = pytest.mark.django_db
WANG = Author("王小明", "wang@partner.test")


@pytest.fixture
def row(alice: Account) -> AccountRow:
    return account_row(alice)


def about(*readers: AccountRow, author: Author = WANG, proven: bool = True, facts: Facts = NO_FACTS) -> Question:
    return Question(author, ("offer",), dict.fromkeys(readers, facts), proven)


def kept(question: Question) -> Recent:
    """Asked of the database just now."""
    found = Recent()
    found.keep(question, known_about([question])[0])
    return found


def test_the_same_question_has_the_databases_answer_until_a_second_is_over(
    row: AccountRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    KnownSender.objects.create(domain_id=row.domain_id, name="wang@partner.test", passed=9)
    question = about(row)
    asked = kept(question)
    assert asked.answer(question) == known_about([question])[0]
    assert asked.answer(about(row, author=Author("王五", "WANG@partner.test"))) == asked.answer(question)
    monkeypatch.setattr(recent, "KEEP_S", -1.0)
    asked.keep(question, known_about([question])[0])
    assert asked.answer(question) is None


def test_another_reader_author_or_proof_is_another_question(row: AccountRow, bob: Account) -> None:
    asked = kept(about(row))
    assert asked.answer(about(row, account_row(bob))) is None
    assert asked.answer(about(row, author=dataclasses.replace(WANG, address="li@partner.test"))) is None
    assert asked.answer(about(row, author=dataclasses.replace(WANG, name=""))) is None
    assert asked.answer(about(row, proven=False)) is None


def test_words_that_were_asked_for_count_and_others_must_be_asked_for(row: AccountRow) -> None:
    SpamToken.objects.create(domain_id=row.domain_id, account_id=0, token="offer", spam=7)
    question = about(row, facts=Facts(company=Learnt(9, 9)))
    asked = kept(question)
    answer = asked.answer(question)
    assert answer == known_about([question])[0]
    assert answer is not None
    assert answer[row.id].experience.counts == {"offer": (7, 0)}
    assert asked.answer(dataclasses.replace(question, tokens=("offer", "new"))) is None
    assert asked.answer(about(row, facts=Facts(company=Learnt(10, 9)))) is None, "something was learnt meanwhile"


def test_no_more_is_kept_than_fits(row: AccountRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "KEEP_MAX", 2)
    asked = Recent()
    for number in range(9):
        question = about(row, author=Author("", f"a{number}@far.test"))
        asked.keep(question, known_about([question])[0])
        assert len(asked._kept) <= 2
