"""The main journey: sign in, read, answer; it arrives in the other's open window."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Person, World
from tests.browser.letters import letter
from tests.browser.seed import PASSWORD


def test_from_signing_in_to_the_answer_in_the_others_open_window(world: World, people: Callable[[], Person]) -> None:
    alice, bob = world.person(signed_in=False), people()
    world.server.deliver(alice.address, letter(alice.address, "Offer 2026", "What does it cost?"))
    page = alice.open("/")
    page.get_by_label("Account").fill(alice.address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(alice.name)
    page.get_by_role("link", name="Inbox", exact=False).first.click()
    page.get_by_role("link", name="Offer 2026").click()
    expect(page.locator("#mail")).to_contain_text("What does it cost?")

    bob.open("/inbox/")
    page.get_by_role("button", name="Forward", exact=True).click()
    page.get_by_role("combobox", name="To").fill(bob.address)
    page.get_by_role("combobox", name="To").press("Enter")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Sent")
    expect(bob.page.get_by_role("link", name="Fwd: Offer 2026")).to_be_visible()
