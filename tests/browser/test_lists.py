"""Lists as people use them: order, filters, labels, to-do, conversations, jumps; by mouse, by keys, with Back and live."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Person, World
from tests.browser.letters import letter


def subjects(page: Page) -> Locator:
    return page.locator("#rows .row-subject")


def tool(page: Page, name: str) -> Locator:
    """A menu above the list."""
    return page.locator(f".list-views summary[aria-label={name}]")


def talk(person: Person, *, count: int = 3) -> None:
    """A conversation, the oldest mail first."""
    for number in range(count):
        raw = letter(person.address, "Talk" if number == 0 else "Re: Talk", f"Body {number}")
        raw = re.sub(rb"Message-ID: <[^>]+>", b"Message-ID: <%d.%s>" % (number, person.address.encode()), raw)
        if number:
            raw = b"References: <%d.%s>\r\n" % (number - 1, person.address.encode()) + raw
        person.server.deliver(person.address, raw)


def test_an_order_is_chosen_remembered_and_left_by_back(person: Person) -> None:
    person.receive("Beta", "Alpha", "Gamma")
    page = person.open()
    expect(subjects(page)).to_have_text(["Gamma", "Alpha", "Beta"])
    tool(page, "Sort").click()
    page.get_by_role("group", name="Sort by").get_by_role("button", name="Subject").click()
    expect(subjects(page)).to_have_text(["Alpha", "Beta", "Gamma"])
    expect(page).to_have_url(re.compile(r"\?sort=subject$"))
    tool(page, "Sort").click()
    page.get_by_role("button", name="Z to A").click()
    expect(subjects(page)).to_have_text(["Gamma", "Beta", "Alpha"])
    page.go_back()
    expect(subjects(page)).to_have_text(["Alpha", "Beta", "Gamma"])
    person.receive("Aardvark")
    expect(subjects(page)).to_have_text(["Aardvark", "Alpha", "Beta", "Gamma"])
    person.open()
    expect(subjects(page)).to_have_text(["Gamma", "Beta", "Alpha", "Aardvark"])


def test_filters_combine_are_shared_by_address_and_follow_new_mail(person: Person) -> None:
    person.receive("One", "Two", "Three")
    page = person.open()
    person.row("Two").get_by_role("button", name="Star").click()
    expect(person.row("Two").get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    tool(page, "Filter").click()
    page.get_by_role("checkbox", name="Starred").check()
    page.get_by_role("checkbox", name="Unread", exact=True).check()
    page.get_by_role("button", name="Apply").click()
    expect(subjects(page)).to_have_text(["Two"])
    shared = page.url
    page.get_by_role("link", name="Starred", exact=True).last.click()  # the chip goes
    expect(subjects(page)).to_have_text(["Three", "Two", "One"])
    person.receive("Four")
    expect(subjects(page)).to_have_text(["Four", "Three", "Two", "One"])
    page.goto(shared)
    expect(subjects(page)).to_have_text(["Two"])
    person.row("Two").get_by_role("button", name="Star").click()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.go_back()
    expect(subjects(page)).to_have_count(4)


def test_a_label_is_made_put_on_found_and_taken_off(person: Person) -> None:
    person.receive("First", "Second")
    page = person.open()
    person.row("First").get_by_role("checkbox").check()
    bar = page.get_by_role("toolbar", name="Selected mails")
    bar.locator("summary[aria-label=Label]").click()
    bar.get_by_role("textbox", name="New label").fill("Offers")
    bar.get_by_role("textbox", name="New label").press("Enter")
    person.toast("Label “Offers” put on 1 mail")
    expect(person.row("First").locator(".label")).to_have_text("Offers")
    person.row("First").get_by_role("checkbox").uncheck()
    person.row("Second").get_by_role("link").click()
    expect(page.locator("#mail-subject")).to_have_text("Second")
    page.keyboard.press("l")
    page.locator("#mail").get_by_role("button", name="Offers").click()
    expect(page.locator(".mail-labels .label")).to_have_text("Offers")
    expect(person.row("Second").locator(".label")).to_have_text("Offers")
    page.get_by_role("link", name=re.compile("^Offers")).first.click()
    expect(page.get_by_role("heading", level=1, name="Offers")).to_be_visible()
    expect(subjects(page)).to_have_text(["Second", "First"])
    person.row("First").get_by_role("link").click()
    page.locator("#mail").get_by_role("button", name="Remove label Offers").click()
    expect(subjects(page)).to_have_text(["Second"])


def test_labels_are_managed(person: Person) -> None:
    page = person.open("/")
    page.goto(f"{person.server.url}/mailbox/{page.locator('#main').get_attribute('data-mailbox')}/labels/")
    expect(page.get_by_role("heading", name="No labels yet")).to_be_visible()
    page.get_by_role("link", name="New label").click()
    page.get_by_role("textbox", name="Name").fill("Offers")
    page.get_by_role("radio", name="Green").check()
    page.get_by_role("button", name="Create").click()
    person.toast("created")
    page.get_by_role("link", name="Change label Offers").click()
    page.get_by_role("textbox", name="Name").fill("Quotes")
    page.get_by_role("button", name="Save").click()
    page.locator("#tree").get_by_role("link", name="Quotes").click()
    expect(page.get_by_role("heading", name="No mail has this label")).to_be_visible()
    page.get_by_role("link", name="Change label").click()
    page.get_by_role("link", name="Delete label").click()
    page.get_by_role("button", name="Delete label").click()
    person.toast("deleted")
    expect(page.locator("#tree").get_by_text("Labelled mail")).to_have_count(0)


def test_a_mail_is_dragged_onto_a_label_and_into_to_do(person: Person) -> None:
    person.receive("Heavy")
    page = person.open()
    person.row("Heavy").get_by_role("checkbox").check()
    page.keyboard.press("l")
    page.get_by_role("textbox", name="New label").fill("Offers")
    page.keyboard.press("Enter")
    person.toast("put on")
    person.receive("Light")
    expect(person.row("Light")).to_be_visible()
    page.drag_and_drop(".row-link >> nth=0", "#tree [data-drop-act=label]")
    expect(person.row("Light").locator(".label")).to_have_text("Offers")
    page.drag_and_drop(".row-link >> nth=0", "#tree [data-drop-act=todo]")
    person.toast("1 mail is to do now")
    expect(person.row("Light")).to_have_count(0)


def test_a_mail_is_to_do_then_done_then_back_and_each_step_can_be_undone(person: Person) -> None:
    person.receive("Older", "Task")
    page = person.open()
    person.row("Task").get_by_role("link").click()
    page.locator("#mail").get_by_role("button", name="To do").click()
    toast = person.toast("1 mail is to do now")
    expect(person.row("Task")).to_have_count(0)
    expect(page.locator("#mail-subject")).to_have_text("Older")
    toast.get_by_role("button", name="Undo").click()
    expect(person.row("Task")).to_be_visible()
    page.locator("#rows .row-link", has_text="Task").focus()
    page.keyboard.press("u")
    person.row("Task").get_by_role("checkbox").check()
    page.keyboard.press("Shift+T")
    expect(person.row("Task")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1, name="To-do mail")).to_be_visible()
    expect(person.folder("To-do mail").locator(".node-count")).to_have_text("1")
    person.row("Task").get_by_role("button", name="Mark as completed").click()
    person.toast("1 mail completed")
    expect(page.get_by_role("heading", name="Nothing to do")).to_be_visible()
    person.folder("Completed").click()
    person.row("Task").get_by_role("checkbox").check()
    page.get_by_role("button", name="Put back into its folder").click()
    expect(page.get_by_role("heading", name="Nothing completed yet")).to_be_visible()
    person.folder("Inbox").click()
    expect(person.row("Task")).to_be_visible()


def test_conversations_are_switched_on_read_and_acted_on(person: Person) -> None:
    person.receive("Alone")
    talk(person)
    page = person.open()
    expect(subjects(page)).to_have_text(["Re: Talk", "Re: Talk", "Talk", "Alone"])
    tool(page, "Sort").click()
    page.get_by_role("button", name="Conversations").click()
    expect(subjects(page)).to_have_text(["Re: Talk", "Alone"])
    expect(page.locator("#rows .row-n")).to_have_text("3")
    page.locator("#rows .row-link", has_text="Talk").click()
    expect(page.locator(".stack-letter")).to_have_count(3)
    expect(page.locator("#rows .row", has_text="Talk")).not_to_have_class(re.compile("is-new"))
    expect(page.locator("#rows .row", has_text="Talk")).to_have_class(re.compile("is-on"))
    page.go_back()
    expect(page.locator(".stack-letter")).to_have_count(0)
    page.locator("#rows .row-link", has_text="Talk").click()
    expect(page.locator(".stack-letter")).to_have_count(1)
    page.locator(".stack .thread-row").first.click()
    expect(page.locator(".stack-letter")).to_have_count(2)
    expect(page.locator(".stack-letter").get_by_text("Body 0", exact=True)).to_be_visible()
    page.locator(".stack-letter .letter-head").first.click(position={"x": 5, "y": 5})
    expect(page.locator(".stack-letter")).to_have_count(1)
    page.keyboard.press("#")
    toast = person.toast("3 mails moved")
    expect(subjects(page)).to_have_text(["Alone"])
    toast.get_by_role("button", name="Undo").click()
    expect(subjects(page)).to_have_text(["Re: Talk", "Alone"])
    talk_again = letter(person.address, "Re: Talk", "Body 9")
    raw = b"References: <2.%s>\r\n" % person.address.encode() + talk_again
    person.server.deliver(person.address, raw)
    expect(page.locator("#rows .row-n")).to_have_text("4")


def test_a_conversations_mails_unfold_in_the_list_of_mails_too(person: Person) -> None:
    talk(person, count=2)
    page = person.open()
    page.locator("#rows .row-link").first.click()
    page.locator(".stack .thread-row").click()
    expect(page.locator(".stack-letter").get_by_text("Body 0", exact=True)).to_be_visible()
    expect(page.locator("#rows .row.is-new")).to_have_count(0)


def test_a_day_and_a_page_are_jumped_to(person: Person) -> None:
    with smtplib.SMTP("127.0.0.1", person.server.mx_port, timeout=60) as client:
        for number in range(102):
            client.sendmail("anna@lichtwerk.test", [person.address], letter(person.address, f"Number {number}"))
    page = person.open()
    expect(page.locator(".pager-place")).to_have_text("1/3")
    page.get_by_role("spinbutton", name="Page").fill("3")
    page.get_by_role("button", name="Go to page").click()
    expect(page.locator(".pager-place")).to_have_text("3/3")
    expect(subjects(page)).to_have_text(["Number 1", "Number 0"])
    page.go_back()
    expect(page.locator(".pager-place")).to_have_text("1/3")
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.get_by_label("Go to date").last.fill("2020-01-01")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page).to_have_url(re.compile("date=2020-01-01"))
    expect(page.locator(".pager-place")).to_have_text("3/3")
    page.get_by_role("link", name="Previous page").click()
    expect(subjects(page).first).to_be_visible()


def test_everything_on_a_filtered_list_is_selected_and_acted_on(person: Person) -> None:
    with smtplib.SMTP("127.0.0.1", person.server.mx_port, timeout=60) as client:
        for number in range(53):
            client.sendmail("anna@lichtwerk.test", [person.address], letter(person.address, f"Number {number}"))
    page = person.open("/inbox/")
    page.goto(f"{page.url}?from=anna@lichtwerk.test")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("button", name="Select all that match, on every page").click()
    page.get_by_role("toolbar", name="Selected mails").get_by_role("button", name="Delete").click()
    person.toast("53 mails moved")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def test_menus_are_opened_by_keys_and_the_focus_is_kept(person: Person) -> None:
    person.receive("One", "Two")
    page = person.open()
    page.keyboard.press("Shift+S")
    expect(page.get_by_role("button", name="Date", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(tool(page, "Sort")).to_be_focused()
    page.keyboard.press("Shift+F")
    expect(page.locator(".filter-menu input").first).to_be_focused()
    page.keyboard.press("Escape")
    page.locator(".row-link").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("v")
    expect(page.locator(".bulk details[open] .menu-item").first).to_be_visible()


def test_without_scripts_lists_are_sorted_filtered_labelled_and_marked(
    world: World, people: Callable[[], Person]
) -> None:
    person = world.person(java_script_enabled=False)
    person.receive("Beta", "Alpha")
    page = person.open()
    tool(page, "Sort").click()
    page.get_by_role("button", name="Subject").click()
    expect(subjects(page)).to_have_text(["Alpha", "Beta"])
    tool(page, "Filter").click()
    page.get_by_role("checkbox", name="Starred").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    person.open()
    person.row("Alpha").get_by_role("checkbox").check()
    bar = page.get_by_role("toolbar", name="Selected mails")
    bar.locator("summary[aria-label=Label]").click()
    bar.get_by_role("textbox", name="New label").fill("Offers")
    bar.get_by_role("button", name="Create and put on").click()
    expect(person.row("Alpha").locator(".label")).to_have_text("Offers")
    person.row("Beta").get_by_role("checkbox").check()
    bar.get_by_role("button", name="Mark as to do").click()
    expect(subjects(page)).to_have_text(["Alpha"])
    person.folder("To-do mail").click()
    expect(subjects(page)).to_have_text(["Beta"])
    person.row("Beta").get_by_role("link").click()
    expect(page.locator("#mail-subject")).to_have_text("Beta")
    page.get_by_role("button", name="Mark as completed").first.click()
    person.toast("1 mail completed")
    person.folder("Completed").click()
    expect(subjects(page)).to_have_text(["Beta"])


def test_theme_and_language_are_switched_and_a_folder_renamed(person: Person) -> None:
    page = person.open()
    with page.expect_response("**/preferences/display/"):
        page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", re.compile("dark|light"))
    before = page.locator("html").get_attribute("data-theme")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", before or "")
    page.locator(".me > summary").click()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("收件箱")
    page.locator(".me > summary").click()
    page.get_by_role("button", name="English").click()
    page.get_by_role("link", name="New folder").click()
    page.get_by_role("textbox", name="Name").fill("Old name")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="Change folder Old name").click()
    page.get_by_role("textbox", name="Name").fill("New name")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name="New name")).to_be_visible()
    expect(person.folder("New name")).to_be_visible()
    expect(person.folder("Old name")).to_have_count(0)
