"""What mail programs do to colleagues' mail: a body that was had counts for a recall; a sent mail is in 已发送 once."""

from __future__ import annotations

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from mailstore.check_store import check_store
from mailstore.models import Entry
from mta.models import Opening, SendSettings, Submission
from mta.services import submit
from tests.mailaccess.conftest import Running
from tests.mailstore.letters import letter, stored
from tests.mta.test_submit import RAW, mails, request


@pytest.fixture
def colleagues_mail(alice: Account, bob: Account) -> int:
    """The message of Bob's mail in Alice's inbox, beside one that came from outside."""
    stored(access_for(alice, alice.pk), letter("outside"))
    bobs = {"envelope_from": "bob@example.test", "raw": RAW.replace(b"alice@", b"bob@")}
    submit(access_for(bob, bob.pk), request("alice@example.test", **bobs))
    return Entry.objects.filter(mailbox_id=alice.pk).latest("pk").message_id


@pytest.mark.parametrize(
    ("items", "opens"),
    [
        ("(FLAGS ENVELOPE BODYSTRUCTURE)", False),
        ("BODY.PEEK[HEADER.FIELDS (SUBJECT)]", False),
        ("(BODY.PEEK[HEADER] BODY.PEEK[1.MIME])", False),
        ("BODY.PEEK[]", True),
        ("BODY.PEEK[TEXT]<0.10>", True),
        ("BINARY.PEEK[1]", True),
        ("RFC822", True),
    ],
)
def test_imap_opens_with_a_body_alone(imap_server: Running, colleagues_mail: int, items: str, opens: bool) -> None:
    client = imap_server.imap()
    client.select("INBOX")
    client.fetch("1:*", items)
    client.logout()
    assert list(Opening.objects.values_list("pk", flat=True)) == ([colleagues_mail] if opens else [])


def test_pop3_opens_with_retr_and_with_lines_of_top(pop3_server: Running, colleagues_mail: int) -> None:
    client = pop3_server.pop3()
    client.top(2, 0)
    client.retr(1)
    assert not Opening.objects.exists()
    client.top(2, 1)
    assert Opening.objects.get().pk == colleagues_mail
    client.retr(2)
    assert Opening.objects.count() == 1
    client.quit()


def send(author: Account) -> int:
    """As a mail program sends, with the copy that the settings ask for."""
    SendSettings.objects.update_or_create(account=author, defaults={"keeps_program_mail": True})
    return submit(access_for(author, author.pk), request("alice@example.test", origin="smtp"))


def test_a_copy_that_the_program_appends_afterwards_replaces_ours(imap_server: Running, alice: Account) -> None:
    submission = send(alice)
    ours = Submission.objects.get(pk=submission).sent_entry_id
    client = imap_server.imap()
    client.append("Sent", "\\Seen", None, RAW)  # type: ignore[arg-type]
    client.append("Sent", "\\Seen", None, RAW.replace(b"<one@", b"<two@"))  # type: ignore[arg-type]
    client.logout()
    assert len(mails(alice, "sent")) == 2
    theirs = Submission.objects.get(pk=submission).sent_entry_id
    assert theirs != ours and Entry.objects.filter(pk=theirs).exists()
    assert check_store(alice.pk) == []


def test_a_copy_that_was_appended_before_is_the_only_one(imap_server: Running, alice: Account) -> None:
    client = imap_server.imap()
    client.append("Sent", "\\Seen", None, RAW)  # type: ignore[arg-type]
    client.logout()
    submission = send(alice)
    assert len(mails(alice, "sent")) == 1
    assert Entry.objects.filter(pk=Submission.objects.get(pk=submission).sent_entry_id).exists()
