"""axe finds nothing on any page: both languages, light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Person, World
from tests.browser.letters import with_file

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL = {"runOnly": {"type": "tag", "values": STANDARDS}, "resultTypes": ["violations"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
"""What a theme can change."""

axe = Axe()


def faults(page: Page, options: dict[str, object]) -> list[str]:
    """What axe has to say, with where it is."""
    found = axe.run(page, options=options).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def check(page: Page, where: str) -> None:
    """In the light everything, in the dark the contrast."""
    wrong = {}
    for scheme, options in (("light", ALL), ("dark", CONTRAST)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        wrong[where, scheme] = faults(page, options)
    assert not any(wrong.values()), wrong


def prepared(world: World, language: str) -> Person:
    """Somebody with mail, in a language."""
    person = world.person()
    person.receive("Unread one", "Open me", html="<p>Hello <b>there</b></p>")
    world.server.deliver(person.address, with_file(person.address))
    person.open()
    if language == "zh-hans":
        person.page.locator(".me > summary").click()
        person.page.get_by_role("button", name="中文").click()
        expect(person.page.locator("html")).to_have_attribute("lang", "zh-hans")
    return person


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_mail_pages_have_no_barriers(world: World, language: str) -> None:
    world.allow(404)
    person = prepared(world, language)
    page = person.page
    for path in (
        "/",
        "/inbox/",
        "/search/?q=Open",
        "/search/?q=nothing",
        "/folders/new/",
        "/recovery/",
        "/sending/",
        "/approvals/",
        "/logs/delivery/",
        "/logs/approvals/",
        "/programs/",
        "/no-such-page/",
    ):
        person.open(path)
        check(page, path)
    person.open()
    person.row("With a picture").get_by_role("link").click()
    expect(page.locator("#mail-subject")).to_have_text("With a picture")
    check(page, "a mail beside the list")
    page.locator("#rows input[type=checkbox]").first.check()
    check(page, "a selection")
    page.locator("#mail details.letter-details > summary").click()
    page.locator(".me > summary").click()
    check(page, "open menus")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_lists_labels_and_to_do_have_no_barriers(world: World, language: str) -> None:
    person = prepared(world, language)
    page = person.open()
    for subject in ("Unread one", "Open me"):
        person.row(subject).get_by_role("checkbox").check()
    page.keyboard.press("l")
    page.locator(".bulk [name=new_label]").fill("Offers")
    page.keyboard.press("Enter")
    expect(page.locator("#rows .label")).to_have_count(2)
    person.row("Open me").get_by_role("checkbox").uncheck()
    page.keyboard.press("Shift+T")
    expect(person.row("Unread one")).to_have_count(0)
    page.keyboard.press("Shift+F")
    check(page, "the filters")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+S")
    check(page, "the orders")
    page.locator(".sort-menu [name=conversations]").click()
    expect(page.locator("#rows input[name=threads]").first).to_be_attached()
    page.locator("#rows .row-link", has_text="Open me").click()
    expect(page.locator("#mail-subject")).to_have_text("Open me")
    page.keyboard.press("l")
    expect(page.locator("#mail .label-menu")).to_be_visible()
    check(page, "a conversation and the labels")
    mailbox = page.locator("#main").get_attribute("data-mailbox")
    label = page.locator("[data-tree-list^=label-]").get_attribute("href") or ""
    for path in (
        f"/mailbox/{mailbox}/todo/",
        f"/mailbox/{mailbox}/todo/done/",
        f"/mailbox/{mailbox}/quarantine/",
        f"/mailbox/{mailbox}/outbox/",
        f"/mailbox/{mailbox}/labels/",
        f"/mailbox/{mailbox}/labels/new/",
        label,
        f"{label}edit/",
        f"{label}delete/",
        "/inbox/?show=starred&show=todo&since=2026-01-01",
    ):
        person.open(path)
        check(page, path)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_writing_and_signing_in_have_no_barriers(world: World, language: str) -> None:
    person = prepared(world, language)
    person.open("/compose/")
    expect(person.editor()).to_be_visible()
    check(person.page, "the composer")
    guest = world.person(signed_in=False, locale="zh-CN" if language == "zh-hans" else "en-GB")
    guest.open("/sign-in/")
    check(guest.page, "signing in")
    world.allow(422)
    guest.page.locator("#login").fill("nobody@example.test")
    guest.page.locator("#password").fill("wrong")
    guest.page.locator("#password").press("Enter")
    expect(guest.page.get_by_role("alert")).to_be_visible()
    check(guest.page, "not let in")


def test_a_phones_pages_have_no_barriers(world: World) -> None:
    person = world.person(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    person.receive("Small")
    page = person.open()
    check(page, "the list")
    person.row("Small").get_by_role("link").tap()
    expect(page.locator("#mail-subject")).to_be_visible()
    check(page, "a mail")
