"""A phone, a browser without scripts, other languages and themes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import World
from tests.browser.seed import PASSWORD

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TOPS = "all => all.map((it) => it.getBoundingClientRect().top)"
BOTTOM = "it => it.getBoundingClientRect().bottom"


def fits(page: Page) -> None:
    """Nothing sticks out at the side."""
    assert page.evaluate(OVERFLOW) <= 0, page.url


@pytest.mark.parametrize("width", [360, 390])
def test_reading_and_answering_on_a_phone(world: World, width: int) -> None:
    person, other = world.person(**{**PHONE, "viewport": {"width": width, "height": 844}}), world.person()
    other.open("/compose/")
    other.write_to(person.address)
    other.page.get_by_role("textbox", name="Subject").fill("To your phone, with a rather long subject " + "x" * 60)
    other.editor().fill("Short question")
    other.send()
    page = person.open("/")
    fits(page)
    page.get_by_role("button", name="Menu").tap()
    expect(page.locator("#tree")).to_be_in_viewport()
    person.folder("Inbox").tap()
    expect(page.get_by_role("heading", level=1, name="Inbox")).to_be_visible()
    page.locator(".row-link").first.tap()
    expect(page.frame_locator("[data-letter-frame]").locator("body")).to_contain_text("Short question")
    fits(page)
    page.get_by_role("button", name=re.compile(r"^Reply( \(R\))?$")).tap()
    expect(person.editor()).to_be_visible()
    fits(page)
    expect(page.get_by_role("button", name="Discard draft")).to_be_in_viewport(ratio=1)
    person.editor().press_sequentially("Short answer")
    page.get_by_role("button", name="Send", exact=True).tap()
    person.toast("Sent")
    other.open()
    other.page.locator(".row-link").first.click()
    expect(other.page.frame_locator("[data-letter-frame]").locator("body")).to_contain_text("Short answer")


def test_a_wide_table_is_answered_on_a_phone(world: World) -> None:
    """What is quoted moves sideways inside itself; what is written stays in sight."""
    person = world.person(**PHONE)
    cells = "".join(f"<td width='160'>Column{number}Value</td>" for number in range(9))
    person.receive("Prices", html=f"<table border='1' width='1440'><tr>{cells}</tr></table>")
    page = person.open()
    person.row("Prices").get_by_role("link").tap()
    expect(page.frame_locator("[data-letter-frame]").get_by_text("Column0Value")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"^Reply( \(R\))?$")).tap()
    quote = person.editor().locator(".gm-quote")
    expect(quote).to_be_visible()
    assert quote.evaluate("quote => quote.scrollWidth > quote.clientWidth")
    assert person.editor().evaluate("body => body.ownerDocument.documentElement.scrollWidth <= innerWidth")
    fits(page)


def test_every_page_fits_a_phone(world: World) -> None:
    person = world.person(**PHONE)
    person.receive("One", "Two")
    for path in ("/", "/inbox/", "/compose/", "/search/?q=One", "/folders/new/", "/recovery/"):
        person.open(path)
        fits(person.page)


@pytest.mark.parametrize("width", [360, 390])
def test_the_end_of_a_list_is_clear_of_the_button_for_a_new_mail(world: World, width: int) -> None:
    person = world.person(**{**PHONE, "viewport": {"width": width, "height": 420}})
    person.receive(*(f"Mail {number}" for number in range(6)))
    world.server.put_aside(person.address)
    page = person.open()
    _is_clear(page, ".row")
    person.open(page.locator("#tree a[href$='/quarantine/']").get_attribute("href") or "/")
    tops = {round(top) for top in page.locator(".quarantine-acts button").evaluate_all(TOPS)}
    assert len(tops) == 1, "the buttons stand in one line"
    expect(page.get_by_role("button", name="Release and trust the sender")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Delete")).to_be_in_viewport(ratio=1)
    _is_clear(page, ".quarantine-row")


def _is_clear(page: Page, row: str) -> None:
    """The last row, scrolled to as a finger does it, ends above the button."""
    page.mouse.move(100, 300)
    page.mouse.wheel(0, 4000)
    button, last = page.locator(".fab"), page.locator(row).last
    expect(last).to_be_in_viewport(ratio=1)
    assert last.evaluate(BOTTOM) <= button.evaluate("it => it.getBoundingClientRect().top")


def test_back_on_a_phone_leads_from_the_mail_to_the_list(world: World) -> None:
    person = world.person(**PHONE)
    person.receive("There and back")
    page = person.open()
    person.row("There and back").get_by_role("link").tap()
    expect(page.locator("#mail-subject")).to_be_in_viewport()
    page.go_back()
    expect(person.row("There and back")).to_be_in_viewport()
    expect(page.locator("#mail-subject")).to_have_count(0)


def test_everything_works_without_scripts(world: World) -> None:
    person, other = world.person(signed_in=False, java_script_enabled=False), world.person()
    page = person.open("/")
    page.get_by_role("textbox", name="Account").fill(person.address)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    person.receive("Plain old web")
    person.enter("Inbox")
    person.row("Plain old web").get_by_role("button", name="Star").click()
    expect(person.row("Plain old web").get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    person.row("Plain old web").get_by_role("link").click()
    expect(page.locator("#mail")).to_contain_text("Hello there")
    page.get_by_role("button", name="Forward", exact=True).click()
    page.locator("textarea[name=to]").fill(other.address)
    page.locator("textarea[name=text]").fill("Look at this")
    page.get_by_role("button", name="Send", exact=True).click()
    person.toast("Sent")
    other.open()
    expect(other.row("Fw: Plain old web")).to_be_visible()
    person.folder("Inbox").click()
    expect(page).to_have_url(re.compile(r"/mail/\d+/$"))
    person.row("Plain old web").get_by_role("checkbox").check()
    page.get_by_role("toolbar", name="Selected mails").get_by_role("button", name="Delete").click()
    person.toast("moved to")
    expect(person.row("Plain old web")).to_have_count(0)
    page.get_by_role("link", name="New folder").click()
    page.get_by_role("textbox", name="Name").fill("No scripts")
    page.get_by_role("button", name="Create").click()
    expect(person.folder("No scripts")).to_be_visible()


def test_the_language_is_switched_and_kept(world: World) -> None:
    person = world.person(signed_in=False, locale="zh-CN")
    page = person.open("/sign-in/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    person.sign_in()
    page = person.open()
    page.get_by_label("Account: ").click()
    page.get_by_role("button", name="中文").click()
    expect(person.folder("收件箱")).to_be_visible()
    again = world.person(address=person.address, locale="en-GB")
    again.open()
    expect(again.folder("收件箱")).to_be_visible()


def test_the_theme_follows_the_system_until_it_is_chosen(world: World) -> None:
    person = world.person(color_scheme="dark")
    page = person.open()
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")
    with page.expect_response("**/preferences/display/"):
        page.get_by_role("button", name="Light or dark").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [1000, 1001, 1440])
def test_what_can_be_recovered_stands_in_columns_beside_each_other(world: World, width: int) -> None:
    person = world.person(viewport={"width": width, "height": 800})
    person.receive("Gone for good")
    page = person.open("/inbox/")
    for folder in ("Inbox", "Trash"):
        person.enter(folder)
        person.row("Gone for good").click()
        page.locator("[data-key='#']:visible").first.click()
        expect(person.row("Gone for good")).to_have_count(0)
    person.open("/recovery/")
    row = person.row("Gone for good")
    boxes = [row.locator(part).first.bounding_box() for part in (".row-to", ".row-text")]
    assert boxes[0] is not None and boxes[1] is not None
    if width > 1000:
        assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    else:
        assert boxes[1]["y"] + boxes[1]["height"] <= boxes[0]["y"] + 1
