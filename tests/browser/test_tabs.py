"""Many tabs, one stream: no tab waits for another, and every one hears what is new."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Person, World
from tests.browser.seed import PASSWORD

TABS = 8


def new_mail(page: Page, subject: str) -> None:
    """It has arrived in this tab."""
    expect(page.locator(".row", has=page.get_by_text(subject, exact=True))).to_be_visible()


class Streams:
    """The tabs of a person that have asked for live updates, newest last; one that closed has no stream any more."""

    def __init__(self, person: Person) -> None:
        self.open: list[tuple[Page, Request]] = []
        person.context.on("request", self._asked)
        for event in ("requestfailed", "requestfinished"):
            person.context.on(event, self._ended)

    def tabs(self) -> list[Page]:
        """Those with a stream now."""
        return [page for page, _request in self.open if not page.is_closed()]

    def _asked(self, request: Request) -> None:
        if "/live/" in request.url:
            self.open.append((request.frame.page, request))

    def _ended(self, request: Request) -> None:
        self.open = [(page, each) for page, each in self.open if each != request]


def opened_tabs(person: Person) -> list[Page]:
    """TABS tabs with the inbox."""
    pages = [person.page, *(person.context.new_page() for _number in range(TABS - 1))]
    for page in pages:
        page.goto(f"{person.server.url}/inbox/")
        expect(page.get_by_role("heading", name="All caught up")).to_be_visible()
    return pages


def closing_the_leader_hands_over(person: Person, pages: list[Page], streams: Streams) -> None:
    """The next one listens, alone, and all others go on hearing."""
    (leader,) = streams.tabs()
    leader.close()
    rest = [page for page in pages if page != leader]
    person.receive("After the first one closed")
    for page in rest:
        new_mail(page, "After the first one closed")
    assert len(streams.tabs()) == 1


def test_eight_tabs_share_one_stream_and_hear_everything(person: Person) -> None:
    streams = Streams(person)
    pages = opened_tabs(person)
    person.receive("To all tabs")
    for page in pages:
        new_mail(page, "To all tabs")
    closing_the_leader_hands_over(person, pages, streams)


def test_eight_tabs_stay_usable_under_a_name_without_https(world: World) -> None:
    """There browsers know no Web Locks, and allow six connections to a host."""
    person = world.person(signed_in=False)
    person.server = world.server.at("webmail.example.test")
    page = person.open("/sign-in/")
    page.get_by_role("textbox", name="Account").fill(person.address.partition("@")[0])
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("textbox", name="Password").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(person.name)
    streams = Streams(person)
    pages = opened_tabs(person)
    assert not page.evaluate("isSecureContext")
    person.receive("To all tabs")
    for each in pages:
        new_mail(each, "To all tabs")
    sent = pages[-1].get_by_role("link", name=re.compile("^Sent"))
    sent.click()
    expect(pages[-1].get_by_role("heading", name="Nothing sent yet")).to_be_visible()
    pages.pop()
    closing_the_leader_hands_over(person, pages, streams)


def test_mail_that_comes_while_a_page_loads_is_shown(person: Person) -> None:
    """Between the server's answer and the stream's beginning nobody hears a hint."""
    page = person.page
    page.route("**/live/**", lambda route: (person.receive("In between"), route.continue_()))
    person.open()
    new_mail(page, "In between")


def test_a_stream_that_breaks_is_taken_up_again(world: World) -> None:
    world.expected = "ERR_FAILED"
    person = world.person()
    page = person.page
    page.route("**/live/**", lambda route: route.abort(), times=1)
    person.open()
    expect(page.get_by_role("heading", name="All caught up")).to_be_visible()
    person.receive("While nobody listened")
    new_mail(page, "While nobody listened")
