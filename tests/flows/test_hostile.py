"""Whatever comes in by SMTP is refused clearly, or it is a readable page and its bytes can be had to the last one."""

from __future__ import annotations

import html as html_module
import re

import pytest
from django.test import Client
from django.urls import reverse
from selectolax.lexbor import LexborHTMLParser

from accounts.models import Account
from core.errors import ErrorKind
from mailstore.check_store import check_store
from mailstore.models import Entry
from tests.flows.hostile import BARE, HTML_MAILS, MAILS
from tests.mta.conftest import Running
from tests.webmail.mails import browser_of
from webmail.middleware.errors import STATUS

BIG_HEADER = b"X: " + b"a" * 10_000_000 + b"\r\n\r\nx\r\n"


def data(running: Running, message: bytes) -> str:
    """The answer to a message, sent as it is (dots doubled)."""
    talk = running.talk()
    for line in ("EHLO far.example", "MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>", "DATA"):
        talk.say(line)
    talk.send((b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
    answer = talk.reply()
    talk.file.close()
    talk.close()
    return answer


@pytest.mark.parametrize("name", MAILS)
def test_a_hostile_mail_is_a_page_and_keeps_its_bytes(running: Running, alice: Account, name: str) -> None:
    assert data(running, MAILS[name]).startswith("250 2.0.0")
    entry = Entry.objects.get()
    browser = browser_of(alice)
    page = fetched(browser, reverse("message", args=[entry.folder_id, entry.pk]))
    fetched(browser, reverse("folder", args=[entry.folder_id]))
    fetched(browser, reverse("search") + "?q=hostile")
    fetched(browser, reverse("source", args=[entry.pk]))
    body = fetched(browser, reverse("message_body", args=[entry.pk]))
    for shown in (page, body):
        assert runnable(shown) == []
    for url in dict.fromkeys(re.findall(r'href="(/message/\d+/(?:part/[^"?]+|attachments\.zip))', page)[:20]):
        taken = browser.get(html_module.unescape(url))
        assert taken.status_code == 200
        assert taken["Content-Disposition"].startswith("attachment")
        assert taken["X-Content-Type-Options"] == "nosniff"
        b"".join(taken) if taken.streaming else taken.content
    answer_to(browser, entry)
    assert browser.get(reverse("original", args=[entry.pk])).content == MAILS[name]
    assert check_store() == []


def test_hostile_html_is_a_page_that_runs_nothing(running: Running, alice: Account) -> None:
    for message in HTML_MAILS.values():
        assert data(running, message).startswith("250 2.0.0")
    browser = browser_of(alice)
    wrong: dict[str, list[str]] = {}
    for name, entry in zip(HTML_MAILS, Entry.objects.order_by("uid"), strict=True):
        for url in (reverse("message", args=[entry.folder_id, entry.pk]), reverse("message_body", args=[entry.pk])):
            wrong.setdefault(name, []).extend(runnable(fetched(browser, url)))
        assert browser.get(reverse("original", args=[entry.pk])).content == HTML_MAILS[name]
    assert {name: found for name, found in wrong.items() if found} == {}


def fetched(browser: Client, url: str) -> str:
    """A page that must be there."""
    answer = browser.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def runnable(shown: str) -> list[str]:
    """What of a page a browser would run, as its parser reads it: our own scripts come from files."""
    found = []
    for node in LexborHTMLParser(shown).css("*"):
        attributes = node.attributes
        if node.tag == "script" and not str(attributes.get("src") or "").startswith("/static/"):
            found.append(str(node.html))
        found += [f"{node.tag} {name}" for name in attributes if name.startswith("on")]
        found += [str(value) for value in attributes.values() if str(value).strip().lower().startswith("javascript:")]
    return found


def answer_to(browser: Client, entry: Entry) -> None:
    """Replying and editing it open a composer; so does forwarding, unless it has more files than a mail may have."""
    for mode in ("reply_all", "forward", "edit_as_new"):
        answer = browser.post(reverse("compose_new"), {"mode": mode, "source": str(entry.pk)})
        if answer.status_code == STATUS[ErrorKind.LIMIT] and mode != "reply_all":
            answer = browser.post(reverse("compose_new"), {"mode": "forward_attached", "source": str(entry.pk)})
        assert answer.status_code == 302, mode
        fetched(browser, answer["Location"])


@pytest.mark.parametrize("name", BARE)
def test_bare_line_ends_are_refused(running: Running, alice: Account, name: str) -> None:
    assert data(running, BARE[name]).startswith("550 5.6.11")
    assert not Entry.objects.exists()


def test_a_header_of_ten_megabytes_is_refused_for_its_size(running: Running, alice: Account) -> None:
    assert data(running, BIG_HEADER).startswith("552 5.3.4")
    assert not Entry.objects.exists()
