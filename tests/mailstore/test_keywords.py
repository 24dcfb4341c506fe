"""Keywords and labels: made, renamed, set, taken away; counters and label rows always agree."""

from __future__ import annotations

import pytest

from core.access import READER, Access
from core.errors import ErrorKind, MailError
from mailstore.models import EntryLabel, Flag, Role
from mailstore.selectors import entries
from mailstore.selectors.keywords import KeywordRow, keyword, keywords
from mailstore.services import keywords as service
from mailstore.services.entries import Selection, copy, move, purge, recover, set_flags
from tests.mailstore.letters import folder_id, stored_many


@pytest.fixture
def label(mine: Access) -> KeywordRow:
    """A label of alice's."""
    return service.create_label(mine, "重要客户", colour="#C0392B")


def counts(access: Access, row: KeywordRow) -> tuple[int, int]:
    """(total, unread) of a keyword now."""
    found = keyword(access, row.id)
    return found.total, found.unread


def test_a_label_counts_what_carries_it_wherever_it_goes(mine: Access, label: KeywordRow) -> None:
    found = stored_many(mine, 4)
    set_flags(mine, found[:1], add=Flag.SEEN)
    assert service.set_keywords(mine, found[:3], add=[label.id]).entry_ids == found[:3]
    assert counts(mine, label) == (3, 2)
    move(mine, found[:2], folder_id=folder_id(mine, Role.TRASH))
    copied = copy(mine, found[2:3], folder_id=folder_id(mine, Role.JUNK))
    assert counts(mine, label) == (4, 3)
    assert EntryLabel.objects.filter(folder_id=folder_id(mine, Role.TRASH)).count() == 2
    purge(mine, [*found[:1], *copied])
    assert counts(mine, label) == (2, 2)


def test_what_comes_back_from_recovery_has_its_labels(mine: Access, label: KeywordRow) -> None:
    found = stored_many(mine, 2)
    service.set_keywords(mine, found, add=[label.id])
    purge(mine, found)
    assert counts(mine, label) == (0, 0)
    recover(mine, found)
    assert counts(mine, label) == (2, 2)
    assert entries.get(mine, found[0]).keywords == 1 << label.bit


def test_a_keyword_that_is_gone_does_not_come_back_as_another(mine: Access, label: KeywordRow) -> None:
    found = stored_many(mine, 2)
    service.set_keywords(mine, found, add=[label.id])
    purge(mine, found[:1])
    service.delete_keyword(mine, label.id)
    other = service.create_label(mine, "Other")
    assert other.bit == label.bit
    recover(mine, found[:1])
    assert [entries.get(mine, each).keywords for each in found] == [0, 0]
    assert keywords(mine) == [other]


def test_an_entry_that_has_it_already_keeps_its_modseq(mine: Access, label: KeywordRow) -> None:
    first, second = stored_many(mine, 2)
    service.set_keywords(mine, [first], add=[label.id])
    before = entries.get(mine, first).modseq
    assert service.set_keywords(mine, [first, second], add=[label.id]).entry_ids == [second]
    assert entries.get(mine, first).modseq == before
    assert service.set_keywords(mine, Selection(folder_id=folder_id(mine)), remove=[label.id]).entry_ids == [
        first,
        second,
    ]
    assert counts(mine, label) == (0, 0)


def test_renaming_a_label_keeps_its_atom(mine: Access, label: KeywordRow) -> None:
    changed = service.change_label(mine, label.id, name="VIP", colour="#112233")
    assert (changed.atom, changed.label, changed.colour) == (label.atom, "VIP", "#112233")
    assert changed.atom.isascii()


def test_a_keyword_of_a_mail_program_is_found_in_any_case(mine: Access) -> None:
    made = service.make_keyword(mine, "$Forwarded2")
    assert service.make_keyword(mine, "$forwarded2") == made
    assert made.label == ""


@pytest.mark.parametrize("atom", ["", "a b", "(x", "x)", "%", "*", '"', "\\", "]", "é", "x" * 101, "a\0"])
def test_what_is_no_atom_is_refused(mine: Access, atom: str) -> None:
    with pytest.raises(MailError) as error:
        service.make_keyword(mine, atom)
    assert error.value.kind is ErrorKind.INVALID


def test_the_limits_are_told(mine: Access) -> None:
    for number in range(service.MAX_LABELS):
        service.create_label(mine, f"label {number}")
    with pytest.raises(MailError) as labels:
        service.create_label(mine, "one more")
    for number in range(service.MAX_KEYWORDS - service.MAX_LABELS):
        service.make_keyword(mine, f"k{number}")
    with pytest.raises(MailError) as atoms:
        service.make_keyword(mine, "more")
    assert (labels.value.kind, atoms.value.kind) == (ErrorKind.LIMIT, ErrorKind.LIMIT)
    assert max(each.bit for each in keywords(mine)) == service.MAX_KEYWORDS - 1


@pytest.mark.parametrize(
    ("name", "colour"), [("", ""), ("x" * 61, ""), ("a\nb\0", ""), ("fine", "red"), ("fine", "#12345")]
)
def test_a_bad_label_changes_nothing(mine: Access, name: str, colour: str) -> None:
    with pytest.raises(MailError) as error:
        service.create_label(mine, name, colour=colour)
    assert error.value.kind is ErrorKind.INVALID
    assert keywords(mine) == []


def test_two_labels_have_two_names(mine: Access, label: KeywordRow) -> None:
    for act in (
        lambda: service.create_label(mine, " 重要客户 "),
        lambda: service.change_label(mine, service.create_label(mine, "b").id, name="重要客户"),
    ):
        with pytest.raises(MailError) as error:
            act()
        assert error.value.kind is ErrorKind.EXISTS


def test_a_stranger_and_a_reader_can_do_nothing(mine: Access, his: Access, label: KeywordRow) -> None:
    entry = stored_many(mine, 1)
    others = stored_many(his, 1)
    for act in (
        lambda: service.change_label(his, label.id, name="x"),
        lambda: service.delete_keyword(his, label.id),
        lambda: service.set_keywords(his, others, add=[label.id]),
        lambda: service.set_keywords(mine, others, add=[label.id]),
    ):
        with pytest.raises(MailError) as error:
            act()
        assert error.value.kind is ErrorKind.NOT_FOUND
    reader = Access(his.actor, mine.mailbox, READER)
    with pytest.raises(MailError) as refused:
        service.set_keywords(reader, entry, add=[label.id])
    assert refused.value.kind is ErrorKind.NO_PERMISSION
