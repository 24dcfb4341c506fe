"""Folders: names, the tree, what may be done to them."""

from __future__ import annotations

import pytest

from accounts.models import Domain
from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore.models import Folder, Role
from mailstore.selectors import folders
from mailstore.services.folders import create_folder, delete_folder, empty_folder, move_folder, rename_folder
from mailstore.services.mailboxes import create_mailbox
from tests.mailstore.letters import folder_id, letter, stored


def refusal(call, *arguments, **more) -> ErrorKind:  # type: ignore[no-untyped-def]
    """Why a call was refused."""
    with pytest.raises(MailError) as error:
        call(*arguments, **more)
    return error.value.kind


def test_an_account_has_its_five_folders_once(mine: Access) -> None:
    create_mailbox(mine.mailbox)
    assert [(row.role, row.depth) for row in folders.folder_tree(mine)] == [
        (role, 0) for role in ("inbox", "drafts", "sent", "trash", "junk")
    ]


def test_the_tree_lists_children_below_their_parents(mine: Access) -> None:
    work = create_folder(mine, "工作")
    play = create_folder(mine, "Play")
    year = create_folder(mine, "2026", parent_id=work)
    create_folder(mine, "May", parent_id=year)
    assert [(row.name, row.depth) for row in folders.folder_tree(mine)[5:]] == [
        ("工作", 0),
        ("2026", 1),
        ("May", 2),
        ("Play", 0),
    ]
    move_folder(mine, year, parent_id=play)
    rename_folder(mine, year, " 2027 ")
    assert [(row.name, row.depth) for row in folders.folder_tree(mine)[5:]] == [
        ("工作", 0),
        ("Play", 0),
        ("2027", 1),
        ("May", 2),
    ]


@pytest.mark.parametrize("name", ["", "  ", "a/b", "x" * 101, "a\0b", "a\nb", "100%", "a*", "\u202eabc", "a\\b"])
def test_names_that_programs_can_not_carry_are_invalid(mine: Access, name: str) -> None:
    assert refusal(create_folder, mine, name) is ErrorKind.INVALID


def test_a_name_is_given_once_in_its_place(mine: Access) -> None:
    work = create_folder(mine, "Work")
    create_folder(mine, "Work", parent_id=work)
    assert refusal(create_folder, mine, "Work") is ErrorKind.EXISTS
    assert refusal(create_folder, mine, "Inbox") is ErrorKind.EXISTS
    other = create_folder(mine, "Other")
    assert refusal(rename_folder, mine, other, "Work") is ErrorKind.EXISTS
    rename_folder(mine, other, "Other")


def test_a_folder_never_lies_in_itself(mine: Access) -> None:
    a = create_folder(mine, "a")
    b = create_folder(mine, "b", parent_id=a)
    assert refusal(move_folder, mine, a, parent_id=b) is ErrorKind.INVALID
    assert refusal(move_folder, mine, a, parent_id=a) is ErrorKind.INVALID


def test_the_tree_has_as_many_levels_as_the_domain_allows(mine: Access) -> None:
    Domain.objects.update(max_folder_depth=4)
    parent = 0
    for number in range(4):
        parent = create_folder(mine, f"level {number}", parent_id=parent)
    assert refusal(create_folder, mine, "too deep", parent_id=parent) is ErrorKind.LIMIT
    pair = create_folder(mine, "pair")
    create_folder(mine, "below", parent_id=pair)
    third = Folder.objects.get(name="level 2").pk
    assert refusal(move_folder, mine, pair, parent_id=third) is ErrorKind.LIMIT


def test_a_mailbox_has_as_many_folders_of_its_own_as_the_domain_allows(mine: Access) -> None:
    Domain.objects.update(max_folders=2)
    create_folder(mine, "one")
    create_folder(mine, "two")
    with pytest.raises(MailError) as error:
        create_folder(mine, "three")
    assert (error.value.kind, error.value.data) == (ErrorKind.LIMIT, {"limit": 2})


def test_only_an_empty_folder_without_others_below_is_deleted(mine: Access) -> None:
    work = create_folder(mine, "Work")
    below = create_folder(mine, "Below", parent_id=work)
    assert refusal(delete_folder, mine, work) is ErrorKind.IN_USE
    delete_folder(mine, below)
    delete_folder(mine, work)
    assert refusal(folders.folder, mine, work) is ErrorKind.NOT_FOUND


def test_a_name_used_again_has_a_greater_uidvalidity(mine: Access) -> None:
    first = create_folder(mine, "Work")
    validity = folders.folder(mine, first).uidvalidity
    delete_folder(mine, first)
    assert folders.folder(mine, create_folder(mine, "Work")).uidvalidity > validity


def test_folders_with_a_role_stay(mine: Access) -> None:
    inbox = folder_id(mine)
    for call in (
        lambda: delete_folder(mine, inbox),
        lambda: rename_folder(mine, inbox, "x"),
        lambda: move_folder(mine, inbox, parent_id=0),
    ):
        assert refusal(call) is ErrorKind.NO_PERMISSION


def test_emptying_leads_to_recovery(mine: Access) -> None:
    stored(mine, letter(), role=Role.JUNK)
    assert empty_folder(mine, folder_id(mine, Role.JUNK)) == 1
    assert folders.mailbox_usage(mine).recoverable_bytes == len(letter())


def test_the_tree_of_a_hundred_folders_is_one_query(mine: Access, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(100):
        create_folder(mine, f"folder {number}")
    with django_assert_num_queries(1):
        assert len(folders.folder_tree(mine)) == 105
