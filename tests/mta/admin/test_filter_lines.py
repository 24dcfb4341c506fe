"""The form of a filter: lines of choices instead of JSON, folders and labels by name."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from core.access import system_access
from mailstore.selectors.folders import folder_tree
from mailstore.services.folders import create_folder
from mailstore.services.keywords import create_label
from mta.admin import filter_lines
from mta.admin.filter_lines import Names
from mta.models import Filter, FilterRun
from tests.factories import make_account

pytestmark = pytest.mark.django_db

ADD = "admin:mta_filter_add"


@pytest.fixture
def boss(alice: Account, client: Client) -> Client:
    """The browser of the domain's administrator."""
    client.force_login(make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN, language="en"))
    return client


@pytest.fixture
def folders(alice: Account) -> dict[str, int]:
    """Folders in a folder and a label of alice's; ids by name."""
    access = system_access(alice.pk)
    outer = create_folder(access, "Customers")
    create_folder(access, "Offers", parent_id=outer)
    create_label(access, "Urgent")
    return {row.name: row.id for row in folder_tree(access)}


def form(account: Account, *lines: dict[str, str], **fields: str) -> dict[str, str]:
    """What a browser posts; lines with `do` are actions."""
    said = {"account": str(account.pk), "name": "offers", "position": "0", "is_active": "on", "joined": "all", **fields}
    for kind in ("conditions", "actions"):
        mine = [line for line in lines if ("do" in line) is (kind == "actions")]
        for number, line in enumerate([*mine, {}]):
            columns = ("do", "target") if kind == "actions" else ("what", "header", "not", "how", "value")
            said |= {f"{kind}-{number}-{column}": line.get(column, "") for column in columns}
    return said


SUBJECT = {"what": "subject", "how": "contains", "value": "Offer"}
LIST = {"what": "header", "header": "List-Id", "not": "1", "how": "present"}


def test_lines_become_a_filter_and_the_filter_lines(boss: Client, alice: Account, folders: dict[str, int]) -> None:
    lines = (SUBJECT, LIST, {"do": "move", "target": "customers / offers"}, {"do": "label", "target": "urgent"})
    assert boss.post(reverse(ADD), form(alice, *lines, {"do": "star"})).status_code == 302
    row = Filter.objects.get()
    assert row.conditions == [SUBJECT, {"what": "header", "how": "present", "header": "List-Id", "not": True}]
    assert row.actions[0] == {"do": "move", "target": folders["Offers"]}
    assert [each["do"] for each in row.actions] == ["move", "label", "star"]
    page = boss.get(reverse("admin:mta_filter_change", args=[row.pk])).content.decode()
    assert "{&quot;" not in page, "no JSON is left"
    assert re.search(r">\s*Conditions\s*<", page)
    assert re.search(r'name="conditions-0-value"[^>]*value="Offer"|value="Offer"[^>]*name="conditions-0-value"', page)
    assert 'value="Customers/Offers"' in page
    assert '<option value="Urgent"></option>' in page
    assert 'name="actions-4-do"' in page
    assert 'name="actions-5-do"' not in page


def test_what_was_not_touched_is_no_change(boss: Client, alice: Account, folders: dict[str, int]) -> None:
    lines = (SUBJECT, LIST, {"do": "move", "target": "Customers/Offers"})
    boss.post(reverse(ADD), form(alice, *lines))
    row = Filter.objects.get()
    url = reverse("admin:mta_filter_change", args=[row.pk])
    page = boss.get(url)
    assert boss.post(url, form(alice, *lines, name="renamed")).status_code == 302
    changed = Filter.objects.get()
    assert (changed.name, changed.conditions, changed.actions) == ("renamed", row.conditions, row.actions)
    assert page.context["adminform"].form.fields["actions"].has_changed(
        page.context["adminform"].form.initial["actions"], [{"do": "move", "target": "Customers/Offers"}]
    ) is False  # fmt: skip
    assert boss.post(url, form(alice, SUBJECT, {"do": "read"})).status_code == 302
    assert Filter.objects.get().actions == [{"do": "read"}]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([SUBJECT, {"do": "move", "target": "Nowhere"}], "Line 1: the action needs a folder"),
        ([SUBJECT, {"do": "label", "target": "5"}], "Line 1: the action needs a folder"),
        ([SUBJECT, {"do": "", "target": "Customers"}], "Line 1: unknown action"),
        ([SUBJECT], "At least one line is needed"),
        ([{"do": "star"}], "At least one line is needed"),
        ([SUBJECT, {**SUBJECT, "how": "over"}, {"do": "star"}], "Line 2: this can&#x27;t be compared in this way"),
        ([{"value": "x"}, {"do": "star"}], "Line 1: unknown kind of condition"),
    ],
)
def test_a_refusal_names_the_line_and_what_was_typed_stays(
    boss: Client, alice: Account, folders: dict[str, int], lines: list[dict[str, str]], said: str
) -> None:
    answer = boss.post(reverse(ADD), form(alice, *lines, name="typed"))
    page = answer.content.decode()
    assert (answer.status_code, said in page) == (200, True), re.findall(r"Line \d[^<]*", page)
    assert 'value="typed"' in page
    for line in lines:
        assert not line.get("target") or f'value="{line["target"]}"' in page
    assert not Filter.objects.exists()


def test_folders_are_those_of_the_account_alone(boss: Client, alice: Account, bob: Account, folders: Any) -> None:
    answer = boss.post(reverse(ADD), form(bob, SUBJECT, {"do": "move", "target": "Customers/Offers"}))
    assert answer.status_code == 200
    assert boss.post(reverse(ADD), form(bob, SUBJECT, {"do": "move", "target": "收件箱"})).status_code == 302
    inbox = next(row.id for row in folder_tree(system_access(bob.pk)) if row.role == "inbox")
    assert Filter.objects.get().actions == [{"do": "move", "target": inbox}]


def test_folders_that_look_alike_are_told_apart(boss: Client, alice: Account, folders: dict[str, int]) -> None:
    access = system_access(alice.pk)
    lower = create_folder(access, "offers", parent_id=folders["Customers"])
    Account.objects.filter(address="boss@example.test").update(language="zh-hans")
    sent = create_folder(access, "已发送")  # beside the one with a role, whose name is that to this reader
    lines = [{"do": "move", "target": "Customers/offers"}, {"do": "move", "target": "已发送"}]
    assert boss.post(reverse(ADD), form(alice, SUBJECT, *lines)).status_code == 302
    row = Filter.objects.get()
    assert [each["target"] for each in row.actions] == [lower, sent]
    url = reverse("admin:mta_filter_change", args=[row.pk])
    assert boss.post(url, form(alice, SUBJECT, *lines, {"do": "star"})).status_code == 302
    assert Filter.objects.get().actions == [*row.actions, {"do": "star"}]


def test_a_line_that_nobody_touched_means_what_it_meant(
    boss: Client, alice: Account, folders: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    access = system_access(alice.pk)
    twin = create_folder(access, "Twin")
    other = create_folder(access, "Other")
    row = Filter.objects.create(account=alice, name="n", conditions=[SUBJECT], actions=[{"do": "move", "target": twin}])
    real = folder_tree

    def alike(given: Any) -> list[Any]:
        return [dataclasses.replace(each, name="Twin") if each.id in {twin, other} else each for each in real(given)]

    monkeypatch.setattr(filter_lines, "folder_tree", alike)
    assert Names(alice).read({"do": "move", "target": "Twin"})["target"] == min(twin, other)
    Filter.objects.update(actions=[{"do": "move", "target": max(twin, other)}])
    lines = ({"do": "move", "target": "Twin"}, {"do": "star"})
    assert boss.post(reverse("admin:mta_filter_change", args=[row.pk]), form(alice, SUBJECT, *lines)).status_code == 302
    assert Filter.objects.get().actions == [{"do": "move", "target": max(twin, other)}, {"do": "star"}]


def test_a_run_is_started_and_shown_by_names(boss: Client, alice: Account, folders: dict[str, int]) -> None:
    boss.post(reverse(ADD), form(alice, SUBJECT, {"do": "star"}))
    run = reverse("admin:mta_filterrun_add")
    said = {"account": str(alice.pk), "folder": "Customers/Offers", "filters": "Offers\r\n"}
    for wrong in ({"folder": "Nowhere"}, {"filters": "another"}, {"folder": str(folders["Offers"])}):
        assert boss.post(run, said | wrong).status_code == 200
    assert not FilterRun.objects.exists()
    assert boss.post(run, said).status_code == 302
    row = FilterRun.objects.get()
    assert (row.folder_id, row.filters) == (folders["Offers"], [Filter.objects.get().pk])
    page = boss.get(reverse("admin:mta_filterrun_change", args=[row.pk])).content.decode()
    assert "Customers/Offers" in page
    assert "offers" in page
    FilterRun.objects.update(tries=1, error="over_quota", claimed_until_us=time.time_ns() // 1000 + 120_000_000)
    for url in (reverse("admin:mta_filterrun_change", args=[row.pk]), reverse("admin:mta_filterrun_changelist")):
        assert "The mailbox is full. It is tried again at" in boss.get(url).content.decode()
