"""Mailboxes of others: seen, used and refused by their grants; access lists (RFC 4314)."""

from __future__ import annotations

import pytest

from accounts.models import Account, MailboxGrant
from accounts.selectors import access_for
from accounts.services import grant_mailbox
from mailstore import sql
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk
from tests.mailstore.letters import letter, stored

ALICES = b'"Other Users/alice@example.test/INBOX"'


def signed_in(server: Running, address: str) -> Talk:
    """A session."""
    talk = server.talk()
    assert talk.say(f'LOGIN {address} "{PASSWORD}"'.encode())[-1].startswith(b"a OK")
    return talk


def test_an_owner_gives_and_takes_rights(imap_server: Running, alice: Account, bob: Account) -> None:
    talk = signed_in(imap_server, "alice@example.test")
    assert talk.say(b"MYRIGHTS INBOX")[0] == b"* MYRIGHTS INBOX lrswikxtepacd"
    assert talk.say(b"GETACL INBOX")[0] == b'* ACL INBOX "alice@example.test" lrswikxtepacd'
    assert talk.say(b"LISTRIGHTS INBOX bob@example.test")[0] == (
        b'* LISTRIGHTS INBOX "bob@example.test" "" lr swikxtecd p'
    )
    assert talk.say(b"LISTRIGHTS INBOX BOB@example.test")[0].startswith(b'* LISTRIGHTS INBOX "BOB@example.test" ')
    assert talk.say(b"LISTRIGHTS INBOX anyone")[0] == b'* LISTRIGHTS INBOX "anyone" ""'
    told = talk.say(b"SETACL INBOX bob@example.test lr")
    assert told[-1] == b"a OK Done"
    line = b'* ACL Sent "alice@example.test" lrswikxtepacd "bob@example.test" lr'
    assert line in told, "the other mailboxes' lists have changed with it (RFC 4314 5.1.1)"
    assert not [each for each in told if each.startswith(b"* ACL INBOX")]
    assert talk.say(b"SETACL INBOX bob@example.test lr") == [b"a OK Done"]
    assert talk.say(b"GETACL Sent")[0].endswith(b' "bob@example.test" lr')
    assert talk.say(b"LISTRIGHTS Sent bob@example.test")[0] == b'* LISTRIGHTS Sent "bob@example.test" lr'
    assert talk.say(b"SETACL Sent bob@example.test lr")[-1] == b"a OK Done"
    assert talk.say(b"SETACL INBOX bob@example.test lrsw")[-1] == b"a OK Done"
    assert talk.say(b"GETACL INBOX")[0].endswith(b' "bob@example.test" lr')
    assert talk.say(b"SETACL INBOX bob@example.test +swicd")[-1] == b"a OK Done"
    assert talk.say(b"GETACL INBOX")[0].endswith(b' "bob@example.test" lrswikxtecd')
    assert MailboxGrant.objects.get(owner=alice).level == "editor"
    assert talk.say(b"SETACL INBOX bob@example.test -swikxte")[-1] == b"a OK Done"
    assert MailboxGrant.objects.get(owner=alice).level == "reader"
    assert talk.say(b"SETACL INBOX bob@example.test lrswipkxtecda")[-1] == b"a OK Done"
    assert talk.say(b"GETACL INBOX")[0].endswith(b' "bob@example.test" lrswikxtepcd')
    assert talk.say(b"SETACL INBOX bob@example.test -r")[-1] == b"a OK Done"
    assert not MailboxGrant.objects.exists()
    assert talk.say(b"SETACL INBOX bob@example.test +lr")[-1] == b"a OK Done"
    told = talk.say(b"DELETEACL INBOX bob@example.test")
    assert told[-1] == b"a OK Done"
    assert b'* ACL Sent "alice@example.test" lrswikxtepacd' in told
    assert talk.say(b"DELETEACL INBOX bob@example.test") == [b"a OK Done"]
    assert not MailboxGrant.objects.exists()
    talk.close()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"SETACL INBOX bob@example.test sw", b"a NO [CANNOT] Rights come together"),
        (b"SETACL Sent bob@example.test lr", b"a NO [CANNOT] Rights count for the whole mailbox"),
        (b"SETACL INBOX anyone lr", b"a NO [CANNOT]"),
        (b"SETACL INBOX alice@example.test lr", b"a NO [CANNOT]"),
        (b"SETACL INBOX -bob@example.test lr", b"a NO [CANNOT]"),
        (b"SETACL INBOX bob@example.test lz", b"a BAD"),
        (b"SETACL INBOX bob@example.test L", b"a BAD"),
        (b'SETACL INBOX "" lr', b"a BAD"),
        (b"DELETEACL Sent bob@example.test", b"a NO [CANNOT]"),
        (b"GETACL Nowhere", b"a NO [NONEXISTENT]"),
    ],
)
def test_what_no_grant_can_say_is_refused(
    imap_server: Running, alice: Account, bob: Account, command: bytes, answer: bytes
) -> None:
    talk = signed_in(imap_server, "alice@example.test")
    assert talk.say(command)[-1].startswith(answer)
    assert not MailboxGrant.objects.exists()
    talk.close()


def test_a_reader_reads_and_changes_nothing(imap_server: Running, alice: Account, bob: Account) -> None:
    grant_mailbox(alice, bob, "reader")
    stored(access_for(alice, alice.pk), letter("hers"))
    talk = signed_in(imap_server, "bob@example.test")
    assert talk.say(b"MYRIGHTS " + ALICES)[0].endswith(b" lr")
    assert talk.say(b"GETACL " + ALICES)[-1].startswith(b"a NO [NOPERM]")
    assert talk.say(b"SELECT " + ALICES)[-1] == b"a OK [READ-ONLY] Selected"
    assert b"<hers@letters.test>" in talk.say(b"FETCH 1 BODY[HEADER]")[0]
    assert talk.say(b"FETCH 1 FLAGS")[0] == b"* 1 FETCH (FLAGS (\\Recent))"
    for command in (b"STORE 1 +FLAGS (\\Seen)", b"EXPUNGE", b"MOVE 1 INBOX"):
        assert talk.say(command)[-1].startswith(b"a NO [NOPERM]"), command
    assert talk.say(b"CREATE " + ALICES.replace(b"INBOX", b"x"))[-1].startswith(b"a NO [NOPERM]")
    talk.send(b"a APPEND " + ALICES + b" {9+}\r\nA: b\r\n\r\nx\r\n")
    assert talk.answer()[-1].startswith(b"a NO [NOPERM]")
    assert talk.say(b"COPY 1 INBOX")[-1].startswith(b"a OK [COPYUID")
    talk.close()


def test_an_editor_works_in_the_mailbox_and_its_space_counts(
    imap_server: Running, alice: Account, bob: Account
) -> None:
    grant_mailbox(alice, bob, "editor")
    stored(access_for(alice, alice.pk), letter("hers"))
    talk = signed_in(imap_server, "bob@example.test")
    assert talk.say(b"GETQUOTAROOT " + ALICES)[0].endswith(b' "alice@example.test"')
    assert talk.say(b"SELECT " + ALICES)[-1] == b"a OK [READ-WRITE] Selected"
    assert talk.say(b"STORE 1 +FLAGS.SILENT (\\Seen)")[-1].startswith(b"a OK")
    assert talk.say(b"MOVE 1 INBOX")[-1].startswith(b"a OK")
    assert b"* 1 EXISTS" in talk.say(b"SELECT INBOX")
    talk.close()


def test_a_read_only_folder_is_told_as_one(imap_server: Running, alice: Account) -> None:
    sql.run("UPDATE mailstore_folder SET is_read_only = %s WHERE mailbox_id = %s AND role = 'junk'", [True, alice.pk])
    talk = signed_in(imap_server, "alice@example.test")
    assert talk.say(b"MYRIGHTS Junk")[0] == b"* MYRIGHTS Junk lrpa"
    assert talk.say(b"SELECT Junk")[-1] == b"a OK [READ-ONLY] Selected"
    talk.close()


def test_a_lock_of_the_web_hides_nothing_from_its_owners_programs(
    imap_server: Running, alice: Account, bob: Account
) -> None:
    grant_mailbox(alice, bob, "editor")
    stored(access_for(alice, alice.pk), letter("hers"))
    sql.run("UPDATE mailstore_folder SET lock_scope = 'folder' WHERE mailbox_id = %s AND role = 'inbox'", [alice.pk])
    talk = signed_in(imap_server, "alice@example.test")
    assert talk.say(b"STATUS INBOX (MESSAGES)")[0] == b"* STATUS INBOX (MESSAGES 1)"
    assert talk.say(b"SELECT INBOX")[-1] == b"a OK [READ-WRITE] Selected"
    assert talk.say(b"STORE 1 +FLAGS.SILENT (\\Seen)")[-1] == b"a OK Stored"
    assert talk.say(b"MOVE 1 Sent")[-1] == b"a OK Moved"
    talk.close()
    others = signed_in(imap_server, "bob@example.test")
    assert others.say(b"STATUS " + ALICES + b" (MESSAGES)")[-1].startswith(b"a NO [NOPERM]")
    told = others.say(b'LIST "" "Other Users/*/INBOX" RETURN (STATUS (MESSAGES))')
    assert [line.split()[1] for line in told] == [b"LIST", b"OK"]
    assert others.say(b"SELECT " + ALICES)[-1].startswith(b"a NO [NOPERM]")
    others.close()
