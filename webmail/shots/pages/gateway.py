"""What the gateway put aside, and the frauds that it lets people see."""

from __future__ import annotations

from webmail.demo.unwanted import FRAUD_SUBJECT
from webmail.shots.visit import READER, Shot, Visit, link, mail, role, tree_end


def _quarantined(visit: Visit) -> None:
    tree_end("/quarantine/")(visit)
    visit.go(visit.page.locator(".quarantine-rows a").nth(1).get_attribute("href") or "/")


def _fraud(visit: Visit) -> None:
    """A look-alike domain, warned of."""
    role("junk")(visit)
    row = visit.page.locator(".row-link", has_text=FRAUD_SUBJECT).first
    visit.go(row.get_attribute("href") or "/")


def _chosen(visit: Visit) -> None:
    tree_end("/quarantine/")(visit)
    for number in (0, 2):
        visit.page.locator(".quarantine-row input").nth(number).check()


REPORT_SUBJECT = "疑似垃圾邮件"
REPORT = "/quarantine/link/"
SHOTS = (
    Shot("quarantine", READER, tree_end("/quarantine/")),
    Shot("quarantine-selection", READER, _chosen),
    Shot("quarantine-mail", READER, _quarantined),
    Shot("quarantine-report", READER, mail(REPORT_SUBJECT)),
    Shot("quarantine-link", READER, link(REPORT_SUBJECT, REPORT)),
    Shot("fraud", READER, _fraud),
)
