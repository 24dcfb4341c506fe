"""The search page: results with marks, what was not understood, the panel, nothing of others."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlparse

import pytest
from django.test import Client

from accounts.models import Account
from accounts.rows import Level
from accounts.services import grant_mailbox
from mailstore.models import Role
from mailstore.search import sqlite
from mailstore.search.index import index
from mailstore.search.indexer import Indexer
from tests.webmail.mails import browser_of, deliver, mail, with_files


@pytest.fixture(autouse=True)
def empty_index(db: None) -> Iterator[None]:
    """The file outlives a test's transaction."""
    index().empty()
    index().filled()
    yield
    sqlite.close()


def take_in() -> None:
    """What the indexer's process does."""
    indexer = Indexer()
    indexer.drain()
    indexer.close()


def page(browser: Client, question: str, **more: str) -> str:
    """The page of a question."""
    answer = browser.get("/search/", {"q": question, **more})
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_was_searched_for_is_marked_in_subject_people_and_text(alice: Account) -> None:
    deliver(alice, mail("x " * 200 + "the needle is here", Subject="Needles & pins", From="Needle <needle@b.test>"))
    take_in()
    shown = page(browser_of(alice), "needle")
    assert '<span class="row-subject"><mark>Needles</mark> &amp; pins</span>' in shown
    assert "<b><mark>Needle</mark></b>" in shown
    assert "the <mark>needle</mark> is here" in shown
    assert '<span class="row-folder">Inbox</span>' in shown
    assert "1 mail found" in shown


def test_text_of_a_mail_is_escaped_inside_and_outside_marks(alice: Account) -> None:
    deliver(alice, mail("<b>needle</b>", Subject="<i>needle</i> <script>x</script>"))
    take_in()
    shown = page(browser_of(alice), "needle OR script OR i")
    assert "<script>x" not in shown
    assert "&lt;<mark>i</mark>&gt;<mark>needle</mark>" in shown


def test_attachments_are_found_by_name(alice: Account) -> None:
    entry = deliver(alice, with_files())
    take_in()
    assert f'id="e{entry}"' in page(browser_of(alice), "filename:采购 has:attachment")


def test_results_go_on_behind_a_key(alice: Account) -> None:
    for number in range(55):
        deliver(alice, mail(f"needle {number}", Message_ID=f"<{number}@x.test>"))
    take_in()
    browser = browser_of(alice)
    first = page(browser, "needle")
    assert first.count('class="row is-new') == 50
    more = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = browser.get(more, headers={"HX-Target": "list", "HX-Request": "true"}).content.decode()
    assert second.count('class="row is-new') == 5
    assert 'rel="next"' not in second
    assert "<html" not in second


@pytest.mark.parametrize("after", ["k", "x1", "d~eA.1", "k" * 300])
def test_a_wrong_continuation_starts_over(alice: Account, after: str) -> None:
    entry = deliver(alice, mail("needle"))
    take_in()
    assert f'id="e{entry}"' in page(browser_of(alice), "needle", after=after)


def test_what_was_not_understood_is_said_with_a_link_to_what_may_have_been_meant(alice: Account) -> None:
    shown = page(browser_of(alice), "form:anna before:soon (x")
    assert "There is no “form:”" in shown
    assert 'href="/search/?q=from%3Aanna+before%3Asoon+%28x"' in shown
    assert "“before:soon” was not understood" in shown
    assert "has no partner: “(”" in shown


def test_nothing_found_offers_trash_and_junk(alice: Account) -> None:
    entry = deliver(alice, mail("needle"), role=Role.TRASH)
    take_in()
    browser = browser_of(alice)
    shown = page(browser, "needle")
    assert "Nothing found for “needle”" in shown
    assert 'href="/search/?q=needle+in%3Aanywhere"' in shown
    assert f'id="e{entry}"' in page(browser, "needle in:anywhere")


def test_without_a_question_the_operators_are_explained_in_the_readers_language(alice: Account) -> None:
    browser = browser_of(alice)
    assert "from:wang" in page(browser, " ")
    browser.cookies["django_language"] = "zh-hans"
    alice.language = "zh-hans"
    alice.save(update_fields=["language"])
    assert "有附件 最近:7天" in page(browser, "")


def test_a_backlog_of_the_indexer_is_told(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.searching.BACKLOG", 1)
    deliver(alice, mail("needle"))
    deliver(alice, mail("needle", Message_ID="<2@x.test>"))
    assert "2 mails are still being indexed" in page(browser_of(alice), "needle")


@pytest.mark.parametrize(
    ("fields", "question"),
    [
        ({"from": "anna"}, "from:anna"),
        ({"from": "Anna Schmidt", "to": "bob"}, 'from:"Anna Schmidt" to:bob'),
        ({"subject": '5" pipe'}, 'subject:"5 pipe"'),
        ({"words": "a OR b", "without": "c d"}, "(a OR b) -c -d"),
        ({"folder": "sent", "size": "5M", "attachment": "1"}, "in:sent larger:5M has:attachment"),
        ({"folder": "My folder"}, 'in:"My folder"'),
        ({"after": "2026-01-31", "before": "2026-02-01"}, "after:2026/1/31 before:2026/2/1"),
        ({"after": "nonsense", "size": "huge"}, ""),
        ({}, ""),
    ],
)
def test_the_panel_fills_the_box(alice: Account, fields: dict[str, str], question: str) -> None:
    answer = browser_of(alice).get("/search/", {"panel": "1", **fields})
    assert answer.status_code == 302
    assert parse_qs(urlparse(answer["Location"]).query, keep_blank_values=True) == {"q": [question]}


def test_the_panel_shows_what_a_question_says(alice: Account) -> None:
    shown = page(browser_of(alice), 'from:anna after:2026/1/31 in:sent larger:5M has:attachment x -y "p q"')
    assert 'name="from" value="anna"' in shown
    assert 'name="after" type="date" value="2026-01-31"' in shown
    assert '<option value="sent" selected>' in shown
    assert '<option value="5M" selected>' in shown
    assert 'name="attachment" value="1" checked' in shown
    assert 'name="words" value="x -y &quot;p q&quot;"' in shown


def test_other_peoples_mail_is_not_found_and_their_mailbox_is_not_there(alice: Account, charlie: Account) -> None:
    deliver(charlie, mail("needle"))
    take_in()
    browser = browser_of(alice)
    assert "Nothing found" in page(browser, "needle")
    assert browser.get("/search/", {"q": "needle", "mailbox": str(charlie.pk)}).status_code == 404


def test_a_shared_mailbox_is_searched_by_who_may_read_it(alice: Account, bob: Account) -> None:
    entry = deliver(bob, mail("needle"))
    take_in()
    grant_mailbox(bob, alice, level=Level.READER)
    shown = page(browser_of(alice), "needle", mailbox=str(bob.pk))
    assert f'id="e{entry}"' in shown
    assert 'value="delete"' not in shown


def test_results_can_be_acted_on(alice: Account) -> None:
    entry = deliver(alice, mail("needle"))
    take_in()
    browser = browser_of(alice)
    assert 'name="act" value="delete"' in page(browser, "needle")
    browser.post("/act/", {"act": "delete", "ids": str(entry), "next": "/search/?q=needle"})
    assert "Nothing found" in page(browser, "needle")


def test_a_page_of_results_asks_the_database_no_more_for_more_rows(
    alice: Account, django_assert_max_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = browser_of(alice)
    counts = []
    for number in range(12):
        deliver(alice, mail("x " * 200 + "needle", Message_ID=f"<{number}@x.test>"))
        if number in (1, 11):
            take_in()
            with CaptureQueriesContext(connection) as queries:
                page(browser, "needle")
            counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
