"""The pages that are photographed, each as a function that brings a browser there.

A visit starts with the browser signed in as wangfang (or nobody, or the administrator) and ends when what belongs on
the picture stands. Mails are found by their subject, as a person finds them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from playwright.sync_api import Page

from webmail.demo.administered import LIST
from webmail.demo.company import PASSWORD
from webmail.demo.unwanted import FRAUD_SUBJECT
from webmail.demo.ways import APPROVED_SUBJECT

LONG_THREAD = "Quotation for LED panel lights 60x60"
NEWSLETTER = "光影国际照明展：观众预登记开启"
TABLE_MAIL = "Quotation FY-26140: garden lights, spring 2027"
LIST_SUBJECT = LIST[-1]
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


def _sign_in_error(visit: Visit) -> None:
    visit.go("/sign-in/")
    visit.page.fill("#login", "wangfang@example.test")
    visit.page.fill("#password", f"not {PASSWORD}")
    visit.page.locator("form[data-sign-in] button.button-primary").click()
    visit.page.locator("[role=alert]").wait_for()


def _inbox_with_mail(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.page.locator("a.row-link").first.click()
    visit.until_open()


def _selection(visit: Visit) -> None:
    visit.go("/inbox/")
    for number in (1, 2, 4):
        visit.page.locator("input[name=ids]").nth(number).evaluate("box => box.click()")


def _drawer(visit: Visit) -> None:
    visit.go("/inbox/")
    if visit.is_narrow:
        visit.page.locator("[data-drawer]").click()
    else:
        visit.page.locator("details.me > summary").click()


def _individual(visit: Visit) -> None:
    """A mail to several people, each of whom will see himself alone."""
    visit.go("/compose/?to=lina@example.com,%20zhao@example.org&cc=sun@example.net")
    visit.page.locator("[data-individual]").check()
    visit.page.locator(".chips .person").nth(2).wait_for()


def _compose(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.go("/compose/")
    visit.page.locator(".compose").first.wait_for()
    visit.until_loaded()


def _reply(visit: Visit) -> None:
    visit.open_mail(LONG_THREAD)
    visit.answer("reply")


def _folder(path: str) -> Callable[[Visit], None]:
    def visit_folder(visit: Visit) -> None:
        visit.go("/inbox/")
        name = visit.page.locator(".node-own a.node", has_text="欧洲客户").first.get_attribute("data-folder")
        visit.go(path.format(folder=name))

    return visit_folder


def _role(role: str) -> Callable[[Visit], None]:
    def visit_role(visit: Visit) -> None:
        visit.go("/inbox/")
        folder = visit.page.locator(f"[data-role={role}]").first.get_attribute("data-folder")
        visit.go(f"/mail/{folder}/")

    return visit_role


def _empty_folder(visit: Visit) -> None:
    visit.go("/inbox/")
    folder = visit.page.locator(".node-own a.node", has_text="样品").first.get_attribute("data-folder")
    visit.go(f"/mail/{folder}/")


def _menu(key: str) -> Callable[[Visit], None]:
    """A menu above the list, unfolded."""

    def visit_menu(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.page.locator(f"[data-list-key={key}]").click()

    return visit_menu


def _filtered(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.page.goto(f"{visit.page.url}?show=unread&show=attachment&sort=sender")


def _tree_list(name: str) -> Callable[[Visit], None]:
    """A list across folders: to-do, done, a label."""

    def visit_list(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.go(visit.page.locator(f"[data-tree-list^={name}]").first.get_attribute("href") or "/")

    return visit_list


def _todo_mail(visit: Visit) -> None:
    _tree_list("todo")(visit)
    visit.page.locator("a.row-link").first.click()
    visit.until_open()


def _label_menu(visit: Visit) -> None:
    visit.open_mail(LONG_THREAD)
    visit.page.locator("#mail [data-labels] > summary").click()


def _labels(path: str) -> Callable[[Visit], None]:
    """A page of 标签管理, for the first label."""

    def visit_labels(visit: Visit) -> None:
        visit.go("/inbox/")
        label = visit.page.locator("[data-tree-list^=label-]").first.get_attribute("href") or "/"
        visit.go(label + path)

    return visit_labels


def _conversation(visit: Visit) -> None:
    """The longest one; the list is of mails again afterwards."""
    _folder("/mail/{folder}/")(visit)
    _talk(visit, on=True)
    visit.page.locator("a.row-link", has_text="60x60").first.click()
    visit.until_open()
    visit.page.wait_for_timeout(SETTLE_MS)
    _talk(visit, on=False, stay=True)


def _talk(visit: Visit, *, on: bool, stay: bool = False) -> None:
    """Conversations on or off, as the menu does it; `stay` leaves the page as it is."""
    form = {"conversations": "on" if on else "off"}
    token = visit.page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    url = f"{visit.base_url}/preferences/display/"
    headers = {"Referer": visit.base_url}
    visit.page.context.request.post(url, form={"csrfmiddlewaretoken": token, **form}, headers=headers)
    if not stay:
        visit.page.reload(wait_until="load")


def _tree_end(end: str) -> Callable[[Visit], None]:
    """A list of the tree by the end of its address."""

    def visit_list(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.go(visit.page.locator(f"#tree a[href$='{end}']").get_attribute("href") or "/")

    return visit_list


def _quarantined(visit: Visit) -> None:
    _tree_end("/quarantine/")(visit)
    visit.go(visit.page.locator(".quarantine-rows a").nth(1).get_attribute("href") or "/")


def _fraud(visit: Visit) -> None:
    """A look-alike domain, warned of."""
    _role("junk")(visit)
    row = visit.page.locator(".row-link", has_text=FRAUD_SUBJECT).first
    visit.go(row.get_attribute("href") or "/")


def _outbox(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.go(visit.page.locator("#tree a[href$='/outbox/']").get_attribute("href") or "/")


def _sent_status(visit: Visit) -> None:
    _role("sent")(visit)
    visit.page.locator("a.row-link").first.click()
    visit.until_open()
    visit.page.locator("#way-panel > summary").click()


def _recall(visit: Visit) -> None:
    _sent_status(visit)
    visit.go(visit.page.locator("#way-panel .way-foot a").get_attribute("href") or "/")


def _approval(visit: Visit) -> None:
    visit.go("/approvals/")
    visit.go(visit.page.locator("a.way-subject").first.get_attribute("href") or "/")


def _link(subject: str, part: str) -> Callable[[Visit], None]:
    """The page behind the signed link of a notice."""

    def visit_link(visit: Visit) -> None:
        visit.go("/inbox/")
        visit.page.locator("a.row-link", has_text=subject).first.click()
        visit.until_open()
        address = visit.page.locator(f"#mail a[href*='{part}']").first.get_attribute("href") or "/"
        visit.page.goto(address, wait_until="load")

    return visit_link


def _schedule(visit: Visit) -> None:
    _compose(visit)
    visit.page.locator("[data-schedule]").click()


def _day(visit: Visit) -> None:
    visit.go("/inbox/")
    visit.page.locator("[data-jump]").click()


def _admin_first(path: str) -> Callable[[Visit], None]:
    def visit_first(visit: Visit) -> None:
        visit.go(path)
        address = visit.page.locator("#result_list tbody a").first.get_attribute("href")
        visit.go(address or path)

    return visit_first


def _at(path: str) -> Callable[[Visit], None]:
    return lambda visit: visit.go(path)


def _mail(subject: str) -> Callable[[Visit], None]:
    return lambda visit: visit.open_mail(subject)


READER, ADMIN = "wangfang", "admin"
ADMIN_PAGES = {
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
ADMIN_FIRST = {
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
SHOTS = (
    Shot("sign-in", "", _at("/sign-in/")),
    Shot("sign-in-error", "", _sign_in_error),
    Shot("home", READER, _at("/")),
    Shot("inbox", READER, _at("/inbox/")),
    Shot("inbox-mail", READER, _inbox_with_mail),
    Shot("inbox-selection", READER, _selection),
    Shot("menu", READER, _drawer),
    Shot("inbox-filters", READER, _menu("F")),
    Shot("inbox-orders", READER, _menu("S")),
    Shot("inbox-filtered", READER, _filtered),
    Shot("inbox-date", READER, _day),
    Shot("conversation", READER, _conversation),
    Shot("todo", READER, _tree_list("todo")),
    Shot("todo-mail", READER, _todo_mail),
    Shot("todo-done", READER, _tree_list("done")),
    Shot("label", READER, _tree_list("label-")),
    Shot("label-menu", READER, _label_menu),
    Shot("labels", READER, _labels("../")),
    Shot("label-new", READER, _labels("../new/")),
    Shot("label-edit", READER, _labels("edit/")),
    Shot("label-delete", READER, _labels("delete/")),
    Shot("outbox", READER, _outbox),
    Shot("sending", READER, _at("/sending/")),
    Shot("delivery-log", READER, _at("/logs/delivery/")),
    Shot("sent-status", READER, _sent_status),
    Shot("recall", READER, _recall),
    Shot("approvals", READER, _at("/approvals/")),
    Shot("approval", READER, _approval),
    Shot("approval-log", READER, _at("/logs/approvals/")),
    Shot("compose-schedule", READER, _schedule),
    Shot("recovery", READER, _at("/recovery/")),
    Shot("quarantine", READER, _tree_end("/quarantine/")),
    Shot("quarantine-mail", READER, _quarantined),
    Shot("fraud", READER, _fraud),
    Shot("programs", READER, _at("/programs/")),
    Shot("list-mail-link", READER, _link(LIST_SUBJECT, "/list-mail/")),
    Shot("approval-link", READER, _link(APPROVED_SUBJECT, "/approve/")),
    Shot("thread", READER, _mail(LONG_THREAD)),
    Shot("newsletter", READER, _mail(NEWSLETTER)),
    Shot("quotation", READER, _mail(TABLE_MAIL)),
    Shot("compose", READER, _compose),
    Shot("compose-individual", READER, _individual),
    Shot("reply", READER, _reply),
    Shot("sent", READER, _role("sent")),
    Shot("drafts", READER, _role("drafts")),
    Shot("junk", READER, _role("junk")),
    Shot("folder-empty", READER, _empty_folder),
    Shot("folder-new", READER, _at("/folders/new/")),
    Shot("folder-edit", READER, _folder("/folders/{folder}/edit/")),
    Shot("folder-delete", READER, _folder("/folders/{folder}/delete/")),
    Shot("search", READER, lambda visit: visit.search("报价")),
    Shot("search-nothing", READER, lambda visit: visit.search("zzzz")),
    Shot("not-found", READER, _at("/mail/1/")),
    Shot("not-found-guest", "", _at("/nothing-here/")),
    Shot("admin", ADMIN, _at("/admin/")),
    *(Shot(f"admin-{name}", ADMIN, _at(f"/admin/{path}/"), whole_page=True) for name, path in ADMIN_PAGES.items()),
    *(
        Shot(f"admin-{name}", ADMIN, _admin_first(f"/admin/{path}/"), whole_page=True)
        for name, path in ADMIN_FIRST.items()
    ),
    Shot("admin-accounts", ADMIN, _at("/admin/accounts/account/")),
    Shot("admin-account", ADMIN, _admin_first("/admin/accounts/account/")),
    Shot("admin-departments", ADMIN, _at("/admin/accounts/department/")),
    Shot("admin-groups", ADMIN, _at("/admin/accounts/group/")),
    Shot("admin-group", ADMIN, _admin_first("/admin/accounts/group/")),
    Shot("admin-domain", ADMIN, _admin_first("/admin/accounts/domain/")),
)
