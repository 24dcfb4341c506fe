"""Writing: rich text, files, a draft that outlives the page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Person, World
from tests.browser.letters import PNG


def test_rich_text_and_a_file_arrive_as_they_were_written(world: World) -> None:
    alice, bob = world.person(), world.person()
    page = alice.open("/compose/")
    alice.write_to(bob.address)
    page.get_by_role("textbox", name="Subject").fill("With everything")
    body = alice.editor()
    body.press("Control+B")
    body.press_sequentially("Bold words")
    page.locator("input[type=file]").set_input_files({"name": "图片.png", "mimeType": "image/png", "buffer": PNG})
    expect(page.get_by_role("list", name="Attachments").get_by_text("图片.png")).to_be_visible()
    expect(page.locator("[data-files] progress")).to_have_count(0)
    alice.send()
    bob.open("/inbox/")
    bob.row("With everything").click()
    expect(bob.page.frame_locator("[data-letter-frame]").locator("strong, b")).to_have_text("Bold words")
    with bob.page.expect_download() as download:
        bob.page.get_by_role("link", name="Download 图片.png").click()
    assert download.value.path().read_bytes() == PNG
    assert download.value.suggested_filename == "图片.png"


def test_a_draft_is_saved_by_itself_and_survives_a_reload(person: Person) -> None:
    page = person.open("/compose/")
    person.write_to("someone@far.test")
    page.get_by_role("textbox", name="Subject").fill("Half written")
    person.editor().press_sequentially("Only the beginning")
    expect(page.locator("[data-status]")).to_contain_text("Draft saved")
    page.wait_for_url(re.compile(r"/compose/\d+/"))
    page.reload()
    expect(page.get_by_role("textbox", name="Subject")).to_have_value("Half written")
    expect(person.editor()).to_contain_text("Only the beginning")
    expect(page.locator(".person-name")).to_have_text("someone@far.test")
    expect(person.folder("Drafts").locator(".node-count")).to_have_text("1")


def test_what_was_typed_a_moment_before_a_reload_is_not_lost(person: Person) -> None:
    page = person.open("/compose/")
    page.get_by_role("textbox", name="Subject").fill("Sudden end")
    person.editor().press_sequentially("Typed just now")
    page.reload()
    expect(page.get_by_role("textbox", name="Subject")).to_have_value("Sudden end")
    expect(person.editor()).to_contain_text("Typed just now")
    expect(page.locator("[data-status]")).to_contain_text("Draft saved")
    person.folder("Drafts").click()
    expect(person.row("Sudden end")).to_have_count(1)


def test_a_draft_is_finished_from_the_drafts_folder(world: World) -> None:
    alice, bob = world.person(), world.person()
    page = alice.open("/compose/")
    alice.write_to(bob.address)
    page.get_by_role("textbox", name="Subject").fill("Later")
    alice.editor().fill("First part.")
    page.get_by_role("button", name="Save and close").click()
    expect(page.locator("[data-composer]")).to_have_count(0)
    alice.folder("Drafts").click()
    alice.row("Later").click()
    expect(alice.editor()).to_contain_text("First part.")
    page.get_by_role("button", name="Send", exact=True).click()
    alice.toast("Sent")
    expect(alice.row("Later")).to_have_count(0)
    bob.open("/inbox/")
    expect(bob.row("Later")).to_be_visible()


def test_a_forgotten_subject_or_file_is_asked_about_before_sending(world: World) -> None:
    world.allow(422)
    alice, bob = world.person(), world.person()
    page = alice.open("/compose/")
    alice.write_to(bob.address)
    alice.editor().fill("See the attached file")
    page.get_by_role("button", name="Send", exact=True).click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("no subject")
    expect(notice).to_contain_text("attachment")
    notice.get_by_role("button", name="Send anyway").click()
    expect(page.locator("[data-composer]")).to_have_count(0)
    bob.open("/inbox/")
    expect(bob.row("(no subject)")).to_be_visible()


def test_an_address_nobody_has_is_marked_before_sending(person: Person) -> None:
    page = person.open("/compose/")
    person.write_to("nobody-here@example.test")
    expect(page.locator(".person-bad")).to_contain_text("no such address")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("nobody-here@example.test")


def test_a_mail_whose_answer_was_lost_goes_once_when_send_is_pressed_again(world: World) -> None:
    world.expected = "ERR_FAILED"
    alice, bob = world.person(), world.person()
    page = alice.open("/compose/")
    alice.write_to(bob.address)
    page.get_by_role("textbox", name="Subject").fill("Once")
    alice.editor().fill("No answer came.")
    page.route("**/send", lambda route: (route.fetch(), route.abort()), times=1)
    send = page.get_by_role("button", name="Send", exact=True)
    send.click()
    expect(page.locator("[data-status][data-state=offline]")).to_be_visible()
    send.click()
    alice.toast("Sent")
    expect(page.locator("[data-composer]")).to_have_count(0)
    bob.open("/inbox/")
    expect(bob.row("Once")).to_have_count(1)


def test_a_quick_reply_whose_answer_was_lost_goes_once(world: World) -> None:
    world.expected = "ERR_FAILED"
    alice, bob = world.person(), world.person()
    bob.open("/compose/")
    bob.write_to(alice.address)
    bob.page.get_by_role("textbox", name="Subject").fill("Tea?")
    bob.editor().fill("At four?")
    bob.send()
    alice.open("/inbox/")
    alice.row("Tea?").click()
    alice.page.get_by_role("textbox", name="Quick reply").fill("Gladly")
    alice.page.route("**/compose/", lambda route: (route.fetch(), route.abort()), times=1)
    send = alice.page.locator("[data-quick]").get_by_role("button", name="Send")
    send.click()
    alice.toast("Offline")
    send.click()
    alice.toast("Sent")
    bob.open("/inbox/")
    expect(bob.row("Re: Tea?")).to_have_count(1)


def test_plain_text_stays_plain(world: World) -> None:
    alice, bob = world.person(), world.person()
    page = alice.open("/compose/")
    alice.write_to(bob.address)
    page.get_by_role("textbox", name="Subject").fill("Plain")
    alice.editor().press_sequentially("one")
    page.get_by_role("button", name="Plain text on or off").click()
    area = page.locator("textarea[name=text]")
    expect(area).to_have_value("one")
    area.fill("one\n\ntwo <b>")
    alice.send()
    bob.open("/inbox/")
    bob.row("Plain").click()
    expect(bob.page.locator(".letter-text")).to_contain_text("two <b>")


def test_a_quick_reply_needs_no_composer(world: World) -> None:
    alice, bob = world.person(), world.person()
    bob.open("/compose/")
    bob.write_to(alice.address)
    bob.page.get_by_role("textbox", name="Subject").fill("Coffee?")
    bob.editor().fill("At three?")
    bob.send()
    alice.open("/inbox/")
    alice.row("Coffee?").click()
    alice.page.get_by_role("textbox", name="Quick reply").fill("Gladly")
    alice.page.locator("[data-quick]").get_by_role("button", name="Send").click()
    alice.toast("Sent")
    bob.open("/inbox/")
    bob.row("Re: Coffee?").click()
    expect(bob.page.frame_locator("[data-letter-frame]").locator("body")).to_contain_text("Gladly")
