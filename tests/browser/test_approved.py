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


def test_an_approver_reads_decides_and_finds_it_in_the_log_by_keyboard(world: World) -> None:
    alice, bob = world.person(), world.person()
    world.server.asked(alice.address, bob.address)
    offer(alice, "First offer")
    offer(alice, "Second offer")
    alice.folder("Outbox").press("Enter")
    expect(alice.page.locator(".way")).to_have_count(2)
    check(alice.page, "mail that waits for approval")
    page = bob.open("/approvals/")
    expect(page.locator(".way")).to_have_count(2)
    check(page, "what waits for a decision")
    page.get_by_role("link", name="First offer").press("Enter")
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
    expect(page.locator(".log tbody tr")).to_have_count(2)
    expect(page.locator(".log")).to_contain_text("Too cheap.")
    check(page, "the log of approvals")
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
