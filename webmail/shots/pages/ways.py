"""Mail on its way: what waits, what became of it, who must agree."""

from __future__ import annotations

from webmail.demo.administered import FORWARD_SUBJECT, LIST
from webmail.demo.ways import APPROVED_SUBJECT
from webmail.shots.visit import READER, Shot, Visit, at, link, role


def _outbox(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.go(visit.page.locator("#tree a[href$='/outbox/']").get_attribute("href") or "/")


def _outbox_mail(visit: Visit) -> None:
    _outbox(visit)
    visit.go(visit.page.locator("a.way-subject").first.get_attribute("href") or "/")


def _sent_status(visit: Visit) -> None:
    role("sent")(visit)
    visit.page.locator("a.row-link").first.click()
    visit.until_open()
    visit.page.locator("#way-panel > summary").click()


def _recall(visit: Visit) -> None:
    _sent_status(visit)
    visit.go(visit.page.locator("#way-panel .way-foot a").get_attribute("href") or "/")


def _approval(visit: Visit) -> None:
    visit.go("/approvals/")
    visit.go(visit.page.locator("a.way-subject").first.get_attribute("href") or "/")


SHOTS = (
    Shot("outbox", READER, _outbox),
    Shot("outbox-mail", READER, _outbox_mail),
    Shot("sending", READER, at("/sending/")),
    Shot("delivery-log", READER, at("/logs/delivery/")),
    Shot("sent-status", READER, _sent_status),
    Shot("recall", READER, _recall),
    Shot("approvals", READER, at("/approvals/")),
    Shot("approval", READER, _approval),
    Shot("approval-log", READER, at("/logs/approvals/")),
    Shot("list-mail-link", READER, link(LIST[-1], "/list-mail/")),
    Shot("approval-link", READER, link(APPROVED_SUBJECT, "/approve/")),
    Shot("forward-link", READER, link(FORWARD_SUBJECT, "/forward/")),
)
