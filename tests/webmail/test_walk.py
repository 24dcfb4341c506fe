"""Every address of the origin, asked as everybody who has no business there. A new address makes this fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.services import grant_mailbox
from core import net
from core.net import Fetched
from tests.administered import administered_rows
from tests.factories import make_account
from tests.webmail.mails import PNG, browser_of
from tests.webmail.walk import (
    CLOSED,
    OWN,
    POSTED,
    PUBLIC,
    SECRET,
    SIGNED,
    WAYS,
    Ask,
    Things,
    admin_lists,
    admin_names,
    admin_rows,
    changed,
    names,
    page_of,
    requests_for,
    snapshot,
    things_of,
)

pytestmark = pytest.mark.django_db

ASKED = re.compile(rf'value="{SECRET}"|“{SECRET}”|{SECRET} ·|q={SECRET}')
"""Where a page repeats what was searched for."""


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The world outside has one picture."""
    monkeypatch.setattr(net, "fetch", lambda url, **limits: Fetched("image/png", PNG))


@pytest.fixture
def hers(alice: Account) -> Things:
    return things_of(alice)


@pytest.fixture
def boss(db: None) -> Account:
    """Another domain's administrator."""
    return make_account("boss@elsewhere.test", role=Account.Role.DOMAIN_ADMIN)


def test_the_walk_knows_every_address(alice: Account, hers: Things) -> None:
    known = set(requests_for(hers, hers)) | set(OWN) | set(POSTED) | PUBLIC | SIGNED | admin_names()
    assert set(names()) == known


@pytest.mark.parametrize("who", ["bob", "boss"])
def test_a_strangers_things_are_not_there_and_do_not_change(who: str, hers: Things, request: Any) -> None:
    account = request.getfixturevalue(who)
    own = things_of(account, "private")
    browser = browser_of(account)
    before = snapshot()
    for name, asks in requests_for(hers, own).items():
        for ask in asks:
            for way, headers in WAYS.items():
                answer = ask.by(browser, **headers)
                assert answer.status_code in ask.stranger, (name, way, ask)
                assert SECRET not in answer.content.decode(), (name, way, ask)
            assert_closed_to(browser, ask)
    assert changed(before, snapshot()) == {}


def assert_closed_to(browser: Client, ask: Ask) -> None:
    """The other method finds nothing either."""
    other = browser.post(ask.url) if ask.data is None else browser.get(ask.url)
    assert other.status_code in {404, 405, 422} or SECRET not in other.content.decode(), ask


@pytest.mark.parametrize("who", ["bob", "boss"])
def test_pages_of_ones_own_hold_nothing_of_a_strangers(who: str, hers: Things, request: Any) -> None:
    browser = browser_of(request.getfixturevalue(who))
    for name, query in OWN.items():
        for headers in WAYS.values():
            answer = browser.get(reverse(name) + query, headers=headers, follow=True)
            assert answer.status_code == 200, name
            shown = answer.content.decode()
            assert "采购清单" not in shown, name
            assert SECRET not in ASKED.sub("", shown), name
    for name, data in POSTED.items():
        assert browser.post(reverse(name), data).status_code in {200, 302}


def test_a_reader_reads_everything_and_changes_nothing(hers: Things, alice: Account, bob: Account) -> None:
    grant_mailbox(alice, bob, "reader")
    own = things_of(bob, "private")
    browser = browser_of(bob)
    before = snapshot(alice.pk)
    for name, asks in requests_for(hers, own).items():
        for ask in asks:
            for way, headers in WAYS.items():
                if ask.data is not None and way != "json" and ask.reader & {200, 302}:
                    continue  # once is enough for what makes an own draft
                answer = ask.by(browser, **headers)
                assert answer.status_code in ask.reader, (name, way, ask, answer.status_code)
    assert changed(before, snapshot(alice.pk)) == {}


def test_nobody_gets_anywhere_without_signing_in(hers: Things) -> None:
    nobody = Client()
    before = snapshot()
    urls = [(ask.url, ask.data) for asks in requests_for(hers, hers).values() for ask in asks]
    urls += [(reverse(name), None) for name in OWN] + [(reverse("compose_recipients"), {"text": "x"})]
    for url, data in urls:
        for headers in WAYS.values():
            answer = nobody.get(url, headers=headers) if data is None else nobody.post(url, data, headers=headers)
            assert answer.status_code == 302, url
            assert answer["Location"].startswith("/sign-in/"), url
    assert changed(before, snapshot()) == {}


def test_what_is_public_shows_nothing_of_anybody(hers: Things) -> None:
    nobody = Client()
    for name in PUBLIC:
        url = reverse(name, args=["token"] if name == "acme_challenge" else [])
        for answer in (nobody.get(url), nobody.post(url, {"language": "en", "theme": "dark"})):
            assert answer.status_code in {200, 302, 404, 405, 422}
            assert SECRET not in answer.content.decode()


@pytest.fixture
def administered(alice: Account) -> dict[Any, Any]:
    """One row of everything that is administered, in Alice's domain."""
    found = administered_rows(alice.domain, alice, SECRET)
    assert set(found) == set(admin.site._registry)
    return found


def attempts(rows: dict[Any, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    """GET and POST of every row; every action on it; every form that is given it."""
    found: list[tuple[str, dict[str, Any] | None]] = []
    for url in admin_rows(rows):
        found += [(url, None), (url, {"post": "yes", "name": "x", "password1": "quite new 77", "password2": "quite new 77"})]  # fmt: skip
    for model, row in rows.items():
        url = reverse(page_of(model, "changelist"))
        for action in (*admin.site._registry[model].actions, "delete_selected"):
            name = action if isinstance(action, str) else action.__name__
            found.append((url, {"action": name, ACTION_CHECKBOX_NAME: [row.pk], "post": "yes"}))
        every = {
            field.name: rows[field.related_model].pk for field in model._meta.fields if field.related_model in rows
        }
        data = {"local_part": "x", "name": "x", "address": "x", "level": "reader", "kind": "list", "posting": "anyone"}
        found.append((reverse(page_of(model, "add")), {**data, **every}))
    return found


def test_another_domains_administrator_finds_and_changes_nothing(boss: Account, administered: dict[Any, Any]) -> None:
    browser = browser_of(boss)
    before = snapshot()
    for url, data in attempts(administered):
        answer = browser.get(url) if data is None else browser.post(url, data)
        assert answer.status_code in {200, 302, 403, 404}, url
        assert SECRET not in answer.content.decode(), url
    for url in admin_rows(administered):
        assert browser.get(url).status_code in {403, 404}, url
        assert browser.post(url, {"post": "yes"}).status_code in {403, 404}, url
    for url in admin_lists():
        answer = browser.get(url)
        assert answer.status_code in {200, 403}, url
        assert SECRET not in answer.content.decode().replace(f'value="{SECRET[:5]}"', ""), url
        assert "alice@example.test" not in answer.content.decode(), url
    assert changed(before, snapshot()) == {}


def test_filters_by_another_domains_rows_find_nothing(boss: Account, administered: dict[Any, Any]) -> None:
    browser = browser_of(boss)
    for model, pages in admin.site._registry.items():
        for each in pages.list_filter:
            field = each[0] if isinstance(each, tuple) else each
            if not isinstance(field, str):
                continue  # chooses by words of its own, not by rows
            related = getattr(model._meta.get_field(field), "related_model", None)
            if related in administered:
                url = f"{reverse(page_of(model, 'changelist'))}?{field}__id__exact={administered[related].pk}"
                answer = browser.get(url, follow=True)
                assert SECRET not in answer.content.decode(), url


def test_a_plain_user_is_refused_on_every_page_of_the_administration(
    bob: Account, administered: dict[Any, Any]
) -> None:
    browser = browser_of(bob)
    before = snapshot()
    for url, data in [*attempts(administered), *((url, None) for url in admin_lists())]:
        answer = browser.get(url, follow=True) if data is None else browser.post(url, data, follow=True)
        assert answer.status_code == 403, url
        assert SECRET not in answer.content.decode(), url
    assert changed(before, snapshot()) == {}


def test_the_administration_asks_strangers_to_sign_in(administered: dict[Any, Any]) -> None:
    nobody = Client()
    before = snapshot()
    for url, data in [*attempts(administered), *((url, None) for url in admin_lists())]:
        answer = nobody.get(url, follow=True) if data is None else nobody.post(url, data, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/sign-in/"), url
        assert SECRET not in answer.content.decode()
    assert changed(before, snapshot()) == {}


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_addresses_that_answer_nobody(name: str, boss: Account, administered: dict[Any, Any]) -> None:
    arguments = [1, administered[Account].pk] if name == "view_on_site" else []
    assert browser_of(boss).get(reverse(f"admin:{name}", args=arguments)).status_code == 404


def test_an_id_in_the_administrations_old_form_leads_nowhere(boss: Account, administered: dict[Any, Any]) -> None:
    browser: Callable[..., Any] = browser_of(boss).get
    for model, row in administered.items():
        assert browser(f"{reverse(page_of(model, 'changelist'))}{row.pk}/", follow=True).status_code == 404
