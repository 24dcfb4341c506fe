"""Several connections writing the same mailboxes at once: nothing lost, nothing doubled, no deadlock that shows."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import OperationalError, connection, transaction

from accounts.models import Account
from core.access import Access, system_access
from mailstore.models import Blob, Flag, Role
from mailstore.selectors import folders, lists
from mailstore.services.deliver import Incoming, Placement, deliver, prepare, store
from mailstore.services.entries import move, set_flags
from tests.mailstore.letters import folder_id, letter, stored, stored_many


def at_once(*calls: Callable[[], None]) -> None:
    """Run each in a thread of its own, begun together; the first failure is raised."""
    barrier, failures = threading.Barrier(len(calls)), []

    def run(call: Callable[[], None]) -> None:
        barrier.wait(60)
        try:
            call()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]


def test_two_writers_of_the_same_mail_to_crossed_mailboxes(transactional_db: None, mine: Access, his: Access) -> None:
    def write(first: Access, second: Access, tag: str) -> None:
        for number in range(15):
            same = prepare(letter(f"same{number}"))
            own = prepare(letter(f"{tag}{number}", references=["same0"]))
            items = [Incoming(each, [Placement(first.mailbox), Placement(second.mailbox)]) for each in (same, own)]
            for _ in range(5):
                try:
                    with transaction.atomic():
                        store(items if tag == "a" else items[::-1])
                    break
                except OperationalError:
                    continue

    at_once(lambda: write(mine, his, "a"), lambda: write(his, mine, "b"))
    for access in (mine, his):
        assert folders.folder_by_role(access, Role.INBOX).total == 60
    assert Blob.objects.count() == 45


def test_flags_and_moves_beside_the_writer(transactional_db: None, mine: Access) -> None:
    old = stored_many(mine, 10)
    junk = folder_id(mine, Role.JUNK)

    def act() -> None:
        for number in range(20):
            set_flags(mine, old, add=Flag.SEEN) if number % 2 else set_flags(mine, old, remove=Flag.SEEN)
            move(mine, old, folder_id=junk if number % 2 else folder_id(mine))

    def arrive() -> None:
        futures = [deliver(Incoming(prepare(letter(f"n{n}")), [Placement(mine.mailbox)])) for n in range(200)]
        assert all(future.result(60).entry_ids for future in futures)

    at_once(act, arrive)
    assert folders.folder_by_role(mine, Role.INBOX).total == 200
    assert folders.folder(mine, junk).total == 10


def test_a_late_parent_and_its_child_at_the_same_moment(transactional_db: None, mine: Access, alice: Account) -> None:
    access = system_access(alice.pk)
    for number in range(8):
        at_once(
            lambda: stored(access, letter(f"p{number}")),  # noqa: B023
            lambda: stored(access, letter(f"c{number}", references=[f"p{number}"])),  # noqa: B023
        )
    assert {row.thread_count for row in lists.list_page(mine, folder_id(mine)).rows} == {2}


def _store_retrying(access: Access, raw: bytes) -> None:
    stored(access, raw)
