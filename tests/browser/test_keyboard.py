"""A whole working day without a mouse."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Person, World
from tests.browser.seed import PASSWORD

FOCUSED = "document.activeElement !== document.body && document.activeElement.isConnected"


def has_focus(page: Page) -> None:
    """The next key goes somewhere sensible."""
    page.wait_for_function(FOCUSED)


def test_signing_in_needs_only_keys(world: World) -> None:
    person = world.person(signed_in=False)
    page = person.open("/")
    expect(page.get_by_role("textbox", name="Account")).to_be_focused()
    page.keyboard.type(person.address)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(person.name)


def test_what_is_typed_at_once_and_enter_lead_through_a_new_mail(world: World) -> None:
    person, other = world.person(), world.person()
    person.receive("Waiting")
    page = person.open("/")
    page.keyboard.press("j")
    expect(person.row("Waiting").get_by_role("link")).to_be_focused()
    person.open("/inbox/")
    page.keyboard.press("c")
    page.wait_for_selector("form[data-composer]")
    page.keyboard.type(other.address)
    expect(page.locator("[data-composer][data-ready]")).to_be_attached()
    expect(page.locator("#compose-to-input")).to_have_value(other.address)
    for _ in range(2):
        page.keyboard.press("Enter")
    expect(page.locator("[data-recipients=to] .chips .person")).to_have_count(1)
    expect(page.get_by_role("textbox", name="Subject")).to_be_focused()
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    page.keyboard.type("Done.")
    expect(person.editor()).to_contain_text("Done.")
    page.keyboard.press("Control+Enter")
    person.toast("Sent")


def test_mails_are_read_starred_answered_and_deleted_by_keys(world: World) -> None:
    person, other = world.person(), world.person()
    other.open("/compose/")
    other.write_to(person.address)
    other.page.get_by_role("textbox", name="Subject").fill("Question")
    other.editor().fill("Yes or no?")
    other.send()
    person.receive("Second")
    page = person.open("/")
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", level=1, name="Inbox")).to_be_visible()
    page.wait_for_load_state()
    expect(person.row("Second")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("#mail-subject")).to_have_text("Second")
    has_focus(page)
    page.keyboard.press("s")
    expect(person.row("Second").get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    expect(page.locator("#mail-subject")).to_have_text("Question")
    page.keyboard.press("k")
    expect(page.locator("#mail-subject")).to_have_text("Second")
    page.keyboard.press("#")
    person.toast("moved")
    expect(page.locator("#mail-subject")).to_have_text("Question")
    has_focus(page)
    page.keyboard.press("r")
    expect(person.editor()).to_be_visible()
    expect(page.locator("[data-composer][data-ready]")).to_be_attached()
    page.keyboard.type("Yes.")
    expect(person.editor()).to_contain_text("Yes.")
    page.keyboard.press("Control+Enter")
    person.toast("Sent")
    expect(page.locator("#mail-subject")).to_have_text("Question")
    page.keyboard.press("u")
    expect(page.locator("#mail-subject")).to_have_count(0)
    other.open()
    expect(other.row("Re: Question")).to_be_visible()


def test_a_mail_is_written_by_keys(world: World) -> None:
    person, other = world.person(), world.person()
    page = person.open()
    page.keyboard.press("c")
    expect(page.get_by_role("combobox", name="To", exact=True)).to_be_focused()
    page.keyboard.type(other.address)
    page.keyboard.press("Enter")
    expect(page.locator(".person-name")).to_be_visible()
    page.get_by_role("textbox", name="Subject").press("Tab")
    page.get_by_role("textbox", name="Subject").focus()
    page.keyboard.type("By hand")
    page.keyboard.press("Tab")
    person.editor().press_sequentially("Text")
    page.keyboard.press("Control+Enter")
    person.toast("Sent")
    other.open()
    expect(other.row("By hand")).to_be_visible()


def test_closing_the_composer_by_escape_keeps_the_draft(person: Person) -> None:
    page = person.open()
    page.keyboard.press("c")
    expect(page.get_by_role("combobox", name="To", exact=True)).to_be_focused()
    page.get_by_role("textbox", name="Subject").fill("Kept")
    page.get_by_role("textbox", name="Subject").press("Escape")
    person.toast("Saved in Drafts")
    person.folder("Drafts").click()
    expect(person.row("Kept")).to_be_visible()


def test_the_list_of_keys_and_the_search_box_have_keys(person: Person) -> None:
    page = person.open()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jjj#")
    expect(page.get_by_role("searchbox")).to_have_value("jjj#")


def test_the_first_tab_leads_past_the_frame(person: Person) -> None:
    page = person.open()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the mails")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
