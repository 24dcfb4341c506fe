"""The main journey: sign in, read, answer; it arrives in the other's open window, or at a server far away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Person, World
from tests.browser.seed import PASSWORD
from tests.mta.sink import Sink, Taken


def test_from_signing_in_to_the_answer_in_the_others_open_window(world: World, people: Callable[..., Person]) -> None:
    alice, bob = people(signed_in=False), people()
    page = alice.open("/")
    page.get_by_role("textbox", name="Account").fill(alice.address)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(alice.name)

    bob.open("/compose/")
    bob.write_to(alice.address)
    bob.page.get_by_role("textbox", name="Subject").fill("Offer 2026")
    bob.editor().fill("What does it cost?")
    bob.send()
    bob.open("/inbox/")
    marked = bob.page.evaluate("window.neverReloaded = true")

    alice.enter("Inbox")
    alice.row("Offer 2026").click()
    expect(page.locator("#mail-subject")).to_have_text("Offer 2026")
    expect(page.frame_locator("[data-letter-frame]").locator("body")).to_contain_text("What does it cost?")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.locator("#pane .person-name")).to_have_text(bob.name)
    alice.editor().press_sequentially("Ten euros.")
    page.get_by_role("button", name="Send", exact=True).click()
    alice.toast("Sent")

    bob.row("Re: Offer 2026").click()
    expect(bob.page.frame_locator("[data-letter-frame]").locator("body")).to_contain_text("Ten euros.")
    expect(bob.page.frame_locator("[data-letter-frame]").locator("body")).to_contain_text("What does it cost?")
    assert marked and bob.page.evaluate("window.neverReloaded")
    alice.folder("Sent").click()
    expect(alice.row("Re: Offer 2026")).to_be_visible()
    assert "answered" in (alice.open("/inbox/").locator(".row-marks").inner_html().lower())


@pytest.mark.parametrize("path", ["/", "/recovery/"])
def test_a_mail_shows_without_a_reload_on_pages_that_have_no_list(
    world: World, people: Callable[..., Person], path: str
) -> None:
    alice, bob = people(), people()
    page = alice.open(path)
    page.evaluate("window.neverReloaded = true")
    before = page.locator("#tree [aria-current]").count()

    bob.open("/compose/")
    bob.write_to(alice.address)
    bob.page.get_by_role("textbox", name="Subject").fill("Seen from the front door")
    bob.send()

    expect(page.locator("#tree [data-role=inbox] .node-count")).to_have_text("1")
    if path == "/":
        expect(alice.row("Seen from the front door")).to_be_visible()
        expect(page.locator(".home-head")).to_contain_text("There is 1 unread mail.")
    assert page.locator("#tree [aria-current]").count() == before
    assert page.evaluate("window.neverReloaded")


def test_mail_for_another_server_leaves_by_smtp(person: Person, sink: tuple[Sink, int]) -> None:
    page = person.open("/compose/")
    person.write_to("buyer@far.test")
    page.get_by_role("textbox", name="Subject").fill("报价 far away")
    person.editor().fill("Dear buyer")
    person.send()
    taken = arrived(sink[0], sender=person.address)
    assert taken.recipients == ["buyer@far.test"]
    assert b"Dear buyer" in taken.content


def test_mail_from_another_server_appears_without_a_reload(person: Person) -> None:
    page = person.open("/inbox/")
    expect(page.get_by_role("heading", name="All caught up")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    person.receive("Fresh from SMTP")
    expect(person.row("Fresh from SMTP")).to_be_visible()
    expect(person.folder("Inbox").locator(".node-count")).to_have_text("1")
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    assert page.evaluate("window.neverReloaded")


def arrived(sink: Sink, *, sender: str) -> Taken:
    """What the far server took from somebody; the worker may need a moment."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [taken for taken in sink.taken if taken.sender == sender]
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"nothing from {sender} left")
