"""How much a page weighs on the wire, in bytes (250 KB at first, 15 KB for a refresh)."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Person

FIRST_LOAD_BYTES = 250 * 1024
REFRESH_BYTES = 15 * 1024


class Wire:
    """Bytes that came over the network, by address."""

    def __init__(self, person: Person) -> None:
        self.urls: dict[str, str] = {}
        self.bytes: dict[str, int] = {}
        session = person.context.new_cdp_session(person.page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._started)
        session.on("Network.loadingFinished", self._finished)

    def _started(self, event: dict[str, Any]) -> None:
        self.urls[event["requestId"]] = event["response"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        url = self.urls.get(event["requestId"], "")
        self.bytes[url] = self.bytes.get(url, 0) + int(event["encodedDataLength"])


def test_a_full_mailbox_weighs_less_than_250_kb_at_first_and_a_refresh_less_than_15(person: Person) -> None:
    for number in range(55):
        person.receive(
            f"第{number}批货物的报价与交货期 – quotation {number}", body=f"您好，第 {number} 批货物的报价见附件。" * 4
        )
    page = person.page
    wire = Wire(person)
    person.open()
    expect(page.locator(".row")).to_have_count(50)
    page.wait_for_timeout(500)
    first = sum(wire.bytes.values())
    assert 20_000 < first < FIRST_LOAD_BYTES, sorted(wire.bytes.items(), key=lambda item: -item[1])[:10]

    wire.bytes.clear()
    person.receive("One more")
    expect(person.row("One more")).to_be_visible()
    page.wait_for_timeout(300)
    assert 1_000 < sum(wire.bytes.values()) < REFRESH_BYTES, wire.bytes

    page.reload()
    expect(page.locator(".row")).to_have_count(50)
    page.wait_for_load_state()
    wire.bytes.clear()
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".row")).to_have_count(6)
    page.wait_for_timeout(300)
    assert 1_000 < sum(wire.bytes.values()) < REFRESH_BYTES, wire.bytes
