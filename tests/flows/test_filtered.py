"""Filters on the real road: strangers' mail by SMTP, colleagues' mail, mail that is there already."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore.check_store import check_store
from mailstore.models import Entry, EntryLabel, Flag, Folder, Keyword
from mailstore.services.folders import create_folder, delete_folder
from mailstore.services.keywords import create_label, delete_keyword
from mta import tasks
from mta.inbound.filing import Verdict
from mta.inbound.recipients import find_target
from mta.models import Filter, FilterRun
from mta.services import filter_runs, submit
from mta.services.filter_runs import cancel_run, start_run, work_on_runs
from mta.services.filters import create_filter, troubles_of
from mta.services.senders import list_sender
from tests.flows.test_mail_in import eventually, send
from tests.mta.conftest import Running
from tests.mta.test_submit import mails, request

pytestmark = pytest.mark.django_db(transaction=True)


def about(subject: str) -> list[dict[str, Any]]:
    """Conditions of a filter."""
    return [{"what": "subject", "how": "contains", "value": subject}]


def letter(subject: str, number: int = 1) -> bytes:
    """A mail of a stranger."""
    head = f"From: x@far.example\r\nTo: alice@example.test\r\nMessage-ID: <{subject}{number}@far.example>\r\n"
    return f"{head}Subject: {subject}\r\n\r\nHello {number}\r\n".encode()


def in_folder(folder_id: int) -> list[Entry]:
    """What lies there."""
    return list(Entry.objects.filter(folder_id=folder_id).order_by("uid"))


@pytest.fixture
def owned(alice: Account) -> Callable[[str], Filter]:
    """A filter of Alice's with a folder, a label and a star for mail about something."""
    access = access_for(alice, alice.pk)

    def make(subject: str) -> Filter:
        folder, label = create_folder(access, subject), create_label(access, subject).id
        acts = [{"do": "move", "target": folder}, {"do": "label", "target": label}, {"do": "star"}, {"do": "read"}]
        return create_filter(alice, subject, conditions=about(subject), actions=acts, actor=alice)

    return make


def target_of(rule: Filter, act: int = 0) -> int:
    """The folder or label of an action."""
    return int(rule.actions[act]["target"])


def test_a_strangers_mail_is_filed_labelled_and_starred_for_the_one_who_wants_it(
    running: Running, alice: Account, bob: Account, owned: Callable[[str], Filter]
) -> None:
    rule = owned("invoice")
    send(running, alice.address, bob.address, message=letter("Invoice"))
    send(running, alice.address, message=letter("lunch"))
    (entry,) = in_folder(target_of(rule))
    label = Keyword.objects.get(pk=target_of(rule, 1))
    assert (entry.flags, entry.keywords) == (int(Flag.SEEN | Flag.FLAGGED), 1 << label.bit)
    assert (label.total, label.unread) == (1, 0)
    assert EntryLabel.objects.get(keyword=label).entry_id == entry.pk
    assert len(mails(alice, "inbox")) == len(mails(bob, "inbox")) == 1
    assert not check_store(alice.pk)
    eventually(lambda: Event.objects.filter(kind=Kind.RECEIVED, data__filters=["invoice"]).exists())


def test_a_colleagues_mail_is_filed_too(alice: Account, bob: Account, owned: Callable[[str], Filter]) -> None:
    rule = owned("lunch")
    submit(access_for(bob, bob.pk), request(alice.address, envelope_from=bob.address))
    assert len(in_folder(target_of(rule))) == 1
    assert not mails(alice, "inbox")


def test_a_rejected_mail_lies_in_junk_with_the_reason(running: Running, alice: Account) -> None:
    create_filter(alice, "no", conditions=about("offer"), actions=[{"do": "reject"}])
    send(running, alice.address, message=letter("offer"))
    junk = Folder.objects.get(mailbox_id=alice.pk, role="junk")
    assert [entry.verdict for entry in in_folder(junk.pk)] == [Verdict.REJECTED]


def test_what_went_to_junk_is_not_for_filters(running: Running, alice: Account, owned: Callable[[str], Filter]) -> None:
    rule = owned("offer")
    list_sender(alice.domain, "x@far.example", "block", account=alice)
    send(running, alice.address, message=letter("offer"), sender="bounce@other.example")
    assert not in_folder(target_of(rule))


def test_a_folder_and_a_label_that_are_gone_cost_no_mail_and_are_told(
    running: Running, alice: Account, owned: Callable[[str], Filter]
) -> None:
    rule = owned("invoice")
    access = access_for(alice, alice.pk)
    delete_folder(access, target_of(rule))
    delete_keyword(access, target_of(rule, 1))
    send(running, alice.address, message=letter("invoice"))
    assert len(mails(alice, "inbox")) == 1
    assert troubles_of(rule) == ["folder", "label"]
    eventually(lambda: Event.objects.filter(kind=Kind.RECEIVED, data__folder_gone=True).exists())
    assert not check_store(alice.pk)


def fill(running: Running, alice: Account, count: int) -> int:
    """So many mails in the inbox, before there are filters; the inbox."""
    for number in range(count):
        send(running, alice.address, message=letter("invoice" if number % 2 else "lunch", number))
    return Folder.objects.get(mailbox_id=alice.pk, role="inbox").pk


def test_mail_that_is_there_is_filed_in_slices_and_a_dead_worker_costs_nothing(
    running: Running, alice: Account, owned: Callable[[str], Filter], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = fill(running, alice, 7)
    rule = owned("invoice")
    monkeypatch.setattr(filter_runs, "SLICE", 2)
    monkeypatch.setattr(filter_runs, "CLAIM_S", 0)
    run = start_run(alice, inbox, actor=alice)
    move = filter_runs.move
    calls = 0

    def dying(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return move(*args, **named)

    monkeypatch.setattr(filter_runs, "move", dying)
    with pytest.raises(KeyboardInterrupt):
        work_on_runs()
    work_on_runs()
    run.refresh_from_db()
    assert (run.state, run.total, run.seen) == ("done", 7, 7)
    assert len(in_folder(target_of(rule))) == 3
    assert len(in_folder(inbox)) == 4
    assert not check_store(alice.pk)


def test_a_run_whose_move_is_refused_is_marked_and_tried_again_later_and_later(
    running: Running, alice: Account, owned: Callable[[str], Filter], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = fill(running, alice, 4)
    barred, open_to_all = owned("invoice"), owned("lunch")
    run = start_run(alice, inbox)
    moved = filter_runs.move

    def refusing(access: Any, chosen: Any, *, folder_id: int) -> Any:
        if folder_id == target_of(barred):
            raise MailError(ErrorKind.NO_PERMISSION)
        return moved(access, chosen, folder_id=folder_id)

    monkeypatch.setattr(filter_runs, "move", refusing)
    pauses = []
    for tries in range(1, filter_runs.TRIES_MAX):
        before = time.time_ns() // 1000
        assert work_on_runs() == 1
        run.refresh_from_db()
        assert (run.state, run.tries, run.error, run.seen) == ("waiting", tries, "no_permission", 0)
        pauses.append(run.claimed_until_us - before)
        assert not filter_runs.is_any_waiting()
        FilterRun.objects.update(claimed_until_us=0)
    assert len(in_folder(target_of(open_to_all))) == 2, "what can be done is done"
    assert [round(each / 60e6) for each in pauses[:4]] == [2, 4, 8, 16]
    assert max(pauses) < 7 * 3600 * 1_000_000
    work_on_runs()
    run.refresh_from_db()
    assert (run.state, run.tries) == ("failed", filter_runs.TRIES_MAX)


def test_a_run_that_was_refused_goes_on_when_it_may(
    running: Running, alice: Account, owned: Callable[[str], Filter], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = fill(running, alice, 4)
    rule = owned("invoice")
    run = start_run(alice, inbox)
    with monkeypatch.context() as patch:
        patch.setattr(filter_runs, "move", raising(ValueError("odd")))
        assert work_on_runs() == 1
    run.refresh_from_db()
    assert (run.state, run.error) == ("waiting", "unknown")
    FilterRun.objects.update(claimed_until_us=0)
    work_on_runs()
    run.refresh_from_db()
    assert (run.state, run.tries, run.error, run.matched) == ("done", 0, "", 2)
    assert len(in_folder(target_of(rule))) == 2


def raising(error: Exception) -> Callable[..., Any]:
    """What fails whatever it is asked."""

    def fail(*_args: Any, **_named: Any) -> Any:
        raise error

    return fail


def test_the_sweep_finds_a_run_whose_task_was_lost(
    running: Running, alice: Account, owned: Callable[[str], Filter], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(tasks, "wake", woken.append)
    inbox = fill(running, alice, 2)
    owned("invoice")
    tasks.sweep()
    assert woken == []
    start_run(alice, inbox)
    tasks.sweep()
    assert woken == ["mta.run_filters"]
    tasks.run_filters()
    assert FilterRun.objects.get().state == "done"


def test_a_run_is_cancelled_before_its_next_slice(
    running: Running, alice: Account, owned: Callable[[str], Filter], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = fill(running, alice, 5)
    owned("invoice")
    monkeypatch.setattr(filter_runs, "SLICE", 2)
    run = start_run(alice, inbox)
    slice_of = filter_runs._slice

    def then_cancelled(claimed: FilterRun) -> None:
        slice_of(claimed)
        cancel_run(run)

    monkeypatch.setattr(filter_runs, "_slice", then_cancelled)
    assert work_on_runs() == 1
    run.refresh_from_db()
    assert (run.state, run.seen) == ("cancelled", 2)


def test_mail_without_rules_costs_no_query_more(alice: Account, django_assert_num_queries: Any) -> None:
    find_target(alice.address, sender="x@far.example")
    with django_assert_num_queries(2):
        target = find_target(alice.address, sender="x@far.example")
    assert not target.facts[alice.pk].ruled  # type: ignore[union-attr]
