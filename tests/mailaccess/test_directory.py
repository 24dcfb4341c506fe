"""A folder found by its name alone is the one that a look at all names finds, whatever happened to it meanwhile."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import grant_mailbox, revoke_mailbox
from core.access import Access, Via
from core.errors import ErrorKind, MailError
from mailaccess.directory import Directory
from mailstore.models import Folder
from mailstore.services.append import append
from mailstore.services.folders import create_folder, delete_folder, move_folder, rename_folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(alice: Account) -> Access:
    return access_for(alice, alice.pk)


@pytest.fixture
def tree(own: Access) -> dict[str, int]:
    """Projects/North/Plans, and Letters."""
    projects = create_folder(own, "Projects")
    north = create_folder(own, "North", parent_id=projects)
    plans = create_folder(own, "Plans", parent_id=north)
    return {"Projects": projects, "North": north, "Plans": plans, "Letters": create_folder(own, "Letters")}


def found(account: Account, name: str) -> int | None:
    """The folder's id by both ways, or None by both."""
    directory = Directory(account, Via("imap"))
    try:
        named = directory.find(name)
    except MailError as error:
        assert error.kind is ErrorKind.NOT_FOUND
        with pytest.raises(MailError):
            directory.folder(name)
        return None
    access, folder = directory.folder(name)
    assert named.access is not None and named.folder is not None
    assert (folder.id, folder.uidvalidity, folder.role) == (
        named.folder.id,
        named.folder.uidvalidity,
        named.folder.role,
    )
    assert folder.is_locked == named.folder.is_locked
    assert (access.mailbox, access.actor, access.rights) == (
        named.access.mailbox,
        named.access.actor,
        named.access.rights,
    )
    return folder.id


@pytest.mark.parametrize("name", ["INBOX", "inbox", "Projects", "Projects/North", "Projects/North/Plans", "Letters"])
def test_every_name_is_found(alice: Account, tree: dict[str, int], name: str) -> None:
    assert found(alice, name)


@pytest.mark.parametrize(
    "name", ["", "/", "projects", "North", "Projects/", "Projects/South", "Letters/North", "INBOX/x"]
)
def test_what_is_no_name_is_not_found(alice: Account, tree: dict[str, int], name: str) -> None:
    assert found(alice, name) is None


def test_renaming_moving_and_deleting_are_seen_at_once(alice: Account, own: Access, tree: dict[str, int]) -> None:
    assert found(alice, "Projects/North") == tree["North"]
    rename_folder(own, tree["Projects"], "Works")
    assert found(alice, "Projects/North") is None
    assert found(alice, "Works/North/Plans") == tree["Plans"]
    move_folder(own, tree["North"], parent_id=tree["Letters"])
    assert found(alice, "Works/North") is None
    assert found(alice, "Letters/North/Plans") == tree["Plans"]
    rename_folder(own, tree["Projects"], "North")
    assert found(alice, "North") == tree["Projects"]
    delete_folder(own, tree["Plans"])
    assert found(alice, "Letters/North/Plans") is None


def test_what_is_hidden_is_not_there_nor_what_lies_in_it(alice: Account, tree: dict[str, int]) -> None:
    Folder.objects.filter(pk=tree["North"]).update(is_hidden=True)
    assert found(alice, "Projects/North") is None
    assert found(alice, "Projects/North/Plans") is None
    Folder.objects.filter(pk=tree["North"]).update(is_hidden=False, imap_visible=False)
    assert found(alice, "Projects/North") is None
    assert found(alice, "Projects/North/Plans") is None
    assert found(alice, "Projects")


def test_a_lock_is_the_webs(alice: Account, tree: dict[str, int]) -> None:
    Folder.objects.filter(pk=tree["North"]).update(lock_scope="folder")
    assert found(alice, "Projects/North") == tree["North"]
    access, folder = Directory(alice, Via("imap")).folder("Projects/North")
    assert append(access, folder.id, b"Subject: in\r\n\r\nx")
    with pytest.raises(MailError):
        append(access_for(alice, alice.pk), folder.id, b"Subject: in\r\n\r\nx")


def test_anothers_is_found_as_long_as_it_is_granted(alice: Account, bob: Account, tree: dict[str, int]) -> None:
    name = f"Other Users/{alice.address}/Projects"
    assert found(bob, name) is None
    grant_mailbox(alice, bob, "editor")
    assert found(bob, name) == tree["Projects"]
    revoke_mailbox(alice, bob)
    assert found(bob, name) is None


def test_one_query_for_each_level(alice: Account, tree: dict[str, int]) -> None:
    seen: list[str] = []

    def note(execute, query, parameters, many, context):  # type: ignore[no-untyped-def]
        seen.append(query)
        return execute(query, parameters, many, context)

    with connection.execute_wrapper(note):
        Directory(alice, Via("imap")).folder("Letters")
    assert len(seen) == 1
