"""Lists of mail with their menus, to-do mail, labels, folders and search."""

from __future__ import annotations

from collections.abc import Callable

from webmail.shots.visit import (
    LONG_THREAD,
    READER,
    SETTLE_MS,
    TABLE_MAIL,
    Shot,
    Visit,
    at,
    folder,
    mail,
    role,
    tree_list,
)


def _inbox_with_mail(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.page.locator("a.row-link").first.click()
    visit.until_open()


def _selection(visit: Visit) -> None:
    visit.go("/inbox/")
    for number in (1, 2, 4):
        visit.page.locator("input[name=ids]").nth(number).evaluate("box => box.click()")


def _drawer(visit: Visit) -> None:
    visit.go("/inbox/")
    if visit.is_narrow:
        visit.page.locator("[data-drawer]").click()
    else:
        visit.page.locator("details.me > summary").click()


def _undo(visit: Visit) -> None:
    """A mail was deleted a moment ago."""
    visit.go("/inbox/")
    visit.page.locator("input[name=ids]").nth(3).evaluate("box => box.click()")
    visit.page.keyboard.press("#")
    visit.page.locator("#toasts button").wait_for()


def _undone(visit: Visit) -> None:
    with visit.page.expect_response("**/act/"):
        visit.page.locator("#toasts button").click()


def _empty_folder(visit: Visit) -> None:
    visit.go("/inbox/")
    folder = visit.page.locator(".node-own a.node", has_text="样品").first.get_attribute("data-folder")
    visit.go(f"/mail/{folder}/")


def _menu(key: str) -> Callable[[Visit], None]:
    """A menu above the list, unfolded."""

    def visit_menu(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.page.locator(f"[data-list-key={key}]").click()

    return visit_menu


def _filtered(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.page.goto(f"{visit.page.url}?show=unread&show=attachment&sort=sender")


def _todo_mail(visit: Visit) -> None:
    tree_list("todo")(visit)
    visit.page.locator("a.row-link").first.click()
    visit.until_open()


def _label_menu(visit: Visit) -> None:
    visit.open_mail(LONG_THREAD)
    visit.page.locator("#mail [data-labels] > summary").click()


def _labels(path: str) -> Callable[[Visit], None]:
    """A page of 标签管理, for the first label."""

    def visit_labels(visit: Visit) -> None:
        visit.go("/inbox/")
        label = visit.page.locator("[data-tree-list^=label-]").first.get_attribute("href") or "/"
        visit.go(label + path)

    return visit_labels


def _conversation(visit: Visit) -> None:
    """The longest one; the list is of mails again afterwards."""
    folder("/mail/{folder}/")(visit)
    _talk(visit, on=True)
    visit.page.locator("a.row-link", has_text="60x60").first.click()
    visit.until_open()
    visit.page.wait_for_timeout(SETTLE_MS)
    _talk(visit, on=False, stay=True)


def _talk(visit: Visit, *, on: bool, stay: bool = False) -> None:
    """Conversations on or off, as the menu does it; `stay` leaves the page as it is."""
    form = {"conversations": "on" if on else "off"}
    token = visit.page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    url = f"{visit.base_url}/preferences/display/"
    headers = {"Referer": visit.base_url}
    visit.page.context.request.post(url, form={"csrfmiddlewaretoken": token, **form}, headers=headers)
    if not stay:
        visit.page.reload(wait_until="load")


def _day(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.page.locator("[data-jump]").click()


NEWSLETTER = "光影国际照明展：观众预登记开启"
SHOTS = (
    Shot("inbox", READER, at("/inbox/")),
    Shot("inbox-mail", READER, _inbox_with_mail),
    Shot("inbox-selection", READER, _selection),
    Shot("inbox-undo", READER, _undo, after=_undone),
    Shot("menu", READER, _drawer),
    Shot("inbox-filters", READER, _menu("F")),
    Shot("inbox-orders", READER, _menu("S")),
    Shot("inbox-filtered", READER, _filtered),
    Shot("inbox-date", READER, _day),
    Shot("conversation", READER, _conversation),
    Shot("thread", READER, mail(LONG_THREAD)),
    Shot("newsletter", READER, mail(NEWSLETTER)),
    Shot("quotation", READER, mail(TABLE_MAIL)),
    Shot("todo", READER, tree_list("todo")),
    Shot("todo-mail", READER, _todo_mail),
    Shot("todo-done", READER, tree_list("done")),
    Shot("label", READER, tree_list("label-")),
    Shot("label-menu", READER, _label_menu),
    Shot("labels", READER, _labels("../")),
    Shot("label-new", READER, _labels("../new/")),
    Shot("label-edit", READER, _labels("edit/")),
    Shot("label-delete", READER, _labels("delete/")),
    Shot("sent", READER, role("sent")),
    Shot("drafts", READER, role("drafts")),
    Shot("junk", READER, role("junk")),
    Shot("folder-empty", READER, _empty_folder),
    Shot("folder-new", READER, at("/folders/new/")),
    Shot("folder-edit", READER, folder("/folders/{folder}/edit/")),
    Shot("folder-delete", READER, folder("/folders/{folder}/delete/")),
    Shot("search", READER, lambda visit: visit.search("报价")),
    Shot("search-nothing", READER, lambda visit: visit.search("zzzz")),
    Shot("recovery", READER, at("/recovery/")),
)
