"""The administration."""

from __future__ import annotations

from collections.abc import Callable

from webmail.shots.visit import ADMIN, Shot, Visit, at


def _first(path: str) -> Callable[[Visit], None]:
    def visit_first(visit: Visit) -> None:
        visit.go(path)
        address = visit.page.locator("#result_list tbody a").first.get_attribute("href")
        visit.go(address or path)

    return visit_first


def _filters(path: str) -> Callable[[Visit], None]:
    """A list with its filters unfolded."""

    def visit_filters(visit: Visit) -> None:
        visit.go(path)
        button = visit.page.locator("#changelist-filter-open")
        if button.is_visible():
            button.click()
        visit.page.locator("#changelist-filter").wait_for()

    return visit_filters


def _dns(visit: Visit) -> None:
    """The records of the domain, looked up now."""
    _first("/admin/mta/mailpolicy/")(visit)
    visit.go(visit.page.locator("a[href*='/dns']").first.get_attribute("href") or "/admin/")


def _refused(visit: Visit) -> None:
    """A filter that was not saved, with what was typed."""
    visit.go("/admin/mta/filter/add/")
    visit.page.locator("[name=name]").fill("Offers")
    visit.page.locator("[name=conditions-0-what]").select_option("subject")
    visit.page.locator("[name=_save]").click()
    visit.page.locator(".errorlist, [id$=_error], .bg-red-100").first.wait_for()


PAGES = {
    "queue": "mta/delivery",
    "sent": "mta/submission",
    "certificates": "mta/hostcertificate",
    "certificate": "mta/hostcertificate/add",
    "smart-hosts": "mta/smarthost",
    "smart-host": "mta/smarthost/add",
    "approval-rules": "mta/approvalrule",
    "approval-log": "mta/approval",
    "filters": "mta/filter",
    "filter-new": "mta/filter/add",
    "filter-runs": "mta/filterrun",
    "filter-run-new": "mta/filterrun/add",
    "replies": "mta/autoreply",
    "forwards": "mta/autoforward",
    "forward-targets": "mta/forwardtarget",
    "monitoring": "mta/monitorrule",
    "monitor-new": "mta/monitorrule/add",
    "moderation": "mta/heldpost",
    "quarantine": "mta/quarantinedmail",
    "company": "mta/sendpolicy",
    "stops": "mta/sendstop",
    "suppressed": "mta/suppressedaddress",
    "mail-policies": "mta/mailpolicy",
    "dkim": "mta/dkimkey",
    "dmarc": "mta/dmarcreport",
    "listed-senders": "mta/listedsender",
    "rights": "accounts/accountrights",
    "programs": "accounts/credential",
    "program-rules": "accounts/programrule",
    "pop": "mailaccess/popsettings",
    "events": "logs_app/event",
}
"""Lists of the administration and forms for something new."""
FIRST = {
    "delivery": "mta/delivery",
    "sent-mail": "mta/submission",
    "host-certificate": "mta/hostcertificate",
    "smart-host-edit": "mta/smarthost",
    "approval-rule": "mta/approvalrule",
    "approval": "mta/approval",
    "filter": "mta/filter",
    "reply": "mta/autoreply",
    "forward": "mta/autoforward",
    "monitor": "mta/monitorrule",
    "held-post": "mta/heldpost",
    "quarantined": "mta/quarantinedmail",
    "company-policy": "mta/sendpolicy",
    "mail-policy": "mta/mailpolicy",
    "account-rights": "accounts/accountrights",
    "event": "logs_app/event",
}
"""What stands behind the first row of a list."""

FILTERED = {
    "queue": "mta/delivery",
    "events": "logs_app/event",
    "accounts": "accounts/account",
    "rights": "accounts/accountrights",
}
"""Lists whose filters are unfolded."""
SHOTS = (
    Shot("admin-sign-in", "", at("/admin/")),
    Shot("admin", ADMIN, at("/admin/")),
    *(Shot(f"admin-{name}", ADMIN, at(f"/admin/{path}/"), whole_page=True) for name, path in PAGES.items()),
    *(Shot(f"admin-{name}", ADMIN, _first(f"/admin/{path}/"), whole_page=True) for name, path in FIRST.items()),
    *(Shot(f"admin-{name}-filters", ADMIN, _filters(f"/admin/{path}/")) for name, path in FILTERED.items()),
    Shot("admin-dns", ADMIN, _dns, whole_page=True),
    Shot("admin-filter-error", ADMIN, _refused, whole_page=True),
    Shot("admin-accounts", ADMIN, at("/admin/accounts/account/")),
    Shot("admin-account", ADMIN, _first("/admin/accounts/account/")),
    Shot("admin-departments", ADMIN, at("/admin/accounts/department/")),
    Shot("admin-groups", ADMIN, at("/admin/accounts/group/")),
    Shot("admin-group", ADMIN, _first("/admin/accounts/group/")),
    Shot("admin-domain", ADMIN, _first("/admin/accounts/domain/")),
)
