"""Mail programs: how to set them up, codes made with the password, shown once, taken back."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Account, Credential
from accounts.services import client_codes, create_client_code
from accounts.sign_in import sign_in
from tests.factories import PASSWORD
from tests.webmail.mails import browser_of

pytestmark = pytest.mark.django_db
PAGE = "/programs/"
FORM = {"label": "Foxmail at work", "password": PASSWORD}


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser, in English."""
    return browser_of(alice)


def test_the_page_says_what_a_program_wants_to_know(client: Client) -> None:
    page = client.get(PAGE).content.decode()
    for text in ("IMAP", "2993", "POP3", "2995", "SMTP", "2465", "STARTTLS", "until you make the first code"):
        assert text in page
    assert PAGE in client.get("/").content.decode()


def test_a_code_is_shown_once_and_works(client: Client, alice: Account) -> None:
    answer = client.post(PAGE, FORM)
    code = re.search(r'<output id="new-code">([a-z]{16})</output>', answer.content.decode())
    assert code
    assert "no-store" in answer["Cache-Control"]
    came = sign_in(alice.address, code[1], host=None, protocol="imap", remote_address="192.0.2.1")
    again = client.get(PAGE).content.decode()
    assert code[1] not in again
    assert "Foxmail at work" in again
    assert "last used" in again
    assert client.post(f"{PAGE}{came.credential_id}/revoke/", follow=True).status_code == 200
    assert not Credential.objects.filter(kind="client_code").exists()


def test_it_wants_the_password(client: Client) -> None:
    answer = client.post(PAGE, FORM | {"password": "wrong"})
    assert answer.status_code == 422
    assert "This is not your password." in answer.content.decode()
    assert client.post(PAGE, FORM | {"label": " "}).status_code == 422
    assert not Credential.objects.filter(kind="client_code").exists()


def test_a_code_is_not_the_password(client: Client, alice: Account) -> None:
    _, code = create_client_code(alice, "Phone")
    assert client.post(PAGE, FORM | {"password": code}).status_code == 422


def test_at_the_limit_there_is_no_form(client: Client, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("webmail.views.programs", "webmail.forms.programs"):
        monkeypatch.setattr(f"{module}.MAX_CODES", 1)
    create_client_code(alice, "Phone")
    assert "New code" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, FORM).status_code == 422
    assert client_codes.MAX_CODES > 1


def test_anothers_code_does_not_exist(client: Client, bob: Account) -> None:
    credential, _ = create_client_code(bob, "his")
    assert client.post(f"{PAGE}{credential.pk}/revoke/").status_code == 404
    assert client.post(f"{PAGE}{bob.credentials.get(kind='password').pk}/revoke/").status_code == 404
    assert bob.credentials.count() == 2
