"""A NUL never reaches a query."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Account


@pytest.fixture
def browser(client: Client, alice: Account) -> Client:
    client.force_login(alice)
    return client


@pytest.mark.parametrize("path", ["/search/?q=a%00b", "/?%00=1", "/message/%00/"])
def test_a_nul_in_the_address_is_a_bad_request(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 400


def test_a_nul_in_a_cookie_is_a_bad_request(browser: Client) -> None:
    answer = browser.get("/", headers={"cookie": r'sessionid="aaaaaaaaaaaa\000"'})
    assert answer.status_code == 400
