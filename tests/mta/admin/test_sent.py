"""The administration's list of sent mail: short however many recipients there are, and each mail once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from mta.models import Delivery
from mta.selectors.deliveries import outlines
from mta.services import SubmitRequest, submit
from tests.factories import make_account
from tests.mta.test_submit import RAW

pytestmark = pytest.mark.django_db
PAGE = "admin:mta_submission_changelist"


@pytest.fixture
def boss(client: Client, alice: Account) -> Client:
    account = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN, language="en")
    client.force_login(account)
    return client


def send(author: Account, *recipients: str) -> int:
    return submit(access_for(author, author.pk), SubmitRequest(author.address, recipients, RAW))


def test_each_mail_stands_with_its_first_recipient_and_the_states_of_all(boss: Client, alice: Account) -> None:
    many = send(alice, *(f"x{number:04}@far.example" for number in range(400)))
    Delivery.objects.filter(submission=many, recipient__endswith="00@far.example").update(state="bounced")
    send(alice, "boss@example.test")
    page = boss.get(reverse(PAGE)).content.decode()
    assert "x0000@far.example and 399 more" in page
    assert "Queued 396" in page
    assert "Bounced 4" in page
    assert "x0001@far.example" not in page
    assert ">Delivered to mailbox<" in page
    found = outlines([many])[many]
    assert (found.first, found.total, found.counts) == ("x0000@far.example", 400, {"bounced": 4, "queued": 396})


def test_more_mails_and_more_recipients_ask_no_more(boss: Client, alice: Account) -> None:
    def asked() -> list[dict[str, Any]]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert boss.get(reverse(PAGE)).status_code == 200
        return list(queries.captured_queries)

    send(alice, "x@far.example")
    asked()
    few = asked()
    for number in range(5):
        send(alice, *(f"x{number}-{each}@far.example" for each in range(20)))
    many = asked()
    assert len(many) == len(few)
    assert sum("mta_delivery" in each["sql"] for each in many) == 2
    assert not any("DISTINCT" in each["sql"] for each in many)


def test_a_mail_that_is_found_by_several_recipients_stands_once(boss: Client, alice: Account) -> None:
    send(alice, "x1@far.example", "x2@far.example", "x3@far.example")
    send(alice, "boss@example.test")
    answer = boss.get(reverse(PAGE), {"q": "far.example"})
    assert [row.outline.total for row in answer.context["cl"].result_list] == [3]
