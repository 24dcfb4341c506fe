"""Hostile HTML in a real browser: nothing runs, nothing is loaded, and the frame is a sandbox."""

from __future__ import annotations

import base64
import re

from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Person
from tests.data.hostile_html import HTML

WHOLE_ROAD = ("script: script", "mutation: style in math", "document: refresh", "document: base", "style: overlay")


OWN_PICTURE = re.compile(r"^https://bare\.example\.test/message/\d+/cid\?")
"""A picture that the mail itself carries, by our own address."""


def letter_of(name: str, html: str) -> bytes:
    """A mail of this HTML alone."""
    subject = base64.b64encode(name.encode()).decode()
    fields = f"From: x@far.test\r\nSubject: =?utf-8?B?{subject}?=\r\nMIME-Version: 1.0\r\n"
    fields += 'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return fields.encode() + base64.encodebytes(html.encode()).replace(b"\n", b"\r\n")


def test_cleaned_html_runs_and_loads_nothing_even_without_sandbox_and_policy(person: Person) -> None:
    """The sanitiser alone: its output as a page of its own, where everything that is left may run."""
    for name, html in HTML.items():
        person.server.deliver(person.address, letter_of(name, html))
    bodies = all_bodies(person)
    assert len(bodies) == len(HTML)
    page = person.context.new_page()
    asked: list[str] = []

    def answer(route: Route, request: Request) -> None:
        if not OWN_PICTURE.search(request.url):
            asked.append(request.url)
        route.fulfill(body="<p>", content_type="text/html")

    page.route("**/*", answer)
    wrong = [body[:3_000] for body in bodies if ran(page, asked, body)]
    assert wrong == []


def ran(page: Page, asked: list[str], body: str) -> bool:
    """Whether anything ran, was asked for, or covers the window."""
    page.goto("https://bare.example.test/")
    asked.clear()
    page.set_content(body)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")
    fixed = "() => [...document.querySelectorAll('*')].some((e) => getComputedStyle(e).position === 'fixed')"
    handlers = "() => [...document.querySelectorAll('*')].some((e) => e.getAttributeNames().some((n) => /^on/.test(n)))"
    found = page.evaluate("() => typeof window.pwned === 'number'") or page.evaluate(fixed) or page.evaluate(handlers)
    return bool(found or asked or page.url != "https://bare.example.test/" and not page.url.startswith("about:"))


def all_bodies(person: Person) -> list[str]:
    """What is sent into the frame for every mail of the inbox."""
    bodies = []
    path: str | None = "/inbox/"
    while path:
        text = person.context.request.get(person.server.url + path).text()
        for entry in dict.fromkeys(re.findall(r"/mail/\d+/(\d+)/", text)):
            answer = person.context.request.get(f"{person.server.url}/message/{entry}/body")
            assert "sandbox allow-same-origin" in answer.headers["content-security-policy"]
            assert "allow-scripts" not in answer.headers["content-security-policy"]
            bodies.append(answer.text())
        following = re.search(r'href="([^"]+)"[^>]*rel="next"|rel="next"[^>]*href="([^"]+)"', text)
        path = following and (following[1] or following[2]).replace("&amp;", "&")
        path = path if path is None or path.startswith("/") else f"/inbox/{path}"
    return bodies


def test_a_hostile_mail_opened_as_people_do_stays_in_its_frame(person: Person) -> None:
    for name in WHOLE_ROAD:
        person.server.deliver(person.address, letter_of(name, "<p>still readable</p>" + HTML[name]))
    elsewhere: list[str] = []

    def judge(route: Route, request: Request) -> None:
        if not request.url.startswith((person.server.url, "data:", "blob:")):
            elsewhere.append(request.url)
        route.continue_()

    person.context.route("**/*", judge)
    for name in WHOLE_ROAD:
        person.open("/inbox/")
        person.row(name).click()
        frame = person.page.locator("iframe[sandbox]").first
        expect(frame).to_have_attribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox")
        expect(person.page.frame_locator("iframe[sandbox]").first.get_by_text("still readable")).to_be_visible()
        assert not person.page.evaluate("() => typeof window.pwned === 'number'")
        assert person.page.url.startswith(person.server.url)
    assert elsewhere == []
