"""Approval in the browser and by signed links, by keyboard, on a desk and on a phone; no barriers on their pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Person, World
from tests.browser.test_accessibility import check
from tests.browser.test_small_and_plain import PHONE, fits
from tests.browser.test_ways import write


def offer(author: Person, subject: str) -> None:
    """A mail that has to wait."""
    write(author, "buyer@far.test", subject)
    author.editor().press_sequentially(" Our offer stands.")
    author.send()


def tells(page: Page, *keys: str, without: tuple[str, ...]) -> None:
    """The list of keys says what they do on this page, and no more."""
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    for key in (*keys, "Compose", "Undo"):
        expect(dialog.get_by_text(key, exact=True)).to_be_visible()
    for key in without:
        expect(dialog.get_by_text(key, exact=True)).to_be_hidden()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_an_approver_reads_decides_and_finds_it_in_the_log_by_keyboard(world: World) -> None:
    alice, bob = world.person(), world.person()
    world.server.asked(alice.address, bob.address)
    offer(alice, "First offer")
    offer(alice, "Second offer")
    offer(alice, "Third offer")
    alice.folder("Outbox").press("Enter")
    waiting = alice.page.locator(".way")
    expect(waiting).to_have_count(3)
    alice.page.wait_for_load_state()
    check(alice.page, "mail that waits for approval")
    for key in ("j", "j", "j", "k"):
        alice.page.keyboard.press(key)
    expect(waiting.nth(1).get_by_role("link")).to_be_focused()
    tells(
        alice.page, "Next, previous mail", "Open", "Cancel sending", without=("Select", "Star", "Delete", "Go to date")
    )
    alice.page.keyboard.press("j")
    expect(waiting.nth(2).get_by_role("link")).to_be_focused()
    check(alice.page, "a row of the outbox that has the focus")
    alice.page.keyboard.press("#")
    alice.toast("Sending cancelled")
    expect(waiting).to_have_count(2)
    page = bob.open("/approvals/")
    expect(page.locator(".way")).to_have_count(2)
    check(page, "what waits for a decision")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="First offer")).to_be_focused()
    tells(page, "Next, previous mail", "Open", without=("Select", "Delete", "Cancel sending"))
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="Reject")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.locator(".way")).to_have_count(2)
    page.wait_for_load_state()
    expect(page.get_by_role("link", name="First offer")).to_be_focused()
    page.keyboard.press("Enter")
    frame = page.frame_locator("[data-letter-frame]")
    expect(frame.get_by_text("Our offer stands.")).to_be_visible()
    page.wait_for_function("document.querySelector('[data-letter-frame]').clientHeight < 300")
    check(page, "the mail to decide about")
    page.get_by_label("Comment").fill("Too cheap.")
    page.get_by_role("button", name="Reject").press("Enter")
    expect(page.locator(".way")).to_have_count(1)
    page.get_by_role("button", name="Approve").press("Enter")
    expect(page.get_by_role("heading", name="Nothing awaits your approval")).to_be_visible()
    check(page, "nothing to decide")
    bob.open("/logs/approvals/")
    expect(page.locator(".log tbody tr")).to_have_count(3)  # the withdrawn one too
    expect(page.locator(".log")).to_contain_text("Too cheap.")
    check(page, "the log of approvals")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(page.locator(".log tbody tr").first).to_be_focused()
    tells(page, "Next, previous mail", without=("Open", "Select", "Delete", "Filter, sort"))
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    check(page, "the log of approvals on a phone")


def test_signed_links_ask_before_they_act_and_have_no_barriers(world: World) -> None:
    alice, bob = world.person(), world.person()
    post, forward = world.server.asked(alice.address, bob.address)
    offer(alice, "An offer to decide about")
    bob.open()
    bob.row("Mail awaits your approval: An offer to decide about").get_by_role("link").click()
    decision = bob.page.locator("#mail a[href*='/approve/']").first.get_attribute("href") or ""
    stranger = world.person(signed_in=False, **PHONE).page
    visit(stranger, post, "a list's mail")
    stranger.get_by_role("button", name="Approve").press("Enter")
    expect(stranger.get_by_role("heading")).to_have_text("Approved: the members have it.")
    check(stranger, "a list's mail, approved")
    visit(stranger, forward, "forwarding")
    stranger.get_by_role("button").first.press("Enter")
    expect(stranger.get_by_role("heading")).to_have_text("Confirmed")
    visit(stranger, decision, "a decision")
    stranger.get_by_role("button", name="Reject").press("Enter")
    expect(stranger.get_by_role("status")).to_contain_text("Rejected")
    check(stranger, "a decision that was taken")
    alice.open()
    expect(alice.page.locator("#rows")).to_contain_text("An offer to decide about")


def visit(page: Page, link: str, where: str) -> None:
    """Open a link and judge the page."""
    page.goto(link)
    check(page, where)
    fits(page)
