"""`\\Recent` (RFC 3501 2.3.2): the first session that hears of a message has it."""

from __future__ import annotations

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from mailaccess.imap.recent import recents
from mailstore.models import Folder, Role
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk
from tests.mailstore.letters import folder_id, letter, stored, stored_many


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


def signed_in(server: Running) -> Talk:
    """A session of Alice's."""
    talk = server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    return talk


def recent_on(talk: Talk, command: bytes) -> list[bytes]:
    """The RECENT lines of a command's answer."""
    return [line for line in talk.say(command) if line.endswith(b" RECENT")]


def found(talk: Talk, keys: bytes) -> bytes:
    """What SEARCH answers."""
    return talk.say(b"SEARCH " + keys)[0]


def test_the_first_session_has_it_and_the_second_has_not(imap_server: Running, mine: Access) -> None:
    stored_many(mine, 2)
    first, second = signed_in(imap_server), signed_in(imap_server)
    assert b"(RECENT 2)" in first.say(b"STATUS INBOX (RECENT)")[0]
    assert recent_on(first, b"SELECT INBOX") == [b"* 2 RECENT"]
    assert recent_on(second, b"SELECT INBOX") == [b"* 0 RECENT"]
    assert first.say(b"FETCH 1 FLAGS")[0] == b"* 1 FETCH (FLAGS (\\Recent))"
    assert second.say(b"FETCH 1 FLAGS")[0] == b"* 1 FETCH (FLAGS ())"
    assert b"(RECENT 0)" in second.say(b"STATUS INBOX (RECENT)")[0]
    assert first.say(b"STORE 1 FLAGS (\\Seen)")[0] == b"* 1 FETCH (UID 1 FLAGS (\\Recent \\Seen))"
    assert second.say(b"NOOP")[0] == b"* 1 FETCH (UID 1 FLAGS (\\Seen))"
    assert first.say(b"FETCH 1:* (UID FLAGS)")[:2] == [
        b"* 1 FETCH (UID 1 FLAGS (\\Recent \\Seen))",
        b"* 2 FETCH (UID 2 FLAGS (\\Recent))",
    ]
    assert [found(first, keys) for keys in (b"RECENT", b"NEW", b"OLD")] == [
        b"* SEARCH 1 2", b"* SEARCH 2", b"* SEARCH",
    ]  # fmt: skip
    assert [found(second, keys) for keys in (b"RECENT", b"NEW", b"OLD")] == [
        b"* SEARCH", b"* SEARCH", b"* SEARCH 1 2",
    ]  # fmt: skip
    assert recent_on(first, b"SELECT INBOX") == [b"* 0 RECENT"], "it is told once"


def test_mail_that_comes_belongs_to_who_hears_of_it_first(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("old"))
    first, second = signed_in(imap_server), signed_in(imap_server)
    first.say(b"SELECT INBOX")
    second.say(b"SELECT INBOX")
    stored(mine, letter("new"))
    assert second.say(b"NOOP")[:2] == [b"* 2 EXISTS", b"* 1 RECENT"]
    assert first.say(b"NOOP")[:2] == [b"* 2 EXISTS", b"* 1 RECENT"], "one of the time before"
    assert second.say(b"FETCH 1:2 FLAGS")[:2] == [b"* 1 FETCH (FLAGS ())", b"* 2 FETCH (FLAGS (\\Recent))"]
    assert first.say(b"FETCH 1:2 FLAGS")[:2] == [b"* 1 FETCH (FLAGS (\\Recent))", b"* 2 FETCH (FLAGS ())"]
    second.say(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    second.say(b"EXPUNGE")
    stored(mine, letter("newer"))
    assert second.say(b"NOOP")[:2] == [b"* 2 EXISTS", b"* 1 RECENT"], "what was expunged doesn't count"


def test_who_only_looks_takes_nothing(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("one"))
    looking, reading = signed_in(imap_server), signed_in(imap_server)
    assert recent_on(looking, b"EXAMINE INBOX") == [b"* 1 RECENT"]
    stored(mine, letter("two"))
    assert recent_on(looking, b"NOOP") == [b"* 2 RECENT"]
    assert recent_on(reading, b"SELECT INBOX") == [b"* 2 RECENT"]
    assert recent_on(looking, b"EXAMINE INBOX") == [b"* 0 RECENT"]


def test_a_client_of_rev2_has_none_and_takes_none(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("one"))
    modern, classic = signed_in(imap_server), signed_in(imap_server)
    modern.say(b"ENABLE IMAP4rev2")
    assert recent_on(modern, b"SELECT INBOX") == []
    stored(mine, letter("two"))
    assert modern.say(b"NOOP")[:-1] == [b"* 2 EXISTS"]
    assert modern.say(b"FETCH 2 FLAGS")[0] == b"* 2 FETCH (FLAGS ())"
    assert recent_on(classic, b"SELECT INBOX") == [b"* 2 RECENT"]


def test_what_was_told_outlives_the_process(imap_server: Running, mine: Access) -> None:
    stored_many(mine, 2)
    talk = signed_in(imap_server)
    talk.say(b"SELECT INBOX")
    talk.say(b"UNSELECT")
    recents.save()
    recents.save()
    assert Folder.objects.get(mailbox_id=mine.mailbox, role=Role.INBOX).recent_uid == 2
    recents.forget()
    stored(mine, letter("three"))
    assert b"(RECENT 1)" in talk.say(b"STATUS INBOX (RECENT)")[0]
    another = signed_in(imap_server)
    assert recent_on(another, b"SELECT INBOX") == [b"* 1 RECENT"]
    assert another.say(b"FETCH 1:3 FLAGS")[1:3] == [b"* 2 FETCH (FLAGS ())", b"* 3 FETCH (FLAGS (\\Recent))"]


def test_it_never_goes_back(mine: Access) -> None:
    inbox = folder_id(mine, Role.INBOX)
    for last in (7, 5):
        recents.forget()
        recents.take(inbox, last)
        recents.save()
    assert Folder.objects.get(pk=inbox).recent_uid == 7
    recents.forget()
