"""Monitoring on the real road: copies by direction, kind and time; where they lie; what stays of them; who looked."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import create_department, update_account
from core.access import system_access
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore.check_store import check_store
from mailstore.models import Correspondent, Entry, Folder, Mailbox
from mailstore.selectors import entries
from mailstore.services.entries import purge
from mta.inbound.filing import Verdict
from mta.models import MonitorRule, RecallOutcome, SendSettings
from mta.services import submit
from mta.services.filters import create_filter
from mta.services.monitoring import create_monitor_rule, delete_monitor_rule, update_monitor_rule
from mta.services.recall import recall
from tests.factories import make_account
from tests.flows.test_mail_in import LETTER, send
from tests.mta.conftest import Running
from tests.mta.test_submit import RAW, mails, request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def carol(db: None) -> Account:
    """Who watches."""
    return make_account("carol@example.test")


def watch(carol: Account, *targets: Account, **fields: Any) -> MonitorRule:
    """A rule over these accounts."""
    return create_monitor_rule(carol.domain, "rule", monitors=[carol], accounts=targets, **fields)


def seen(monitor: Account, person: Account) -> list[bytes]:
    """What lies in the folder of one person."""
    folder = Folder.objects.filter(mailbox_id=monitor.pk, name=person.address).first()
    access = system_access(monitor.pk)
    rows = Entry.objects.filter(folder_id=folder.pk).order_by("uid") if folder else []
    return [entries.raw(access, entry.pk) for entry in rows]


def write(author: Account, *recipients: str, **more: Any) -> int:
    """A mail of a colleague's."""
    raw = RAW.replace(b"alice@example.test", author.address.encode())
    return submit(access_for(author, author.pk), request(*recipients, envelope_from=author.address, raw=raw, **more))


def test_what_comes_and_what_goes_lies_by_person_in_a_folder_that_nobody_changes(
    running: Running, alice: Account, bob: Account, carol: Account
) -> None:
    watch(carol, alice)
    create_filter(alice, "no", conditions=[{"what": "subject", "how": "is", "value": "hi"}], actions=[{"do": "reject"}])
    send(running, alice.address)
    write(alice, bob.address)
    write(bob, alice.address, carol.address)
    copies = seen(carol, alice)
    assert copies[0].endswith(LETTER)
    assert copies[1] == RAW  # with Bcc
    assert copies[2].endswith(b"Noodles?\r\n")
    assert len(mails(carol, "inbox")) == 1
    assert not Correspondent.objects.filter(mailbox_id=carol.pk, address="x@far.example").exists()
    folder = Folder.objects.get(mailbox_id=carol.pk, name=alice.address)
    root = Folder.objects.get(pk=folder.parent_id)
    assert {(each.role, each.is_read_only, each.is_quota_exempt) for each in (folder, root)} == {
        ("monitor", True, True)
    }
    own = sum(len(raw) for raw in mails(carol, "inbox"))
    assert Mailbox.objects.get(pk=carol.pk).used_bytes == own
    entry = Entry.objects.filter(folder_id=folder.pk)[0]
    with pytest.raises(MailError) as caught:
        purge(access_for(carol, carol.pk), [entry.pk])
    assert caught.value.kind is ErrorKind.NO_PERMISSION
    for account in (alice, carol):
        assert not check_store(account.pk)


def test_a_target_deletes_and_the_copy_stays(running: Running, alice: Account, carol: Account) -> None:
    watch(carol, alice)
    send(running, alice.address)
    purge(access_for(alice, alice.pk), [Entry.objects.get(mailbox_id=alice.pk).pk])
    assert len(seen(carol, alice)) == 1


@pytest.mark.parametrize(
    ("field", "expected"),
    [("from_outside", 0), ("from_inside", 1), ("to_inside", 2), ("to_outside", 3)],
)
def test_each_direction_is_a_wish_of_its_own(
    running: Running, alice: Account, bob: Account, carol: Account, field: str, expected: int
) -> None:
    others = dict.fromkeys(("from_inside", "from_outside", "to_inside", "to_outside"), False)
    watch(carol, alice, **(others | {field: True}))
    counts = []
    for act in (
        lambda: send(running, alice.address),
        lambda: write(bob, alice.address),
        lambda: write(alice, bob.address),
        lambda: write(alice, "x@far.example", save_to_sent=False),
    ):
        before = len(seen(carol, alice))
        act()
        counts.append(len(seen(carol, alice)) - before)
    assert counts == [int(number == expected) for number in range(4)]


def test_departments_below_and_the_whole_domain_are_targets(
    running: Running, alice: Account, bob: Account, carol: Account
) -> None:
    top = create_department(alice.domain, "Sales")
    update_account(alice, department=create_department(alice.domain, "North", parent=top))
    rule = create_monitor_rule(alice.domain, "r", monitors=[carol], departments=[top])
    send(running, alice.address, bob.address)
    assert (len(seen(carol, alice)), len(seen(carol, bob))) == (1, 0)
    update_monitor_rule(rule, whole_domain=True)
    send(running, alice.address, bob.address, carol.address)
    assert (len(seen(carol, alice)), len(seen(carol, bob)), len(seen(carol, carol))) == (2, 1, 0)
    delete_monitor_rule(rule)
    send(running, bob.address, message=LETTER)
    assert len(seen(carol, bob)) == 1


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"keywords": "發票\nHello"}, 1),
        ({"keywords": "发票"}, 0),
        ({"with_attachment": True}, 0),
        ({"min_size_kb": 1}, 0),
        ({"ends_at": timezone.now() - datetime.timedelta(days=1)}, 0),
        ({"begins_at": timezone.now() + datetime.timedelta(days=1)}, 0),
        ({"is_active": False}, 0),
    ],
    ids=["word", "no word", "attachment", "size", "over", "not yet", "off"],
)
def test_only_the_kind_of_mail_that_is_wanted(
    running: Running, alice: Account, carol: Account, fields: dict[str, Any], count: int
) -> None:
    watch(carol, alice, **fields)
    send(running, alice.address)
    assert len(seen(carol, alice)) == count


def test_what_was_recalled_stays_and_says_so(alice: Account, bob: Account, carol: Account, client: Client) -> None:
    watch(carol, alice, bob)
    SendSettings.objects.create(account=alice, follows=True)
    submission = write(alice, bob.address)
    recall(access_for(alice, alice.pk), submission)
    outcomes = RecallOutcome.objects.values_list("address", "result")
    assert list(outcomes) == [(bob.address, "recalled")]  # the author learns of no monitor
    assert not mails(bob, "inbox")
    verdicts = list(Entry.objects.filter(mailbox_id=carol.pk).values_list("verdict", flat=True))
    assert verdicts == [Verdict.RECALLED, Verdict.RECALLED]
    client.force_login(carol)
    entry = Entry.objects.filter(mailbox_id=carol.pk).first()
    assert entry is not None
    page = client.get(reverse("message", args=[entry.folder_id, entry.pk]), follow=True)
    assert "已撤回" in page.content.decode()


def test_every_view_is_recorded_once(running: Running, alice: Account, carol: Account, client: Client) -> None:
    watch(carol, alice)
    send(running, alice.address)
    entry = Entry.objects.get(mailbox_id=carol.pk)
    client.force_login(carol)
    for name in ("message_body", "source", "original"):
        assert client.get(reverse(name, args=[entry.pk])).status_code == 200
    assert client.get(reverse("message", args=[entry.folder_id, entry.pk])).status_code == 200
    event = Event.objects.get(kind=Kind.MONITOR_VIEW)
    assert (event.actor, event.address, event.data["subject"]) == (carol.address, alice.address, "hi")
    own = Entry.objects.get(mailbox_id=alice.pk)
    client.force_login(alice)
    client.get(reverse("message", args=[own.folder_id, own.pk]))
    assert Event.objects.filter(kind=Kind.MONITOR_VIEW).count() == 1


def test_what_makes_no_sense_is_refused(alice: Account, carol: Account) -> None:
    stranger = make_account("x@other.test")
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"monitors": [], "accounts": [alice]}, "monitors"),
        ({"monitors": [carol]}, "accounts"),
        ({"monitors": [stranger], "accounts": [alice]}, "monitors"),
        ({"monitors": [carol], "accounts": [stranger]}, "accounts"),
        ({"monitors": [carol], "accounts": [alice], "keywords": "x" * 101}, "keywords"),
    ]
    for fields, wrong in wrongs:
        with pytest.raises(MailError) as caught:
            create_monitor_rule(alice.domain, "r", **fields)
        assert (caught.value.kind, caught.value.data["field"]) == (ErrorKind.INVALID, wrong)
    with pytest.raises(MailError) as refused:
        create_monitor_rule(alice.domain, "r", monitors=[carol], accounts=[alice], actor=alice)
    assert refused.value.kind is ErrorKind.NO_PERMISSION


def test_an_administrator_makes_a_rule_of_his_own_domain(client: Client, alice: Account, carol: Account) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    stranger = make_account("x@other.test")
    client.force_login(boss)
    url = reverse("admin:mta_monitorrule_add")
    data = {"name": "r", "is_active": "on", "monitors": [carol.pk], "accounts": [alice.pk], "min_size_kb": 0}
    assert client.post(url, data | {"accounts": [stranger.pk], "from_inside": "on"}).status_code == 200
    assert client.post(url, data | {"from_inside": "on"}).status_code == 302
    rule = MonitorRule.objects.get()
    assert (rule.domain, list(rule.monitors.all()), list(rule.accounts.all())) == (boss.domain, [carol], [alice])
    event = Event.objects.get(kind=Kind.ADMIN, data__action="create_monitor_rule")
    assert (event.data["monitors"], event.data["targets"]) == ([carol.address], [alice.address])
