"""The composer."""

from __future__ import annotations

from playwright.sync_api import FilePayload

from webmail.shots.visit import LONG_THREAD, READER, TABLE_MAIL, Shot, Visit


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


def _schedule(visit: Visit) -> None:
    _compose(visit)
    visit.page.locator("[data-schedule]").click()


def _reply_table(visit: Visit) -> None:
    """An answer with a wide table in what is quoted."""
    visit.open_mail(TABLE_MAIL)
    visit.answer("reply")


def _files(visit: Visit) -> None:
    """Two attachments and their sum."""
    _compose(visit)
    files = [("报价单 2027 春季.pdf", 180_000), ("Packing list and commercial invoice, Rotterdam.xlsx", 64_000)]
    payloads: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": b"x" * size} for name, size in files
    ]
    visit.page.locator("[data-composer][data-ready] input[type=file]").set_input_files(payloads)
    visit.page.locator("[data-files-sum]").wait_for()
    visit.page.locator("[data-files] progress").first.wait_for(state="detached")


def _thrown_away(visit: Visit) -> None:
    visit.page.locator("[data-discard]").click()
    visit.page.locator(".compose").wait_for(state="detached")


SHOTS = (
    Shot("compose", READER, _compose),
    Shot("compose-individual", READER, _individual),
    Shot("compose-schedule", READER, _schedule),
    Shot("compose-files", READER, _files, after=_thrown_away),
    Shot("reply", READER, _reply),
    Shot("reply-table", READER, _reply_table),
)
