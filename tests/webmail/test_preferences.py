"""Language, theme, pane and page size, for accounts and guests."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Account
from tests.webmail.mails import browser_of, deliver_many
from webmail.models import Display

pytestmark = pytest.mark.django_db
DISPLAY, LANGUAGE = "/preferences/display/", "/preferences/language/"


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


def test_a_language_stays_with_the_account(client: Client, alice: Account) -> None:
    assert "Inbox" in client.get("/inbox/", follow=True).content.decode()
    answer = client.post(LANGUAGE, {"language": "zh-hans", "next": "/inbox/"})
    assert answer["Location"] == "/inbox/"
    page = browser_of_again(alice).get("/inbox/", follow=True)
    assert "收件箱" in page.content.decode()
    assert page["Content-Language"] == "zh-hans"


def browser_of_again(account: Account) -> Client:
    """Another browser, which changes nothing."""
    browser = Client()
    browser.force_login(account)
    return browser


def test_a_guests_language_is_his_choice_then_his_browsers(db: None) -> None:
    guest = Client(headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert "Sign in" in guest.get("/sign-in/").content.decode()
    guest.post(LANGUAGE, {"language": "zh-hans"})
    assert "登录" in guest.get("/sign-in/").content.decode()
    assert "登录" in Client().get("/sign-in/").content.decode()


def test_a_theme_is_kept_and_told_to_the_sign_in_page(client: Client, alice: Account) -> None:
    answer = client.post(DISPLAY, {"theme": "dark"}, headers={"Accept": "application/json"})
    assert answer.status_code == 204
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/sign-out/")
    assert 'data-theme="dark"' in client.get("/sign-in/").content.decode()
    assert Display.objects.get(account=alice).theme == "dark"


@pytest.mark.parametrize("pane", Display.Pane.values)
def test_the_pane_is_where_the_reader_wants_it(client: Client, pane: str) -> None:
    client.post(DISPLAY, {"pane": pane})
    assert f"pane-{pane}" in client.get("/").content.decode()


def test_a_page_has_as_many_rows_as_the_reader_wants(client: Client, alice: Account) -> None:
    deliver_many(alice, 25)
    client.post(DISPLAY, {"page_size": "20"})
    assert client.get("/inbox/", follow=True).content.decode().count('class="row ') == 20


@pytest.mark.parametrize(
    ("url", "data"),
    [
        (DISPLAY, {"theme": "pink"}),
        (DISPLAY, {"pane": "x"}),
        (DISPLAY, {"page_size": "7"}),
        (DISPLAY, {"page_size": "-1"}),
        (DISPLAY, {"page_size": "²"}),
        (LANGUAGE, {"language": "xx"}),
        (LANGUAGE, {}),
    ],
)
def test_what_is_not_offered_is_refused(client: Client, alice: Account, url: str, data: dict[str, str]) -> None:
    assert client.post(url, data).status_code == 422
    assert not Display.objects.exists()
    alice.refresh_from_db()
    assert alice.language == "en"


@pytest.mark.parametrize("url", [DISPLAY, LANGUAGE])
@pytest.mark.parametrize("wanted", ["https://evil.test/", "//evil.test", "/\\evil.test"])
def test_nobody_is_sent_elsewhere(client: Client, url: str, wanted: str) -> None:
    answer = client.post(url, {"language": "en", "theme": "light", "next": wanted})
    assert answer["Location"] == "/"
