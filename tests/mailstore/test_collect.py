"""What time takes away, and what only a domain's policy takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Account
from accounts.services import update_domain
from core.access import Access
from core.errors import MailError
from logs_app.selectors import deletions
from mailstore import sql
from mailstore.models import FolderMark, Recoverable, Role
from mailstore.selectors.folders import folder_by_role
from mailstore.services import collect as collecting
from mailstore.services.collect import DAY_US, collect, register_retention_step
from mailstore.services.empty_by_policy import empty_by_policy
from mailstore.services.entries import delete, move, move_back, purge
from mailstore.services.rows import now_us
from mailstore.tasks import collect_task
from tests.mailstore.letters import folder_id, stored_many
from webmail.celery import SCHEDULE, app


@pytest.fixture(autouse=True)
def own_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of this test alone."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def pass_days(days: int) -> None:
    """Everything that was noted is `days` older."""
    sql.run("UPDATE mailstore_foldermark SET at_us = at_us - %s", [days * DAY_US])


def total(access: Access, role: Role) -> int:
    """Mails in the folder."""
    return folder_by_role(access, role).total


def test_trash_and_junk_are_never_emptied_by_themselves(mine: Access) -> None:
    found = stored_many(mine, 4)
    delete(mine, found[:2])
    move(mine, found[2:], folder_id=folder_id(mine, Role.JUNK))
    collect()
    assert not FolderMark.objects.exists()
    assert empty_by_policy(now_us() + 5000 * DAY_US) == 0
    assert (total(mine, Role.TRASH), total(mine, Role.JUNK)) == (2, 2)


def test_a_policy_empties_what_has_lain_there_its_days(mine: Access, alice: Account) -> None:
    update_domain(alice.domain, empty_trash_days=30)
    old, new, junk = stored_many(mine, 3)
    delete(mine, [old])
    move(mine, [junk], folder_id=folder_id(mine, Role.JUNK))
    assert collect().emptied == 0
    pass_days(29)
    delete(mine, [new])
    assert collect().emptied == 0
    pass_days(1)
    assert collect().emptied == 1
    assert Recoverable.objects.get().id == old
    assert (total(mine, Role.TRASH), total(mine, Role.JUNK)) == (1, 1)
    (event, *_) = deletions(mine.mailbox)
    assert (event.action, event.actor, event.protocol) == ("policy", "system", "policy")


def test_a_mail_that_was_taken_out_and_deleted_again_has_its_days_anew(mine: Access, alice: Account) -> None:
    update_domain(alice.domain, empty_trash_days=10)
    (entry,) = stored_many(mine, 1)
    undo = delete(mine, [entry]).undo
    collect()
    pass_days(10)
    move_back(mine, undo)
    delete(mine, [entry])
    assert collect().emptied == 0


def test_the_days_begin_when_the_policy_is_switched_on(mine: Access, alice: Account) -> None:
    delete(mine, stored_many(mine, 1))
    update_domain(alice.domain, empty_trash_days=10)
    collect()
    pass_days(5)
    update_domain(alice.domain, empty_trash_days=None)
    collect()
    assert not FolderMark.objects.exists()
    update_domain(alice.domain, empty_trash_days=10)
    collect()
    pass_days(9)
    assert collect().emptied == 0
    pass_days(1)
    assert collect().emptied == 1


def test_marks_are_made_once_a_day_and_forgotten_when_they_have_served(mine: Access, alice: Account) -> None:
    update_domain(alice.domain, empty_junk_days=3)
    for _ in range(3):
        collect()
    assert FolderMark.objects.filter(mailbox_id=mine.mailbox).count() == 1
    for _ in range(10):
        pass_days(1)
        collect()
    assert FolderMark.objects.filter(mailbox_id=mine.mailbox).count() <= 5


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_policy_of_no_days_is_refused(alice: Account, days: int) -> None:
    with pytest.raises(MailError):
        update_domain(alice.domain, empty_trash_days=days)


def test_upper_layers_end_their_own_things_slice_by_slice(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "RETENTION_STEPS", {})
    slices = [1000, 1000, 3, 0, 99]
    register_retention_step("quarantine", lambda now: slices.pop(0))
    assert collect().others == 2003
    assert slices == [99]


def test_the_schedule_names_only_tasks_that_exist(mine: Access) -> None:
    app.loader.import_default_modules()
    assert set(SCHEDULE) <= set(app.tasks)
    purge(mine, stored_many(mine, 2))
    sql.run("UPDATE mailstore_recoverable SET deleted_us = 1")
    collect_task()
    assert not Recoverable.objects.exists()
