"""A real browser against a real server. Every page a test opens must stay free of script errors and policy violations.

Playwright's synchronous API leaves an event loop running in its thread, which Django's database code of other tests
would refuse; so a browser test, whole, runs in one thread of its own.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    expect,
    sync_playwright,
)

from tests.browser.letters import letter
from tests.browser.seed import PASSWORD
from tests.browser.server import Server, serving
from tests.mta.sink import Sink, remote

CHROMIUM = "/usr/bin/chromium"
SHOTS = Path(__file__).resolve().parent.parent.parent / "shots" / "failed"
PEOPLE = 160
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d)")

thread = ThreadPoolExecutor(1, thread_name_prefix="browser")
expect.set_options(timeout=30_000)


def pytest_itemcollected(item: pytest.Item) -> None:
    """All of them in one worker, because they share one server (later hooks are too late for xdist to see it)."""
    item.add_marker(pytest.mark.browser)
    item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run the test where Playwright lives."""
    names = pyfuncitem._fixtureinfo.argnames
    thread.submit(pyfuncitem.obj, **{name: pyfuncitem.funcargs[name] for name in names}).result()
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test leaves its pages as pictures."""
    report = yield
    world = getattr(item, "funcargs", {}).get("world")
    if world and report.when == "call" and report.failed:
        thread.submit(world.photograph, re.sub(r"\W+", "-", item.name)).result()
    return report


@pytest.fixture(scope="session")
def sink() -> Iterator[tuple[Sink, int]]:
    """The world outside: takes mail for far.test."""
    taken = Sink()
    with remote(taken) as port:
        yield taken, port


@pytest.fixture(scope="session")
def server(sink: tuple[Sink, int], request: pytest.FixtureRequest) -> Iterator[Server]:
    """One server for all browser tests; every test uses accounts of its own."""
    if getattr(request.config.option, "loadgroup", False):
        assert any("@browser" in item.nodeid for item in request.session.items), "xdist lost the group"
    people = [f"user{number}@example.test" for number in range(PEOPLE)]
    with serving({"far.test": f"127.0.0.1:{sink[1]}"}, ["boss@example.test", *people]) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser; every person has a context (profile) of his own in it."""
    playwright = thread.submit(sync_playwright().start).result()
    rules = "--host-resolver-rules=MAP *.example.test 127.0.0.1"
    options: dict[str, Any] = {"executable_path": CHROMIUM, "args": ["--no-sandbox", rules]}
    browser = thread.submit(playwright.chromium.launch, **options).result()
    yield browser
    thread.submit(browser.close).result()
    thread.submit(playwright.stop).result()


numbers = itertools.count()


@dataclasses.dataclass(eq=False)
class Person:
    """Somebody with an account and a browser window."""

    address: str
    context: BrowserContext
    page: Page
    server: Server

    @property
    def name(self) -> str:
        """As others see it."""
        return self.address.partition("@")[0].capitalize()

    def sign_in(self) -> None:
        """Without looking at the form."""
        url = f"{self.server.url}/sign-in/"
        self.context.request.get(url)
        token = next(each["value"] for each in self.context.cookies() if each["name"] == "csrftoken")
        form = {"login": self.address, "password": PASSWORD, "csrfmiddlewaretoken": token}
        answer = self.context.request.post(url, form=form, headers={"Referer": url})
        assert answer.ok and "/sign-in/" not in answer.url, answer.status

    def open(self, path: str = "/inbox/") -> Page:
        """Go there."""
        self.page.goto(self.server.url + path)
        return self.page

    def receive(self, *subjects: str, **options: str) -> None:
        """Mails from outside, the last one newest."""
        for subject in subjects:
            self.server.deliver(self.address, letter(self.address, subject, **options))

    def row(self, subject: str) -> Locator:
        """The row of a mail in the list."""
        return self.page.locator(".row", has=self.page.get_by_text(subject, exact=True))

    def folder(self, name: str) -> Locator:
        """A folder in the tree."""
        return self.page.locator("#tree").get_by_role("link", name=re.compile(f"^{re.escape(name)}( \\d+)?$"))

    def enter(self, name: str) -> None:
        """Choose a folder in the tree; done when its page is there and hears keys."""
        self.folder(name).click()
        expect(self.page.get_by_role("heading", level=1, name=name, exact=True)).to_be_visible()
        self.page.wait_for_load_state()

    def write_to(self, *addresses: str, field: str = "To") -> None:
        """Fill a recipient field of the open composer."""
        expect(self.page.locator("[data-composer][data-ready]")).to_be_attached()
        box = self.page.get_by_role("combobox", name=field, exact=True)
        for address in addresses:
            box.fill(address)
            box.press("Enter")
            expect(self.page.locator(".person-name", has_text=address)).to_be_visible()

    def send(self) -> None:
        """Send what is in the composer; done when the composer is gone."""
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.page.locator("[data-composer]")).to_have_count(0)

    def editor(self) -> Locator:
        """The text of the rich editor, which is ready: a frame in a frame."""
        expect(self.page.locator("[data-composer][data-ready]")).to_be_attached()
        frame = self.page.frame_locator("[data-editor-frame]")
        return frame.frame_locator("iframe").locator("body[contenteditable=true]")

    def toast(self, text: str) -> Locator:
        """What the page said last; waits for it."""
        line = self.page.locator("#toasts .toast", has_text=text)
        expect(line).to_be_visible()
        return line


@dataclasses.dataclass(eq=False)
class World:
    """Makes people; knows what went wrong in any of their windows."""

    browser: Browser
    server: Server
    contexts: list[BrowserContext] = dataclasses.field(default_factory=list)
    wrong: list[str] = dataclasses.field(default_factory=list)
    allowed: set[int] = dataclasses.field(default_factory=set)
    expected: str = "\0"
    """Part of a line in the console that this test provokes."""

    def person(self, *, signed_in: bool = True, address: str = "", **options: Any) -> Person:
        """A new account in a new window; `options` are those of Playwright's `new_context`."""
        number = next(numbers) if not address else 0
        assert number < PEOPLE, "more tests than accounts: PEOPLE"
        address = address or f"user{number}@example.test"
        options = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"} | options
        context = self.browser.new_context(**options)
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.wrong.append(f"script: {error.error}"))
        context.on("response", self._answered)
        person = Person(address, context, context.new_page(), self.server)
        if signed_in:
            person.sign_in()
        return person

    def allow(self, *statuses: int) -> None:
        """Answers that this test provokes."""
        self.allowed.update(statuses)

    def photograph(self, name: str) -> None:
        """Every open window as it is now."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        pages = [page for context in self.contexts for page in context.pages]
        for number, page in enumerate(pages):
            page.screenshot(path=SHOTS / f"{name}-{number}.png")

    def close(self) -> None:
        """All windows."""
        for context in self.contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        refused = REFUSED.match(message.text)
        if message.type != "error" or self.expected in message.text or refused and int(refused[1]) in self.allowed:
            return
        self.wrong.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.wrong.append(f"{response.status} {response.url}")


@pytest.fixture
def world(chromium: Browser, server: Server) -> Iterator[World]:
    """What a test starts from; at its end nothing may have gone wrong in any window."""
    made = World(chromium, server)
    begin = len(server.log())
    yield made
    thread.submit(made.close).result()
    assert made.wrong == [], server.log()[begin:]


@pytest.fixture
def person(world: World) -> Person:
    """One who is signed in."""
    return thread.submit(world.person).result()


@pytest.fixture
def people(world: World) -> Callable[[], Person]:
    """Makes more of them (call it in the test itself)."""
    return world.person
