"""The mailbox of a domain's system account tidies itself, and nobody else's."""

from __future__ import annotations

import pytest

from accounts.models import Account
from core.access import Access, system_access
from logs_app.selectors import deletions
from mailstore import sql
from mailstore.models import Entry, Recoverable, Role
from mailstore.services import empty_system as emptying
from mailstore.services.collect import collect
from mailstore.services.empty_system import DAY_US, KEPT_DAYS, empty_system
from mailstore.services.entries import delete
from mailstore.services.rows import now_us
from tests.mailstore.letters import stored_many

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def system(alice: Account) -> Access:
    """The domain's own mailbox."""
    return system_access(Account.objects.get(domain=alice.domain, kind=Account.Kind.SYSTEM).pk)


def left(access: Access) -> list[int]:
    """What is in a mailbox, in order of coming."""
    return list(Entry.objects.filter(mailbox_id=access.mailbox).order_by("id").values_list("id", flat=True))


def came(entries: list[int], days: int) -> None:
    """They came so many days ago."""
    Entry.objects.filter(pk__in=entries).update(internal_us=now_us() - days * DAY_US)


def test_what_came_ninety_days_ago_goes_wherever_it_lies_and_nothing_of_anybody_else(
    system: Access, mine: Access, his: Access
) -> None:
    found, own, bobs = stored_many(system, 4), stored_many(mine, 3), stored_many(his, 2)
    came(found, 0)
    delete(system, [found[1]])
    assert empty_system(now_us()) == 0
    came(found[:2] + own + bobs, KEPT_DAYS + 1)
    came(found[2:], KEPT_DAYS - 1)
    assert collect().emptied == 2
    assert left(system) == found[2:]
    assert (left(mine), left(his)) == (own, bobs)
    assert {each.id for each in Recoverable.objects.all()} == set(found[:2])
    (event, *_) = deletions(system.mailbox)
    assert (event.action, event.actor) == ("policy", "system")


def test_an_hour_in_which_nothing_is_old_reads_a_slice_and_not_the_mailbox(
    system: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emptying.sql, "SLICE", 2)
    found = stored_many(system, 6)
    came(found, 0)
    came(found[-1:], KEPT_DAYS + 1)  # its turn comes when those in front of it go
    assert empty_system(now_us()) == 0
    came(found[1:2], KEPT_DAYS + 1)
    assert empty_system(now_us()) == 1, "one that is young in front of it holds nothing up"
    came(found, KEPT_DAYS + 1)
    assert empty_system(now_us()) == 5


def test_before_it_is_full_the_oldest_goes(system: Access, mine: Access) -> None:
    found, own = stored_many(system, 10), stored_many(mine, 10)
    came(found, 0)
    sizes = dict(Entry.objects.filter(mailbox_id=system.mailbox).values_list("id", "size"))
    Account.objects.filter(pk__in=[system.mailbox, mine.mailbox]).update(quota_bytes=sum(sizes.values()))
    assert empty_system(now_us()) == len(found) - len(left(system)) > 0
    kept = left(system)
    assert kept == found[-len(kept) :]
    assert (
        sum(sizes[each] for each in kept)
        <= 0.8 * sum(sizes.values())
        < sum(sizes[each] for each in found[-len(kept) - 1 :])
    )
    assert sql.row("SELECT used_bytes FROM mailstore_mailbox WHERE id = %s", [system.mailbox])[0] == sum(
        sizes[each] for each in kept
    )
    assert left(mine) == own
    assert empty_system(now_us()) == 0


def test_a_run_that_dies_goes_on_where_it_was(system: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    found = stored_many(system, 3, role=Role.INBOX)
    came(found, KEPT_DAYS + 1)
    monkeypatch.setattr(emptying.sql, "SLICE", 1)
    real, calls = emptying.purge_rows, []

    def dies(*args: object, **options: object) -> None:
        real(*args, **options)  # type: ignore[arg-type]
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(emptying, "purge_rows", dies)
        with pytest.raises(KeyboardInterrupt):
            empty_system(now_us())
    assert left(system) == found[1:]
    monkeypatch.setattr(emptying, "purge_rows", real)
    assert empty_system(now_us()) == 2
