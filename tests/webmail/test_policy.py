"""Headers of every place: what may run, be framed, be kept."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from tests.factories import make_account
from tests.webmail.mails import browser_of, deliver, folder_id, with_files
from webmail.middleware.policy import ADMINISTRATION, PAGES

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(alice: Account) -> int:
    return deliver(alice, with_files())


@pytest.fixture
def client(alice: Account) -> Client:
    return browser_of(alice)


PATHS = ["/", "/inbox/", "/compose/", "/search/?q=x", "/folders/new/", "/recovery/", "/sign-in/", "/nothing/"]


@pytest.mark.parametrize("path", PATHS)
def test_pages_run_nothing_inline_and_are_kept_by_nobody(client: Client, path: str) -> None:
    answer = client.get(path, follow=True) if path != "/sign-in/" else Client().get(path)
    assert answer["Content-Security-Policy"] == PAGES
    assert "'unsafe" not in PAGES
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["Referrer-Policy"] == "same-origin"
    html = answer.content.decode()
    assert not re.search(r"<[^>]+\sstyle\s*=", html)
    assert not re.search(r"<[^>]+\son\w+\s*=", html)
    assert "<style" not in html
    for attributes in re.findall(r"<script([^>]*)>", html):
        assert "src=" in attributes or 'type="application/json"' in attributes


def test_a_mail_beside_the_list_has_nothing_inline_either(client: Client, entry: int, alice: Account) -> None:
    html = client.get(reverse("message", args=[folder_id(alice), entry])).content.decode()
    assert not re.search(r"<[^>]+\sstyle\s*=", html)
    assert "<style" not in html


def test_foreign_bytes_are_boxed_in(client: Client, entry: int) -> None:
    for url in (
        reverse("attachment", args=[entry, "2"]),
        reverse("attachment", args=[entry, "3"]) + "?view=1",
        reverse("attachment", args=[entry, "4"]) + "?view=1",
        reverse("attachments", args=[entry]),
        reverse("original", args=[entry]),
        reverse("message_cid", args=[entry]) + "?cid=logo@x",
    ):
        answer = client.get(url)
        assert answer.status_code == 200
        policy = answer["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and "sandbox" in policy and "allow-scripts" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "private" in answer["Cache-Control"]
        assert answer["Content-Type"] not in {"text/html", "image/svg+xml", "text/xml"}


@pytest.mark.parametrize(
    "name",
    [
        'a"b.pdf',
        "a\\b.pdf",
        "a;b=c.pdf",
        "../../etc/passwd",
        "a\tb.pdf",
        "‮fdp.exe",
        "x" * 400 + ".pdf",
        ".htaccess",
        "",
    ],
)
def test_a_hostile_name_can_not_leave_its_header(client: Client, alice: Account, name: str) -> None:
    raw = with_files().replace(b"%E9%87%87%E8%B4%AD.pdf", quote(name).encode())
    answer = client.get(reverse("attachment", args=[deliver(alice, raw), "2"]))
    disposition = answer["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert not re.search(r"[\r\n\0/\\‮]", disposition.replace('\\"', ""))
    assert len(disposition) < 1_000


def test_the_administration_has_a_policy_of_its_own() -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    answer = browser_of(boss).get("/admin/")
    assert answer["Content-Security-Policy"] == ADMINISTRATION
    assert "frame-ancestors 'none'" in ADMINISTRATION
