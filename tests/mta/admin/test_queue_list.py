"""The list of the outgoing queue: its filter knows the states that a delivery in the queue can have."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from unfold.templatetags import unfold_list

from accounts.models import Account
from mta.models import OPEN, Delivery
from mta.selectors.queue import waiting
from mta.services import queue_acts
from tests.administered import waiting_delivery
from tests.factories import make_account

pytestmark = pytest.mark.django_db


def test_it_is_filtered_by_the_words_of_its_column(alice: Account, client: Client) -> None:
    client.force_login(make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN, language="zh-hans"))
    for name in ("held", "late"):
        waiting_delivery(alice, f"{name}@far.example")
    queue_acts.hold([Delivery.objects.get(recipient="held@far.example").pk])
    seen = {}
    for state in (*OPEN, "hold", "nonsense"):
        page = client.get(reverse("admin:mta_delivery_changelist"), {"state": state}).content.decode()
        seen[str(state)] = set(re.findall(r"(\w+)@far\.example", page))
    assert {state: names for state, names in seen.items() if names} == {
        "deferred": {"late"},
        "hold": {"held"},
        "nonsense": {"held", "late"},
    }
    assert "状态" in page and "By " not in page and "以 " not in page


def test_the_heads_of_its_columns_are_made_once(
    alice: Account, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN))
    made = []
    label = unfold_list.label_for_field
    monkeypatch.setattr(
        unfold_list, "label_for_field", lambda name, *args, **kwargs: made.append(name) or label(name, *args, **kwargs)
    )
    for number in range(3):
        waiting_delivery(alice, f"{number}@far.example")
        made.clear()
        page = client.get(reverse("admin:mta_delivery_changelist")).content.decode()
        assert page.count("@far.example") >= number + 1
        assert made.count("recipient") == 1


@pytest.mark.parametrize("long", [1, 10_000])
def test_a_long_queue_shows_the_same_of_a_domain(alice: Account, monkeypatch: pytest.MonkeyPatch, long: int) -> None:
    stranger = make_account("x@other.test")
    for number in range(3):
        waiting_delivery(alice, f"{number}@far.example")
        waiting_delivery(stranger, f"{number}@else.example")
    monkeypatch.setattr("mta.selectors.queue.LONG", long)
    shown = waiting(domain_id=alice.domain_id)
    assert [each.recipient for each in shown] == ["0@far.example", "1@far.example", "2@far.example"]
    assert shown.count() == 3
