"""Working through a mailbox: stars, moving, deleting, Undo, folders, search."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Person


def test_a_star_stays(person: Person) -> None:
    person.receive("Shiny")
    page = person.open()
    star = person.row("Shiny").get_by_role("button", name="Star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_role("navigation", name="Show").get_by_role("link", name="Starred").click()
    expect(page).to_have_url(re.compile("show=starred"))
    expect(person.row("Shiny")).to_be_visible()
    star.click()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def test_a_mail_is_read_when_opened_and_can_be_made_unread(person: Person) -> None:
    person.receive("Read me")
    page = person.open()
    expect(person.row("Read me")).to_have_class(re.compile("is-new"))
    person.row("Read me").click()
    expect(person.row("Read me")).not_to_have_class(re.compile("is-new"))
    page.locator("#mail").get_by_role("button", name="Mark as unread").click()
    expect(person.row("Read me")).to_have_class(re.compile("is-new"))
    expect(person.folder("Inbox").locator(".node-count")).to_have_text("1")


def test_deleting_is_taken_back(person: Person) -> None:
    person.receive("First", "Second", "Third")
    page = person.open()
    person.row("First").get_by_role("checkbox").check()
    person.row("Second").get_by_role("checkbox").check()
    page.get_by_role("toolbar", name="Selected mails").get_by_role("button", name="Delete").click()
    toast = person.toast("2 mails moved")
    expect(person.row("First")).to_have_count(0)
    toast.get_by_role("button", name="Undo").click()
    expect(person.row("First")).to_be_visible()
    expect(person.row("Second")).to_be_visible()
    person.folder("Trash").click()
    expect(page.get_by_role("heading", name="Nothing deleted")).to_be_visible()


def test_a_deleted_mail_makes_room_for_the_next(person: Person) -> None:
    person.receive("Older", "Newer")
    page = person.open()
    person.row("Newer").click()
    page.locator("#mail").get_by_role("button", name="Delete").click()
    person.toast("moved")
    expect(page.locator("#mail-subject")).to_have_text("Older")
    page.locator("#mail").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="All caught up")).to_be_visible()


def test_the_whole_folder_is_acted_on_at_once(person: Person) -> None:
    person.receive(*[f"Number {number}" for number in range(55)])
    page = person.open()
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("button", name="Select all 55 in this folder").click()
    page.get_by_role("toolbar", name="Selected mails").get_by_role("button", name="Mark as read").click()
    person.toast("55 mails changed")
    expect(person.folder("Inbox").locator(".node-count")).to_have_count(0)


def test_pages_of_a_list_are_turned_and_jumped_to(person: Person) -> None:
    person.receive(*[f"Number {number}" for number in range(1, 121)])
    page = person.open()
    pager = page.get_by_role("navigation", name="Pages")
    expect(pager).to_contain_text("1/3")
    pager.get_by_role("link", name="Next page").click()
    expect(pager).to_contain_text("2/3")
    for key, place in (("p", "1/3"), ("n", "2/3")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(pager).to_contain_text(place)
    expect(person.row("Number 70")).to_be_visible()
    pager.get_by_role("spinbutton", name="Page").fill("3")
    pager.get_by_role("button", name="Go to page").click()
    expect(person.row("Number 1")).to_be_visible()
    pager.get_by_role("link", name="Previous page").click()
    expect(person.row("Number 70")).to_be_visible()
    page.go_back()
    expect(person.row("Number 1")).to_be_visible()


def test_a_folder_is_made_filled_renamed_emptied_and_deleted(person: Person) -> None:
    person.receive("To be sorted")
    page = person.open()
    page.get_by_role("link", name="New folder").click()
    page.get_by_role("textbox", name="Name").fill("客户 A&B")
    page.get_by_role("button", name="Create").click()
    expect(person.folder("客户 A&B")).to_have_attribute("aria-current", "page")

    person.folder("Inbox").click()
    person.row("To be sorted").click()
    page.locator("#mail").get_by_label("Move to").click()
    page.locator("#mail").get_by_role("button", name="客户 A&B").click()
    person.toast("moved to “客户 A&B”")
    person.folder("客户 A&B").click()
    expect(person.row("To be sorted")).to_be_visible()

    page.get_by_role("link", name="Change folder 客户 A&B").click()
    page.get_by_role("textbox", name="Name").fill("Customers")
    page.get_by_role("button", name="Save").click()
    expect(person.folder("Customers")).to_be_visible()
    person.row("To be sorted").get_by_role("checkbox").check()
    page.get_by_role("toolbar", name="Selected mails").get_by_role("button", name="Delete").click()
    person.toast("moved")
    page.get_by_role("link", name="Change folder Customers").click()
    page.get_by_role("link", name="Delete folder").click()
    page.get_by_role("button", name="Delete folder").click()
    expect(person.folder("Customers")).to_have_count(0)
    person.toast("deleted")


def test_a_mail_is_dragged_into_a_folder(person: Person) -> None:
    person.receive("Heavy")
    page = person.open()
    page.drag_and_drop(".row-link", "#tree [data-role=junk]")
    person.toast("Junk")
    expect(person.row("Heavy")).to_have_count(0)
    person.folder("Junk").click()
    expect(person.row("Heavy")).to_be_visible()


def test_search_finds_by_subject_and_opens_beside_the_results(person: Person) -> None:
    person.receive("Quarterly figures", "Lunch", "季度报表")
    page = person.open()
    box = page.get_by_role("searchbox", name="Search mail")
    for _ in range(50):  # the index is a moment behind
        box.fill("quarterly figures OR 报表")
        box.press("Enter")
        page.wait_for_load_state()
        if page.get_by_text("2 mails found").count():
            break
        page.wait_for_timeout(200)
    box.fill("quarterly")
    box.press("Enter")
    expect(page.get_by_text("1 mail found")).to_be_visible()
    person.row("Quarterly figures").click()
    expect(page.locator("#mail-subject")).to_have_text("Quarterly figures")
    box.fill("报表")
    box.press("Enter")
    expect(person.row("季度报表")).to_be_visible()
    box.fill("nothing like it")
    box.press("Enter")
    expect(page.get_by_text("Nothing found")).to_be_visible()


def test_new_mail_does_not_disturb_what_is_selected_and_read(person: Person) -> None:
    person.receive("One", "Two")
    page = person.open()
    person.row("One").click()
    person.row("Two").get_by_role("checkbox").check()
    person.receive("Three")
    expect(person.row("Three")).to_be_visible()
    expect(person.row("Two").get_by_role("checkbox")).to_be_checked()
    expect(page.locator("#mail-subject")).to_have_text("One")
    expect(person.row("One")).to_have_class(re.compile("is-on"))
