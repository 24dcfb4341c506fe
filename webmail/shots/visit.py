"""A browser that is brought to a page, as people go there, and the ways that several pages share.

A visit starts with the browser signed in as wangfang (or nobody, or the administrator) and ends when what belongs on
the picture stands. Mails are found by their subject, as a person finds them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from playwright.sync_api import Page

LONG_THREAD = "Quotation for LED panel lights 60x60"
TABLE_MAIL = "Quotation FY-26140: garden lights, spring 2027"
READER, ADMIN = "wangfang", "admin"
SETTLE_MS = 250


class Visit:
    """A browser's page with the few moves that all visits share."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url

    @property
    def is_narrow(self) -> bool:
        """Whether it is a phone."""
        size = self.page.viewport_size
        return bool(size and size["width"] < 800)

    def go(self, path: str) -> None:
        """Open an address of ours."""
        self.page.goto(f"{self.base_url}{path}", wait_until="load")

    def search(self, text: str) -> None:
        """The results for a word."""
        self.page.goto(f"{self.base_url}/search/?q={text}", wait_until="load")

    def open_mail(self, subject: str) -> None:
        """The newest mail whose subject holds `subject`, wherever it lies."""
        self.search(subject)
        self.page.locator("a.row-link", has_text=subject).first.click()
        self.until_open()

    def until_open(self) -> None:
        """The mail stands, its own frame too where it has one."""
        self.page.locator("#mail").first.wait_for()
        self.until_loaded()

    def until_loaded(self) -> None:
        """Every frame is loaded (a network at rest never comes: live updates keep a line open)."""
        for frame in self.page.frames:
            frame.wait_for_load_state("load")

    def answer(self, mode: str) -> None:
        """Press a button of the opened mail's first row."""
        self.page.locator(f"form[data-answer-form] button[value={mode}]").first.click()
        self.page.locator(".compose").first.wait_for()
        self.until_loaded()


@dataclasses.dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its name, who looks ('' for nobody), and the way there."""

    name: str
    account: str
    visit: Callable[[Visit], None]
    whole_page: bool = False
    after: Callable[[Visit], None] | None = None
    """Puts back what the visit changed."""


def at(path: str) -> Callable[[Visit], None]:
    """The page of an address."""
    return lambda visit: visit.go(path)


def mail(subject: str) -> Callable[[Visit], None]:
    """The newest mail of a subject."""
    return lambda visit: visit.open_mail(subject)


def role(role: str) -> Callable[[Visit], None]:
    """A folder that everybody has."""

    def visit_role(visit: Visit) -> None:
        visit.go("/inbox/")
        folder = visit.page.locator(f"[data-role={role}]").first.get_attribute("data-folder")
        visit.go(f"/mail/{folder}/")

    return visit_role


def folder(path: str) -> Callable[[Visit], None]:
    """A page of the folder 欧洲客户, by the pattern of its address."""

    def visit_folder(visit: Visit) -> None:
        visit.go("/inbox/")
        name = visit.page.locator(".node-own a.node", has_text="欧洲客户").first.get_attribute("data-folder")
        visit.go(path.format(folder=name))

    return visit_folder


def tree_end(end: str) -> Callable[[Visit], None]:
    """A list of the tree by the end of its address."""

    def visit_list(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.go(visit.page.locator(f"#tree a[href$='{end}']").get_attribute("href") or "/")

    return visit_list


def tree_list(name: str) -> Callable[[Visit], None]:
    """A list across folders: to-do, done, a label."""

    def visit_list(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.go(visit.page.locator(f"[data-tree-list^={name}]").first.get_attribute("href") or "/")

    return visit_list


def link(subject: str, part: str) -> Callable[[Visit], None]:
    """The page behind the signed link of a notice, which has a frame of its own where it is HTML."""

    def visit_link(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.page.locator("a.row-link", has_text=subject).first.click()
        visit.until_open()
        wanted = f"a[href*='{part}']"
        framed = visit.page.locator("#mail [data-letter-frame]").count()
        letter = visit.page.frame_locator("#mail [data-letter-frame]").first if framed else visit.page.locator("#mail")
        visit.page.goto(letter.locator(wanted).first.get_attribute("href") or "/", wait_until="load")

    return visit_link
