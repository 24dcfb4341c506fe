"""Mail on its way, by keyboard: scheduled, written on, followed, recalled; no barriers on the pages that show it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Person, World
from tests.browser.test_accessibility import check


def write(person: Person, to: str, subject: str) -> None:
    """A letter that is ready to be sent."""
    person.open("/compose/")
    person.write_to(to)
    person.page.get_by_role("textbox", name="Subject").fill(subject)
    person.editor().press_sequentially("As agreed.")


def test_a_mail_is_scheduled_and_written_on_by_keyboard(world: World) -> None:
    alice, bob = world.person(), world.person()
    page = alice.page
    write(alice, bob.address, "For tomorrow")
    page.locator("[data-schedule]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".schedule-at").first).to_be_focused()
    check(page, "the times to choose from")
    page.keyboard.press("Enter")
    alice.toast("Will be sent").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Subject")).to_have_value("For tomorrow")
    page.locator("[data-composer][data-ready] [data-schedule]").press("Enter")
    expect(page.locator(".schedule-at").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Will be sent")
    page.get_by_role("link", name="Outbox").click()
    expect(page.locator(".way-subject")).to_have_text("For tomorrow")
    check(page, "the outbox")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text("For tomorrow")
    expect(page.frame_locator("[data-letter-frame]").locator("body")).to_contain_text("As agreed.")
    check(page, "a mail that waits")
    page.keyboard.press("u")
    expect(page.locator(".way-subject")).to_have_text("For tomorrow")
    page.get_by_role("button", name="Edit").press("Enter")
    expect(page.get_by_role("textbox", name="Subject")).to_have_value("For tomorrow")
    expect(alice.editor()).to_contain_text("As agreed.")


def test_a_followed_mail_says_how_far_it_is_and_comes_back(world: World) -> None:
    alice, bob = world.person(), world.person()
    page = alice.open("/sending/")
    page.get_by_role("group", name="Recall and delivery status").get_by_label("On").check()
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.locator(".toast")).to_contain_text("Saved")
    write(alice, bob.address, "Too early")
    alice.send()
    alice.folder("Sent").click()
    alice.row("Too early").get_by_role("link").click()
    page.locator("#way-panel > summary").press("Enter")
    expect(page.locator("#way-panel .state")).to_have_text("Delivered to the recipient's mailbox")
    check(page, "the delivery status")
    page.get_by_role("link", name="Recall mail").press("Enter")
    expect(page.get_by_role("button", name="Recall mail")).to_be_visible()
    check(page, "the question before a recall")
    page.get_by_role("button", name="Recall mail").press("Enter")
    expect(page.locator(".way-recalls .state")).to_have_text("Recalled")
    check(page, "what came of a recall")
    bob.open()
    expect(bob.row("Too early")).to_have_count(0)
    alice.open("/logs/delivery/")
    expect(page.locator(".log tbody tr")).to_have_count(1)
    check(page, "the log")
