"""The demo as a whole: made once, through the real road, complete after an interruption."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, Department, Domain, MailboxGrant
from accounts.selectors import expand_group, resolve
from accounts.sign_in import sign_in
from core.access import system_access
from logs_app.models import Event, Kind
from mailstore import writer
from mailstore.check_store import check_store
from mailstore.models import Entry, Flag, Role
from mailstore.selectors.entries import original, thread
from mailstore.selectors.folders import folder_by_role, folder_tree
from mailstore.selectors.keywords import keywords
from mailstore.selectors.list_marked import todo_page
from mailstore.selectors.lists import list_page
from mailstore.selectors.recoverable import DAY_US, recoverable_page
from mta import steps
from mta.models import Delivery
from webmail.demo import company, fill, post, thrown_away

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def demo(settings: Any, tmp_path: Any) -> Any:
    """A filled demo."""
    settings.DATA_DIR = tmp_path
    settings.UNDO_SEND_S = 600
    made = fill.fill()
    yield made
    writer.drain()


def inbox_of(name: str) -> Any:
    """The folder row of somebody's inbox."""
    return folder_by_role(system_access(company.accounts()[name].pk), Role.INBOX)


def test_the_company_stands_and_its_mail_is_there(demo: fill.Filled) -> None:
    assert demo.arrived >= 240
    assert demo.sent >= 90
    assert demo.drafts == 5
    _company_is_complete()
    _mailboxes_are_lively()
    _threads_hold_together()
    _mails_are_marked()
    _deleted_mail_waits_for_its_owner()
    assert not Delivery.objects.filter(state="held").exists(), "nothing of it waits to be taken back"
    assert check_store() == []
    assert Event.objects.filter(kind=Kind.RECEIVED).count() >= demo.arrived


def _company_is_complete() -> None:
    domain = Domain.objects.get()
    assert (domain.name, domain.title) == (company.DOMAIN, company.TITLE)
    assert Department.objects.filter(parent__isnull=False).count() == 3
    people = company.accounts()
    assert {name for name, each in people.items() if each.role == Account.Role.DOMAIN_ADMIN} == {"admin"}
    assert MailboxGrant.objects.filter(owner=people["sales"]).count() == 4
    alias = resolve(f"fiona@{company.DOMAIN}")
    assert alias is not None
    assert alias.account is not None
    assert alias.account.id == people["wangfang"].pk
    group = resolve(f"trade@{company.DOMAIN}")
    assert group is not None
    members = expand_group(group.group_id or 0, sender=f"wangfang@{company.DOMAIN}").accounts
    assert {each.address.partition("@")[0] for each in members} == {"wangfang", "lina", "emily"}
    signed = sign_in(
        f"wangfang@{company.DOMAIN}",
        company.PASSWORD,
        host=None,
        protocol="web",
        remote_address="127.0.0.1",
        program="",
    )
    assert signed.account == people["wangfang"]


def _mailboxes_are_lively() -> None:
    inbox = inbox_of("wangfang")
    assert inbox.total > 50
    assert 5 <= inbox.unread <= 40
    access = system_access(inbox.id >> 36)
    counts = {folder.name: folder.total for folder in folder_tree(access)}
    assert counts["欧洲客户"] > 10
    assert counts["Junk"] >= 8
    assert counts["Sent"] >= 25
    assert counts["Drafts"] == 2
    assert counts["Trash"] >= 1
    flags = set(Entry.objects.filter(mailbox_id=access.mailbox).values_list("flags", flat=True))
    assert any(each & Flag.FLAGGED for each in flags)
    assert any(each & Flag.ANSWERED for each in flags)
    assert any(each & Flag.FORWARDED for each in flags)


def _mails_are_marked() -> None:
    access = system_access(company.accounts()["wangfang"].pk)
    labels = {row.label: row.total for row in keywords(access)}
    assert set(labels) == {"询盘", "质量投诉", "样品", "待付款"} and all(labels.values())
    assert len(todo_page(access).rows) == 3 and len(todo_page(access, done=True).rows) == 2


def _deleted_mail_waits_for_its_owner() -> None:
    page = recoverable_page(system_access(company.accounts()["wangfang"].pk))
    assert len(page.rows) == len(thrown_away.THROWN_AWAY)
    assert len({row.deleted_us // DAY_US for row in page.rows}) > 2
    assert all(row.sort_us < row.deleted_us for row in page.rows)


def _threads_hold_together() -> None:
    mailbox = company.accounts()["wangfang"].pk
    access = system_access(mailbox)
    folder = next(each for each in folder_tree(access) if each.name == "欧洲客户")
    newest = next(row for row in list_page(access, folder.id).rows if "60x60" in row.subject)
    whole = thread(access, newest.entry_id)
    assert len(whole) >= 6
    assert {row.sender_address for row in whole} >= {f"wangfang@{company.DOMAIN}"}
    assert whole == sorted(whole, key=lambda row: row.sort_us)
    assert original(access, newest.entry_id).startswith(b"Date: ")


def test_a_second_run_does_nothing(demo: fill.Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Entry.objects.count()
    monkeypatch.setattr(post, "deliver_all", lambda *_: pytest.fail("delivered again"))
    assert fill.fill() == fill.Filled()
    assert Entry.objects.count() == before


def test_an_interrupted_run_goes_on_without_doubles(
    settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    slices = iter(range(4))
    taken = post._slices

    def broken(items: list[Any]) -> Any:
        for some in taken(items):
            if next(slices, None) is None:
                raise KeyboardInterrupt
            yield some

    monkeypatch.setattr(post, "_slices", broken)
    with pytest.raises(KeyboardInterrupt):
        fill.fill()
    half = Entry.objects.count()
    assert half > 0
    assert "demo" not in steps.BEFORE_STORE
    monkeypatch.undo()
    settings.DATA_DIR = tmp_path
    fill.fill()
    writer.drain()
    mails = list(Entry.objects.exclude(folder_id=0).values_list("mailbox_id", "folder_id", "message_id"))
    assert len(set(mails)) == len(mails)
    assert _doubles() == []
    assert check_store() == []


def _doubles() -> list[Any]:
    """Mails that lie twice in one folder."""
    seen: set[Any] = set()
    doubles = []
    for name, account in company.accounts().items():
        access = system_access(account.pk)
        for folder in folder_tree(access):
            for row in list_page(access, folder.id, limit=200).rows:
                key = (name, folder.name, original(access, row.entry_id)[:600])
                if key in seen:
                    doubles.append((name, folder.name, row.subject))
                seen.add(key)
    return doubles


def test_a_domain_of_that_name_which_is_no_demo_is_left_alone(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    company.create()
    before = set(Entry.objects.values_list("pk", flat=True))
    with pytest.raises(CommandError, match="is no demo"):
        call_command("demo")
    assert set(Entry.objects.values_list("pk", flat=True)) == before


def test_the_command_tells_who_can_sign_in(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.management.commands.demo.fill", lambda: fill.Filled())
    out = io.StringIO()
    call_command("demo", stdout=out)
    told = out.getvalue()
    assert company.PASSWORD in told
    assert all(each.address in told for each in company.COLLEAGUES if each.kind == Account.Kind.PERSON)
    assert "/admin/" in told
    assert "opens the demo" not in told
    settings.LISTEN_HOST = "0.0.0.0"
    call_command("demo", stdout=out)
    assert "opens the demo" in out.getvalue()
