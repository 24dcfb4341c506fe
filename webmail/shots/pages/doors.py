"""Signing in, the home page, and what is not there."""

from __future__ import annotations

from webmail.demo.company import PASSWORD
from webmail.shots.visit import READER, Shot, Visit, at


def _sign_in_error(visit: Visit) -> None:
    visit.go("/sign-in/")
    visit.page.fill("#login", "wangfang@example.test")
    visit.page.fill("#password", f"not {PASSWORD}")
    visit.page.locator("form[data-sign-in] button.button-primary").click()
    visit.page.locator("[role=alert]").wait_for()


SHOTS = (
    Shot("sign-in", "", at("/sign-in/")),
    Shot("sign-in-error", "", _sign_in_error),
    Shot("not-found-guest", "", at("/nothing-here/")),
    Shot("home", READER, at("/")),
    Shot("programs", READER, at("/programs/")),
    Shot("not-found", READER, at("/mail/1/")),
)
