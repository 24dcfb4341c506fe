"""The administration by keys and on a phone: filters of a list, lines of a mail filter."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import World
from tests.browser.test_small_and_plain import fits


def test_filters_are_opened_and_closed_by_keys(world: World) -> None:
    boss = world.person(address="boss@example.test")
    page = boss.open("/admin/mta/delivery/")
    sheet, opener = page.get_by_role("dialog", name="Filters"), page.get_by_role("button", name="Filters")
    expect(sheet).to_be_hidden()
    opener.press("Enter")
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    sheet.get_by_role("link", name="Will be retried").press("Enter")
    expect(page.get_by_text("No entry matches the search and the filters.")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    boss.open("/admin/accounts/account/")
    expect(page.locator("td.field-name").first).to_have_attribute("data-label", "Full name")


def test_a_line_of_a_mail_filter_asks_for_a_header_field_where_one_is_looked_at(world: World) -> None:
    boss = world.person(address="boss@example.test", viewport={"width": 390, "height": 844})
    page = boss.open("/admin/mta/filter/add/")
    what = page.get_by_role("combobox", name="Line 1: what is looked at")
    header = page.get_by_role("textbox", name="Line 1: name of the header field")
    expect(header).to_be_hidden()
    what.select_option("header")
    header.fill("List-Id")
    what.select_option("subject")
    expect(header).to_have_value("List-Id")
    expect(header).to_be_visible()
    fits(page)
