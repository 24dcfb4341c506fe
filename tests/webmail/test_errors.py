"""What goes wrong says so: as a page, as a part, as JSON; with the page's policies; without the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import Account
from core.errors import ErrorKind, MailError
from tests.webmail.mails import browser_of
from webmail.middleware.errors import STATUS
from webmail.middleware.policy import PAGES
from webmail.views.errors import SENTENCES

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    browser = browser_of(alice)
    browser.raise_request_exception = False
    return browser


def test_every_kind_of_error_has_a_status_and_a_sentence() -> None:
    assert set(STATUS) == set(SENTENCES) == set(ErrorKind)
    assert all(400 <= status < 600 for status in STATUS.values())


@pytest.mark.parametrize("path", ["/no/such/page", "/mail/1/", "/compose/5/"])
def test_a_missing_page_is_a_page_of_ours_with_its_policy(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "To the mailbox" in answer.content.decode()
    assert "Content-Security-Policy" in answer.headers
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_an_error_comes_in_the_form_that_was_asked_for(client: Client) -> None:
    page = client.get("/mail/1/")
    part = client.get("/mail/1/", headers={"HX-Request": "true"})
    data = client.get("/mail/1/", headers={"Accept": "application/json"})
    assert page.status_code == part.status_code == data.status_code == 404
    assert "<html" in page.content.decode() and "<html" not in part.content.decode()
    assert 'role="alert"' in part.content.decode()
    assert data.json() == {"error": "This is not here (any more)."}


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_what_a_service_refuses_becomes_its_status(
    client: Client, kind: ErrorKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **more: object) -> None:
        raise MailError(kind)

    monkeypatch.setattr("webmail.views.home.folder_by_role", refuse)
    answer = client.get("/", headers={"Accept": "application/json"})
    assert answer.status_code == STATUS[kind]
    with translation.override("en"):
        assert answer.json()["error"] == str(SENTENCES[kind])


def test_a_fault_of_ours_shows_no_stack_and_asks_no_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **more: object) -> None:
        raise DatabaseError("secret table is gone")

    monkeypatch.setattr("webmail.views.home.folder_by_role", fail)
    answer = client.get("/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "secret table" not in text and "Traceback" not in text
    assert "Something went wrong on the server" in text
    assert answer["Content-Security-Policy"] == PAGES


@pytest.mark.parametrize(
    "host", ["evil.test", "example.test.evil.test", "evil.test:80", "x" * 300, "ex ample.test", "admin.example.test"]
)
def test_a_host_that_is_not_ours_is_refused(client: Client, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert host not in answer.content.decode()


@pytest.mark.parametrize(
    "host",
    [
        "example.test",
        "webmail.example.test",
        "WEBMAIL.EXAMPLE.TEST:8000",
        "mail.example.test",
        "localhost:8000",
        "127.0.0.1",
    ],
)
def test_hosts_of_ours_are_answered(alice: Account, host: str) -> None:
    assert Client().get("/sign-in/", headers={"Host": host}).status_code == 200


def test_a_form_from_an_old_page_is_explained(alice: Account) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    alice.language = "en"
    alice.save(update_fields=["language"])
    for headers in ({}, {"Accept": "application/json"}):
        answer: Any = browser.post(reverse("act"), {"act": "read"}, headers=headers)
        assert answer.status_code == 403
        assert "send the form once more" in answer.content.decode()


def test_the_wrong_method_changes_nothing(client: Client) -> None:
    for url, method in ((reverse("act"), "get"), ("/", "post"), ("/inbox/", "delete"), ("/search/", "put")):
        assert getattr(client, method)(url).status_code == 405
