"""The quarantine on a desk and on a phone, the report in the inbox, and 放行 by somebody who is not signed in."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import World
from tests.browser.test_accessibility import check
from tests.browser.test_small_and_plain import PHONE, fits


def listed(page: Page, count: int) -> None:
    """The list is there, and hears keys."""
    expect(page.locator(".quarantine-row")).to_have_count(count)
    page.wait_for_load_state()


def opened(page: Page) -> None:
    """A mail is there, and hears keys."""
    expect(page.locator(".quarantine-text")).to_be_visible()
    page.wait_for_load_state()


def test_what_was_put_aside_is_looked_at_released_and_thrown_away(world: World) -> None:
    person = world.person()
    link = world.server.put_aside(person.address)
    page = person.open()
    person.enter("Quarantine")
    expect(page.locator(".quarantine-rows li")).to_have_count(3)
    check(page, "the quarantine")
    page.get_by_role("link", name="A prize for you").click()
    expect(page.locator(".quarantine-text")).to_contain_text("Buy A prize for you")
    expect(page.locator(".reasons")).to_contain_text("192.0.2.9")
    check(page, "a mail in quarantine")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".quarantine-rows li")).to_have_count(2)
    person.toast("1 mail deleted").get_by_role("button", name="Undo").click()
    expect(page.locator(".quarantine-rows li")).to_have_count(3)
    person.toast("Undone")
    page.wait_for_load_state()
    page.get_by_role("checkbox", name="A prize for you").check()
    page.keyboard.press("#")
    listed(page, 2)
    page.locator("#toasts button").focus()
    check(page, "the quarantine with an Undo")
    page.keyboard.press("z")
    listed(page, 3)
    page.get_by_role("checkbox", name="A prize for you").check()
    release, question = page.get_by_role("button", name="Release", exact=True), page.get_by_role("dialog")
    release.click()
    expect(question).to_contain_text("Releasing can't be undone.")
    check(page, "the question before a release")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    listed(page, 3)
    release.click()
    question.get_by_role("button", name="Release").click()
    person.toast("1 mail released")
    listed(page, 2)

    stranger = world.person(signed_in=False, **PHONE).page
    stranger.goto(link)
    expect(stranger.get_by_role("heading")).to_have_text("Mail security gateway")
    check(stranger, "the link of the report")
    fits(stranger)
    stranger.get_by_role("button", name="Release", exact=True).tap()
    expect(stranger.get_by_role("status")).to_contain_text("The mail is released.")

    person.open()
    expect(person.row("Cheap watches")).to_be_visible()
    person.row("Suspected spam: please check it, so that your work does not suffer!").get_by_role("link").click()
    report = page.frame_locator("[data-letter-frame]")
    expect(report.get_by_role("cell", name="By the administrator only")).to_be_visible()
    expect(report.get_by_role("link", name="Release")).to_have_count(2)
    page.set_viewport_size({"width": 360, "height": 780})
    wide = "const {scrollWidth, clientWidth} = document.documentElement; return scrollWidth - clientWidth"
    frame = page.locator("[data-letter-frame]").element_handle().content_frame()
    assert frame is not None
    assert frame.evaluate(f"() => {{ {wide} }}") <= 0, "the report is wider than a small phone"
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#tree a[href$='/quarantine/']").evaluate("link => link.click()")
    expect(page.locator(".quarantine-rows li")).to_have_count(1)
    fits(page)


def test_by_keys_and_live_beside_another_tab(world: World) -> None:
    person = world.person()
    world.server.put_aside(person.address)
    page = person.open("/inbox/")
    count = page.locator("#tree a[href$='/quarantine/'] .node-count")
    expect(count).to_have_text("3")
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("#tree a[href$='/quarantine/']").click()
    rows = other.locator(".quarantine-row")
    listed(other, 3)
    for key in ("j", "j", "x"):
        other.keyboard.press(key)
    expect(rows.nth(1).get_by_role("checkbox")).to_be_checked()
    other.keyboard.press("k")
    other.keyboard.press("Enter")
    opened(other)
    other.keyboard.press("#")
    listed(other, 2)
    expect(count).to_have_text("2")

    person.enter("Quarantine")
    mine = page.locator(".quarantine-row")
    listed(page, 2)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(rows.first.get_by_role("link")).to_be_focused()
    other.keyboard.press("j")
    other.keyboard.press("o")
    opened(other)
    other.keyboard.press("u")
    listed(other, 2)
    expect(rows.last.get_by_role("link")).to_be_focused()
    other.keyboard.press("#")
    expect(rows).to_have_count(1)
    expect(mine).to_have_count(1)
    expect(mine.get_by_role("checkbox")).to_be_checked()
    expect(mine.get_by_role("link")).to_be_focused()
