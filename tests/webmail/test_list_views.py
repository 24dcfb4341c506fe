"""Lists in other orders and through filters: what the address asks for, what is remembered, where the pager leads."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from core.times import moment
from mailstore.models import Entry, EntryOrder, Flag, Role
from mailstore.selectors.lists import By, Filter, Key, Sort
from mailstore.services import entries, orders
from mailstore.services.keywords import create_label, set_keywords
from mailstore.services.todos import finish_todo, mark_todo
from tests.webmail.mails import deliver, deliver_many, folder_id, mail, with_files
from tests.webmail.test_folder import LIST, MAX_QUERIES, client, get, inbox, link, numbers, queries
from webmail.asked import Asked, name_of, sort_of
from webmail.display import MAX_SORTS, change_display, remember_sort
from webmail.models import Display

__all__ = ["client", "inbox"]

pytestmark = pytest.mark.django_db


def senders(html: str) -> list[str]:
    return re.findall(r'row-who">(?:<span[^>]*>[^<]*</span>)?<b>([^<]*)</b>', html)


@pytest.mark.parametrize("kept_from", [0, 2_000])
def test_an_order_is_asked_for_in_the_address_and_kept_by_the_pager(
    client: Client, alice: Account, inbox: str, kept_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "KEPT_FROM", kept_from)
    monkeypatch.setattr(orders, "_noted", {})
    for number in range(45):
        name = f"Person {number % 3}"
        deliver(alice, mail(Subject=f"Number {number}", From=f"{name} <p@x.test>", Message_ID=f"<s{number}@x.test>"))
    url, found = f"{inbox}?sort=-sender", []
    while url:
        html = get(client, url)
        found += senders(html)
        url = link(html, "next")
        assert not url or "sort=-sender" in url
        orders.fill_orders()  # from the second page on out of the order that the first one began
    assert found == [f"Person {number}" for number in (2, 1, 0) for _ in range(15)]
    assert EntryOrder.objects.count() == (45 if kept_from == 0 else 0)
    assert "3/3" in html and 'class="day"' not in html
    assert senders(get(client, f"{inbox}?sort=-sender&page=3")) == found[40:]
    assert senders(get(client, link(html, "prev"))) == found[20:40]


def test_the_order_of_a_folder_is_remembered_with_the_account(client: Client, alice: Account, inbox: str) -> None:
    deliver(alice, mail(Subject="Number 1", From="Zoe <z@x.test>", Message_ID="<1@x.test>"))
    deliver(alice, mail(Subject="Number 2", From="Adam <a@x.test>", Message_ID="<2@x.test>"))
    deliver(alice, mail(Subject="Number 3", From="Mary <m@x.test>", Message_ID="<3@x.test>"))
    form = {"sort": "sender", "folder": folder_id(alice), "next": inbox}
    answer = client.post(reverse("switch_display"), form)
    assert answer["Location"] == f"{inbox}?sort=sender"
    assert numbers(get(client, inbox)) == numbers(get(client, f"{inbox}?sort=sender")) == [2, 3, 1]
    assert numbers(get(client, f"{inbox}?sort=date")) == [3, 2, 1]
    client.post(reverse("switch_display"), form | {"sort": "date"})
    assert numbers(get(client, inbox)) == [3, 2, 1]
    assert Display.objects.get(pk=alice.pk).sorts == {}


@pytest.mark.parametrize(("sort", "status"), [("colour", 422), ("", 422), ("size", 302)])
def test_only_orders_that_exist_are_remembered(client: Client, alice: Account, sort: str, status: int) -> None:
    data = {"sort": sort, "folder": folder_id(alice)}
    assert client.post(reverse("switch_display"), data).status_code == status


def test_the_order_of_a_strangers_folder_is_not_remembered(client: Client, alice: Account, bob: Account) -> None:
    answer = client.post(reverse("switch_display"), {"sort": "size", "folder": folder_id(bob)})
    assert answer.status_code == 404
    assert not Display.objects.filter(sorts__has_key=str(folder_id(bob))).exists()


def test_as_many_orders_are_remembered_as_fit(alice: Account) -> None:
    for number in range(MAX_SORTS + 3):
        remember_sort(alice, number, "size")
    assert list(Display.objects.get(pk=alice.pk).sorts) == [str(number) for number in range(3, MAX_SORTS + 3)]


def test_filters_combine_and_each_can_be_dropped(client: Client, alice: Account, inbox: str) -> None:
    found = deliver_many(alice, 6)
    access = access_for(alice, alice.pk)
    label = create_label(access, "Offers").id
    set_keywords(access, found[:4], add=[label])
    entries.set_flags(access, found[1:3], add=Flag.FLAGGED)
    entries.set_flags(access, found[2:3], add=Flag.SEEN)
    assert numbers(get(client, f"{inbox}?label={label}")) == [4, 3, 2, 1]
    assert numbers(get(client, f"{inbox}?show=starred&label={label}")) == [3, 2]
    assert numbers(get(client, f"{inbox}?show=starred&show=read")) == [3]
    assert numbers(get(client, f"{inbox}?show=read")) == [3]
    html = get(client, f"{inbox}?show=starred&show=unread&label={label}&sort=subject")
    assert numbers(html) == [2]
    chips = dict(re.findall(r'filter-chip" href="([^"]+)"[^>]*>([^<]+)<', html))
    dropped = {name: parse_qs(urlsplit(url.replace("&amp;", "&")).query) for url, name in chips.items()}
    assert dropped == {
        "Unread": {"show": ["starred"], "label": [str(label)], "sort": ["subject"]},
        "Starred": {"show": ["unread"], "label": [str(label)], "sort": ["subject"]},
        "Offers": {"show": ["unread", "starred"], "sort": ["subject"]},
    }


def test_mails_of_one_sender_and_of_some_days(client: Client, alice: Account, inbox: str) -> None:
    deliver_many(alice, 2)
    deliver(alice, mail(Subject="Number 7", From="Bob <bob@b.test>", Message_ID="<b@b.test>"))
    today = timezone.localdate(moment(Entry.objects.latest("pk").sort_us), zoneinfo.ZoneInfo(alice.time_zone))
    assert numbers(get(client, f"{inbox}?from=BOB@b.test")) == [7]
    assert numbers(get(client, f"{inbox}?since={today}&until={today}")) == [7, 2, 1]
    assert numbers(get(client, f"{inbox}?until={today - datetime.timedelta(days=1)}")) == []
    assert numbers(get(client, f"{inbox}?since={today + datetime.timedelta(days=1)}")) == []


def test_a_search_that_looked_at_a_part_goes_on_where_it_ended(
    client: Client, alice: Account, inbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = deliver_many(alice, 30)
    access = access_for(alice, alice.pk)
    entries.set_flags(access, [found[0], found[20]], add=Flag.FLAGGED)
    entries.set_flags(access, [found[20]], add=Flag.SEEN)
    monkeypatch.setattr("mailstore.selectors.list_walk.SCAN_ROWS", 10)
    url, seen, calls = f"{inbox}?show=read&show=attachment", [], 0
    html = get(client, url)
    assert "Nothing matches" in html  # nothing has an attachment: its index knows at once
    url = f"{inbox}?show=read"
    while url:
        html, calls = get(client, url), calls + 1
        seen += numbers(html)
        url = link(html, "next")
        assert not url or "Keep looking" in html
    assert (seen, calls) == ([21], 4)  # the last one learns that there is nothing more


def test_a_day_is_jumped_to(client: Client, alice: Account, inbox: str) -> None:
    found = deliver_many(alice, 65)
    day = datetime.datetime(2024, 5, 6, 12, tzinfo=timezone.get_default_timezone())
    for number, entry in enumerate(found):  # one a day, the first on the sixth of May
        at_us = int((day + datetime.timedelta(days=number)).timestamp() * 1_000_000)
        Entry.objects.filter(pk=entry).update(sort_us=at_us)
    html = get(client, f"{inbox}?date=2024-06-05")
    assert numbers(html)[:2] == [31, 30] and "2/4" in html
    assert numbers(get(client, link(html, "next")))[0] == 11
    assert numbers(get(client, link(html, "prev")))[0] == 65
    assert numbers(get(client, f"{inbox}?date=2024-06-05&sort=-date"))[:2] == [31, 32]
    assert numbers(get(client, f"{inbox}?date=2031-01-01"))[0] == 65
    early = get(client, f"{inbox}?date=2001-01-01")
    assert numbers(early) == [] and "4/4" in early


def test_what_is_unread_in_a_label_is_counted_and_shown(client: Client, alice: Account) -> None:
    found = deliver_many(alice, 3)
    access = access_for(alice, alice.pk)
    label = create_label(access, "Offers <b>", colour="#16a34a").id
    set_keywords(access, found[:2], add=[label])
    entries.move(access, found[:1], folder_id=folder_id(alice, Role.SENT))
    entries.delete(access, found[1:2])
    url = reverse("label", args=[alice.pk, label])
    html = get(client, url)
    assert numbers(html) == [1]
    assert "Offers &lt;b&gt;" in html and "Offers <b>" not in html and "label-green" in html
    assert numbers(get(client, f"{url}?show=unread", **LIST)) == [1]
    assert numbers(get(client, f"{url}?show=starred")) == []


def test_a_to_do_mail_is_in_its_own_list_alone(client: Client, alice: Account, inbox: str) -> None:
    found = deliver_many(alice, 4)
    access = access_for(alice, alice.pk)
    mark_todo(access, found[1:3])
    finish_todo(access, found[2:3])
    html = get(client, inbox)
    assert numbers(html) == [4, 1]
    assert "2 unread · 2 in all" in html
    assert re.search(r'data-role="inbox".*?node-count">2<', html, re.S)
    assert re.search(r'data-tree-list="todo".*?node-count">1<', html, re.S)
    assert numbers(get(client, reverse("todo", args=[alice.pk]))) == [2]
    assert numbers(get(client, reverse("todo_done", args=[alice.pk]))) == [3]
    assert numbers(get(client, f"{inbox}?show=todo")) == [2]
    assert "There are 2 unread mails." in get(client, reverse("home"))
    assert numbers(get(client, reverse("home"))) == [4, 1]


def test_pages_are_counted_without_to_do_mails(client: Client, alice: Account, inbox: str) -> None:
    found = deliver_many(alice, 45)
    mark_todo(access_for(alice, alice.pk), found[:6])
    html = get(client, f"{inbox}?page=2")
    assert "2/2" in html and numbers(html) == list(range(25, 6, -1))
    assert link(html, "next") == ""


@pytest.mark.parametrize("conversations", [False, True])
@pytest.mark.parametrize("marked", [False, True])
def test_every_list_costs_few_queries(
    client: Client, alice: Account, inbox: str, conversations: bool, marked: bool
) -> None:
    found = deliver_many(alice, 45)
    access = access_for(alice, alice.pk)
    label = create_label(access, "Offers").id
    set_keywords(access, found, add=[label])
    if marked:
        mark_todo(access, found[:5])
    change_display(alice, conversations=conversations)
    for url in (
        inbox,
        f"{inbox}?page=2",
        f"{inbox}?show=unread",
        f"{inbox}?sort=sender",
        f"{inbox}?show=unread&show=starred&label={label}",
        f"{inbox}?date=2026-01-01",
        reverse("todo", args=[alice.pk]),
        reverse("label", args=[alice.pk, label]),
    ):
        get(client, url)
        assert queries(client, url) <= MAX_QUERIES, url


def test_an_address_says_what_it_asks_for() -> None:
    asked = Asked.of(QueryDict("show=starred,unread&show=x&label=7&from= A@b.test&since=2026-02-01&sort=-size&page=4"))
    assert asked.show == ("unread", "starred")
    assert asked.sort == Sort(By.SIZE, reverse=True)
    assert asked.link("/x/", page=2) == (
        "/x/?show=unread&show=starred&label=7&from=A%40b.test&since=2026-02-01&sort=-size&page=2"
    )
    assert asked.filter.label == 7 and asked.filter.sender == "A@b.test" and asked.filter.until_us is None
    assert Asked.of(QueryDict("")).filter == Filter() and not Asked.of(QueryDict("")).is_filtered


@pytest.mark.parametrize(
    "query",
    ["show=x", "label=x", "label=²", "label=99999999999999999999", "since=x", "until=0001-01-01", "date=9999-12-31", "sort=x"],
)  # fmt: skip
def test_nonsense_is_not_asked(query: str) -> None:
    assert Asked.of(QueryDict(query)).pairs() == [] and not Asked.of(QueryDict(query)).is_filtered


def test_a_key_of_another_order_is_the_first_page() -> None:
    asked = Asked.of(QueryDict(f"after={Key(5, 6)}&before={Key('a', 6)}"))
    assert asked.key("after", Sort()) == Key(5, 6) and asked.key("after", Sort(By.SENDER)) is None
    assert asked.key("before", Sort()) is None and asked.key("before", Sort(By.SENDER)) == Key("a", 6)


def test_names_of_orders_lead_both_ways() -> None:
    for by in By:
        for reverse_ in (False, True):
            assert sort_of(name_of(Sort(by, reverse_))) == Sort(by, reverse_)


def test_a_days_borders_are_those_of_the_readers_zone() -> None:
    with timezone.override("Asia/Shanghai"):
        asked = Asked.of(QueryDict("since=2026-03-01&until=2026-03-01"))
        wanted: Any = asked.filter
    midnight = datetime.datetime(2026, 2, 28, 16, tzinfo=datetime.UTC).timestamp() * 1_000_000
    assert (wanted.since_us, wanted.until_us) == (midnight, midnight + 86_400_000_000)


def test_attachments_are_filtered_with_stars(client: Client, alice: Account, inbox: str) -> None:
    entry = deliver(alice, with_files())
    entries.set_flags(access_for(alice, alice.pk), [entry], add=Flag.FLAGGED)
    deliver_many(alice, 2)
    assert f'data-id="{entry}"' in get(client, f"{inbox}?show=starred&show=attachment")
