"""NOTIFY (RFC 5465): what a client hears without asking, between its commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import grant_mailbox, revoke_mailbox
from core.access import Access
from mailaccess import subscriptions
from mailaccess.imap.feed import feed
from mailaccess.services.metadata import set_annotations
from mailstore.models import Flag, Role
from mailstore.selectors.folders import modseq_of
from mailstore.services.entries import move, purge, set_flags
from mailstore.services.folders import create_folder, delete_folder, rename_folder
from tests.mailaccess.conftest import Running, Talk
from tests.mailaccess.imap.test_rights import signed_in
from tests.mailstore.letters import folder_id, letter, stored, stored_many

Hint = Callable[[], None]


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


@pytest.fixture
def hint(imap_server: Running, mine: Access) -> Hint:
    """What Redis would say: alice's mailbox has changed."""

    def tell(mailbox: int = 0) -> None:
        wanted = mailbox or mine.mailbox
        modseq = modseq_of([wanted])[wanted]
        imap_server.loop.call_soon_threadsafe(feed.hint, wanted, modseq)

    return tell


@pytest.fixture
def talk(imap_server: Running, mine: Access) -> Talk:
    """Alice, signed in."""
    return signed_in(imap_server, "alice@example.test")


def ok(talk: Talk, command: bytes) -> list[bytes]:
    """The untagged lines of a command that succeeds."""
    lines = talk.say(command)
    assert lines[-1].startswith(b"a OK"), lines
    return lines[:-1]


def test_new_mail_elsewhere_is_a_status_and_in_the_selected_mailbox_what_was_asked(
    talk: Talk, mine: Access, hint: Hint
) -> None:
    ok(talk, b"SELECT Sent")
    asked = b"(selected (MessageNew (UID BODY[HEADER.FIELDS (Message-ID)]) MessageExpunge))"
    assert ok(talk, b"NOTIFY SET %b (personal (MessageNew MessageExpunge))" % asked) == []
    stored(mine, letter("one"))
    hint()
    assert talk.line() == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2)"
    entry = stored(mine, letter("two"))
    move(mine, [entry], folder_id=folder_id(mine, Role.SENT))
    hint()
    assert [talk.line(), talk.line()] == [b"* 1 EXISTS", b"* 1 RECENT"]
    assert talk.whole_line().startswith(b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {")
    assert talk.line() == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 3)"
    assert ok(talk, b"UID FETCH 1 FLAGS") == [b"* 1 FETCH (UID 1 FLAGS (\\Recent))"]
    talk.close()


def test_an_expunge_is_told_at_once_or_waits(talk: Talk, mine: Access, hint: Hint) -> None:
    found = stored_many(mine, 3)
    ok(talk, b"SELECT INBOX")
    ok(talk, b"NOTIFY SET (selected (MessageNew MessageExpunge))")
    purge(mine, found[:1])
    hint()
    assert talk.line() == b"* 1 EXPUNGE"
    ok(talk, b"NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))")
    purge(mine, found[1:2])
    set_flags(mine, found[2:], add=Flag.SEEN)
    hint()
    assert talk.line() == b"* 2 FETCH (UID 3 FLAGS (\\Recent \\Seen))"
    assert ok(talk, b"NOOP") == [b"* 1 EXPUNGE"]
    talk.close()


def test_flags_are_told_to_who_wants_them_alone(talk: Talk, mine: Access, hint: Hint) -> None:
    found = stored_many(mine, 2)
    ok(talk, b"SELECT INBOX")
    ok(talk, b"NOTIFY SET (selected (MessageNew MessageExpunge))")
    set_flags(mine, found[:1], add=Flag.SEEN)
    stored(mine, letter("new"))
    hint()
    assert [talk.line(), talk.line()] == [b"* 3 EXISTS", b"* 3 RECENT"]
    assert ok(talk, b"NOOP") == []
    assert ok(talk, b"STORE 2 +FLAGS (\\Flagged)") == [b"* 2 FETCH (UID 2 FLAGS (\\Recent \\Flagged))"]
    talk.close()


def test_flags_elsewhere_are_a_status_of_what_follows_them(talk: Talk, mine: Access, hint: Hint) -> None:
    found = stored_many(mine, 2)
    ok(talk, b"NOTIFY SET (mailboxes INBOX (MessageNew MessageExpunge FlagChange))")
    set_flags(mine, found[:1], add=Flag.SEEN)
    hint()
    line = talk.line()
    assert line.startswith(b"* STATUS INBOX (UIDVALIDITY ")
    assert line.endswith(b" UNSEEN 1)")
    set_flags(mine, found[:1], add=Flag.FLAGGED)
    hint()
    ok(talk, b"ENABLE CONDSTORE")
    set_flags(mine, found[:1], add=Flag.ANSWERED)
    hint()
    assert b"HIGHESTMODSEQ" in talk.line()
    talk.close()


def test_status_gives_where_to_begin(talk: Talk, mine: Access) -> None:
    stored(mine, letter("one"))
    ok(talk, b"SELECT Sent")
    lines = ok(talk, b"NOTIFY SET STATUS (mailboxes (INBOX Sent Nowhere) (MessageNew MessageExpunge))")
    assert len(lines) == 1
    assert lines[0].startswith(b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ")
    talk.close()


def test_names_are_told_as_they_come_change_and_go(talk: Talk, mine: Access, hint: Hint) -> None:
    ok(talk, b"NOTIFY SET (subtree (Work Play) (MailboxName))")
    outer = create_folder(mine, "Work")
    hint()
    assert talk.line() == b'* LIST (\\Subscribed \\HasNoChildren) "/" Work'
    inner = create_folder(mine, "客户", parent_id=outer)
    hint()
    assert talk.line() == b'* LIST (\\Subscribed \\HasNoChildren) "/" Work/&W6JiNw-'
    assert talk.line() == b'* LIST (\\Subscribed \\HasChildren) "/" Work'
    rename_folder(mine, outer, "Play")
    hint()
    assert talk.line() == b'* LIST (\\Subscribed \\HasChildren) "/" Play ("OLDNAME" (Work))'
    delete_folder(mine, inner)
    create_folder(mine, "Elsewhere")
    hint()
    assert talk.line() == b'* LIST (\\NonExistent) "/" Play/&W6JiNw-'
    assert talk.line() == b'* LIST (\\Subscribed \\HasNoChildren) "/" Play'
    assert ok(talk, b"NOOP") == []
    talk.close()


def test_what_one_did_oneself_is_no_news(talk: Talk, mine: Access, hint: Hint) -> None:
    ok(talk, b"NOTIFY SET (personal (MailboxName SubscriptionChange MailboxMetadataChange))")
    ok(talk, b"CREATE Own")
    ok(talk, b'SETMETADATA Own (/private/comment "x")')
    ok(talk, b"UNSUBSCRIBE Own")
    hint()
    create_folder(mine, "Hers")
    hint()
    assert talk.line().endswith(b' "/" Hers')
    talk.close()


def test_subscriptions_and_annotations_are_told(talk: Talk, alice: Account, mine: Access, hint: Hint) -> None:
    ok(talk, b"NOTIFY SET (personal (SubscriptionChange MailboxMetadataChange ServerMetadataChange))")
    subscriptions.unsubscribe(alice, "Junk")
    hint()
    assert talk.line() == b'* LIST (\\HasNoChildren \\Junk) "/" Junk'
    set_annotations(mine, folder_id(mine, Role.INBOX), {"/private/comment": b"x", "/shared/comment": b"y"})
    hint()
    assert talk.line() == b"* METADATA INBOX /private/comment /shared/comment"
    set_annotations(mine, 0, {"/private/comment": b"x"})
    hint()
    assert talk.line() == b'* METADATA "" /private/comment'
    talk.close()


def test_others_mailboxes_are_heard_and_a_grant_that_ends_is_told(
    imap_server: Running, talk: Talk, alice: Account, bob: Account, hint: Callable[[int], None]
) -> None:
    grant_mailbox(bob, alice, "reader")
    name = b'"Other Users/bob@example.test"'
    ok(talk, b"NOTIFY SET (subtree %b (MessageNew MessageExpunge MailboxName))" % name)
    stored(access_for(bob, bob.pk), letter("his"))
    hint(bob.pk)
    assert talk.line() == b'* STATUS "Other Users/bob@example.test/INBOX" (MESSAGES 1 UIDNEXT 2)'
    revoke_mailbox(bob, alice)
    stored(access_for(bob, bob.pk), letter("his too"))
    hint(bob.pk)
    gone = [talk.line() for _ in range(5)]
    assert b'* LIST (\\NonExistent) "/" "Other Users/bob@example.test/INBOX"' in gone
    assert not any(line.startswith(b"* STATUS") for line in gone)
    talk.close()


def test_idle_tells_the_same(talk: Talk, mine: Access, hint: Hint) -> None:
    ok(talk, b"SELECT Sent")
    ok(talk, b"NOTIFY SET (selected NONE) (mailboxes INBOX (MessageNew MessageExpunge))")
    talk.send(b"a IDLE\r\n")
    assert talk.line() == b"+ idling"
    stored(mine, letter("one"))
    hint()
    assert talk.line() == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2)"
    talk.send(b"DONE\r\n")
    assert talk.answer()[-1].startswith(b"a OK")
    talk.close()


def test_none_is_silence_but_for_ones_own_commands(talk: Talk, mine: Access, hint: Hint) -> None:
    stored_many(mine, 2)
    ok(talk, b"SELECT INBOX")
    ok(talk, b"NOTIFY NONE")
    stored(mine, letter("new"))
    hint()
    assert ok(talk, b"NOOP") == []
    ok(talk, b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert b"* 1 EXPUNGE" in ok(talk, b"EXPUNGE")
    talk.close()


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (b"SET (personal (AnnotationChange))", b"a NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName "),
        (b"SET (personal (MessageNew))", b"a BAD"),
        (b"SET (personal (FlagChange))", b"a BAD"),
        (b"SET (selected (MailboxName))", b"a BAD"),
        (b"SET (selected NONE) (selected-delayed NONE)", b"a BAD"),
        (b"SET (personal (MessageNew (UID) MessageExpunge))", b"a BAD"),
        (b"SET (nowhere NONE)", b"a BAD"),
        (b"SET", b"a BAD"),
        (b"SET (mailboxes " + b"(" + b" ".join([b"x"] * 501) + b") NONE)", b"a BAD"),
        (b"", b"a BAD"),
        (b"NONE", b"a OK"),
        (b"set status (Inboxes none) (SUBSCRIBED (mailboxname))", b"a OK"),
    ],
)
def test_arguments(talk: Talk, arguments: bytes, answer: bytes) -> None:
    assert talk.say(b"NOTIFY " + arguments)[-1].startswith(answer)
    talk.close()
