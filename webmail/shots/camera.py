"""Drives Chromium through the pages, one combination of language, theme and width after the other."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from webmail.demo.company import DOMAIN, PASSWORD
from webmail.shots.visit import SETTLE_MS, Shot, Visit

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
HEIGHTS = {390: 844}
TIMEOUT_MS = 15_000
LANGUAGES = {"zh": "zh-hans", "en": "en"}


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """One combination."""

    language: str
    theme: str
    width: int

    def file_name(self, shot: Shot) -> str:
        """Sorted by page first."""
        return f"{shot.name}-{self.language}-{self.theme}-{self.width}.png"


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A picture that could not be taken."""

    file_name: str
    reason: str


def take_all(
    base_url: str, folder: Path, *, shots: Sequence[Shot], looks: Sequence[Look], tell: Callable[[str], None]
) -> list[Failure]:
    """Every shot in every look into `folder`; what failed."""
    failures: list[Failure] = []
    with _browser() as browser:
        for look in looks:
            for account in dict.fromkeys(shot.account for shot in shots):
                mine = [shot for shot in shots if shot.account == account]
                with _signed_in(browser, base_url, account, look) as page:
                    failures += _take(Visit(page, base_url), folder, mine, look)
            tell(f"{look.language} {look.theme} {look.width}")
    return failures


def _take(visit: Visit, folder: Path, shots: Sequence[Shot], look: Look) -> list[Failure]:
    failures = []
    for shot in shots:
        target = folder / look.file_name(shot)
        try:
            shot.visit(visit)
            visit.page.wait_for_timeout(SETTLE_MS)
            visit.page.screenshot(path=target, full_page=shot.whole_page)
            if shot.after:
                shot.after(visit)
        except Error as error:
            failures.append(Failure(target.name, str(error).splitlines()[0]))
    return failures


@contextlib.contextmanager
def _browser() -> Iterator[Browser]:
    """Debian's Chromium, or Playwright's own when that is not there."""
    with sync_playwright() as playwright:
        own = next((path for path in CHROMIUM if Path(path).exists()), None)
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox", "--hide-scrollbars"])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def _signed_in(browser: Browser, base_url: str, account: str, look: Look) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": look.width, "height": HEIGHTS.get(look.width, 900)},
        color_scheme="dark" if look.theme == "dark" else "light",
        locale="zh-CN" if look.language == "zh" else "en-GB",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT_MS)
    try:
        page = context.new_page()
        if account:
            _sign_in(page, base_url, account)
        _prefer(context, page, base_url, look)
        yield page
    finally:
        context.close()


def _sign_in(page: Page, base_url: str, account: str) -> None:
    page.goto(f"{base_url}/sign-in/")
    page.fill("#login", f"{account}@{DOMAIN}")
    page.fill("#password", PASSWORD)
    page.locator("form[data-sign-in] button.button-primary").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def _prefer(context: BrowserContext, page: Page, base_url: str, look: Look) -> None:
    """Language and theme by the forms that people use."""
    if page.url == "about:blank":
        page.goto(f"{base_url}/sign-in/")
    token = page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    for path, field, value in (
        ("language", "language", LANGUAGES[look.language]),
        ("display", "theme", look.theme),
    ):
        context.request.post(
            f"{base_url}/preferences/{path}/",
            form={"csrfmiddlewaretoken": token, field: value},
            headers={"Referer": base_url},
        )
