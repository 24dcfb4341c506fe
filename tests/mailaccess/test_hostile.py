"""Clients that mean harm, or were written by somebody in a hurry: bounded, answered or cut, and nobody else notices."""

from __future__ import annotations

import logging
import random
import re
import socket

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from core.connection import ConnectionLimits
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk
from tests.mailstore.letters import letter, stored, stored_many

LOGIN = f'LOGIN alice@example.test "{PASSWORD}"'.encode()
COMMANDS = (
    b'LIST "" "*" RETURN (STATUS (MESSAGES))',
    b"STATUS INBOX (MESSAGES UIDNEXT)",
    b"FETCH 1:* (UID FLAGS ENVELOPE BODY.PEEK[HEADER.FIELDS (From To)]<0.20>)",
    b"UID FETCH 1:* (BODY[1.2.MIME] BINARY.SIZE[1]) (CHANGEDSINCE 1)",
    b"STORE 1,2:* (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Seen Project)",
    b"UID SEARCH RETURN (MIN MAX) CHARSET UTF-8 OR SUBJECT {3+}\r\nabc NOT (FROM x BEFORE 1-Feb-2020)",
    b'APPEND Drafts (\\Seen) " 1-Feb-2020 10:00:00 +0800" {10+}\r\nA: b\r\n\r\nxy',
    b"COPY 1 &XzxoYw-",
    b"RENAME nowhere {4+}\r\nthis",
    b'ID ("name" "x" "version" NIL)',
    b"ENABLE CONDSTORE",
    b"SELECT INBOX (CONDSTORE)",
    b"GETQUOTAROOT INBOX",
    b"UID EXPUNGE 4:9",
)
POP3_COMMANDS = (b"LIST 1", b"UIDL", b"TOP 1 3", b"RETR 2", b"STAT", b"CAPA", b"NOOP", b"RSET")


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


@pytest.fixture(autouse=True)
def _nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> object:
    """No exception reaches the log."""
    yield
    assert not [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


def signed_in(server: Running) -> Talk:
    """An IMAP session."""
    talk = server.talk()
    assert talk.say(LOGIN)[-1].startswith(b"a OK")
    return talk


@pytest.mark.parametrize(
    ("size", "guest"), [(9_000, True), (66_000, False)], ids=["before signing in", "after signing in"]
)
def test_a_line_without_end_is_cut(imap_server: Running, alice: Account, size: int, guest: bool) -> None:
    talk = imap_server.talk() if guest else signed_in(imap_server)
    talk.send(b"a NOOP " + b"x" * size)
    assert talk.line() == b"a BAD [LIMIT] The command is too long"
    assert talk.line() == b"* BYE Too long"
    assert talk.is_closed()


def test_a_huge_literal_is_refused_before_it_is_sent(imap_server: Running, alice: Account) -> None:
    talk = signed_in(imap_server)
    assert talk.say(b"APPEND INBOX {99999999999}") == [b"a NO [TOOBIG] The message is too large"]
    assert talk.say(b"STATUS {70000}") == [b"a BAD [LIMIT] The command is too long"]
    assert talk.say(b"NOOP")[-1].startswith(b"a OK")
    talk.send(b"a APPEND INBOX {99999999999+}\r\n")
    assert talk.line() == b"a NO [TOOBIG] The message is too large"
    assert talk.line() == b"* BYE Too long"
    guest = imap_server.talk()
    assert guest.say(b"LOGIN {5000}") == [b"a BAD [LIMIT] The command is too long"]


def test_a_sign_in_that_never_ends_is_cut(imap_server: Running, pop3_server: Running, alice: Account) -> None:
    talk = imap_server.talk()
    talk.send(b"a AUTHENTICATE PLAIN\r\n")
    assert talk.line().startswith(b"+")
    talk.send(b"A" * 13_000)
    assert talk.line().startswith(b"a ")
    pop = pop3_server.talk()
    pop.send(b"AUTH PLAIN\r\n")
    assert pop.line().startswith(b"+")
    pop.send(b"A" * 13_000)
    assert pop.line().startswith(b"-ERR")


def test_guessing_is_cut_short(imap_server: Running, pop3_server: Running, alice: Account) -> None:
    talk = imap_server.talk()
    for _ in range(6):
        talk.send(b"a LOGIN alice@example.test wrong\r\n")
    assert [line for line in talk.file if line.startswith(b"* BYE")]
    pop = pop3_server.talk()
    for _ in range(6):
        pop.send(b"USER alice@example.test\r\nPASS wrong\r\n")
    assert pop.file.read().endswith(b"-ERR Too many failures\r\n")


@pytest.mark.parametrize(
    "name",
    [b"a\r\nb", b"a\0b", b"a\x7fb", b"\xff\xfe", b"&AGE-", b"&", b"a/../b", b"*", b"%", b"x" * 3_000, b"a//b", b"", b"a\x1b[2J"],
    ids=lambda name: repr(name[:10]),
)  # fmt: skip
def test_no_name_breaks_a_response(imap_server: Running, alice: Account, name: bytes) -> None:
    talk = signed_in(imap_server)
    for command in (b"CREATE", b"SUBSCRIBE", b"STATUS", b"SELECT", b"DELETE"):
        rest = b" (MESSAGES)" if command == b"STATUS" else b""
        talk.send(b"a %b {%d+}\r\n%b%b\r\n" % (command, len(name), name, rest))
        assert re.match(rb"a (OK|NO|BAD) ", talk.answer()[-1])
    for line in talk.say(b'LIST "" "*"') + talk.say(b'LSUB "" "*"'):
        assert re.match(rb'\* L(IST|SUB) \([^)]*\) "/" |a OK', line), line
        assert not re.search(rb"[\x00-\x1f\x7f]", line)
    talk.close()


def test_mutated_commands_are_answered_and_nobody_else_notices(imap_server: Running, mine: Access) -> None:
    stored_many(mine, 3)
    chance = random.Random(seed := random.randrange(10**6))
    good, talk = signed_in(imap_server), signed_in(imap_server)
    for number in range(200):
        command = mutated(chance, chance.choice(COMMANDS))
        try:
            talk.send(b"t%d %b\r\nz%d NOOP\r\n" % (number, command, number))
            answered = until(talk, b"z%d " % number)
        except (ConnectionError, TimeoutError):
            answered = False
        if not answered:
            talk.close()
            talk = signed_in(imap_server)
            talk.say(b"SELECT INBOX")
        if number % 20 == 0:
            assert good.say(b"STATUS INBOX (UIDNEXT)")[-1].startswith(b"a OK"), seed
    assert good.say(b"NOOP")[-1].startswith(b"a OK")


def mutated(chance: random.Random, command: bytes) -> bytes:
    """A few bytes changed, taken away, doubled."""
    data = bytearray(command)
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randrange(1, 5)]
            case 2:
                data[at:at] = data[at : at + chance.randrange(1, 9)]
            case _:
                data[at:at] = chance.choice(
                    (b"(", b")", b'"', b"{3}", b"{3+}\r\n", b"\r\n", b"[", b"*", b"99999999999", b"\\")
                )
    return bytes(data)


def until(talk: Talk, tag: bytes) -> bool:
    """Whether the tag came; a server that waits for a literal is given one."""
    talk.socket.settimeout(20)
    while True:
        line = talk.whole_line()
        if not line:
            return False
        if line.startswith(b"+"):
            talk.send(b"xx\r\n" * 3 + tag + b"NOOP\r\n")
        if line.startswith(tag):
            return True


def test_mutated_pop3_lines_are_answered(pop3_server: Running, mine: Access) -> None:
    stored_many(mine, 3)
    chance = random.Random(random.randrange(10**6))
    talk = pop3_server.talk()
    talk.send(f"USER alice@example.test\r\nPASS {PASSWORD}\r\n".encode())
    assert talk.line().startswith(b"+OK")
    assert talk.line().startswith(b"+OK")
    sent = b"".join(mutated(chance, chance.choice(POP3_COMMANDS)).replace(b"QUIT", b"") + b"\r\n" for _ in range(15))
    talk.send(sent + b"QUIT\r\n")
    assert talk.file.read()


def test_who_does_not_read_waits_alone_and_costs_little(imap_server: Running, mine: Access) -> None:
    for number in range(12):
        stored(mine, letter(f"big{number}", body="x" * 900_000))
    slow, quick = signed_in(imap_server), signed_in(imap_server)
    slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    slow.say(b"SELECT INBOX")
    slow.send(b"b FETCH 1:* (BODY.PEEK[])\r\n" * 5)
    held = [0]
    for tries in range(5_000):
        assert quick.say(b"STATUS INBOX (MESSAGES)")[-1].startswith(b"a OK")
        held += [each._transport.get_write_buffer_size() for each in imap_server.server.gate.open]
        if tries >= 20 and max(held):  # the first mail may take its time to come out of the database
            break
    assert 0 < max(held) < 16 << 20
    slow.close()
    assert quick.say(b"NOOP")[-1].startswith(b"a OK")


def test_who_writes_byte_by_byte_is_understood(imap_server: Running, alice: Account) -> None:
    talk = imap_server.talk(tls=False)
    for byte in b"a CAPABILITY\r\n":
        talk.send(bytes([byte]))
    assert talk.answer()[-1] == b"a OK Done"


def test_the_address_with_too_many_connections_is_told_so(imap_server: Running, alice: Account) -> None:
    imap_server.server.gate.limits = ConnectionLimits(total=40, per_address=30)
    talks = [imap_server.talk(tls=False) for _ in range(30)]
    refused = imap_server.talk(tls=False)
    assert refused.greeting == b"* BYE [UNAVAILABLE] Too many connections, try again later"
    for talk in talks[1:]:
        talk.close()
    assert talks[0].say(b"NOOP")[-1] == b"a OK Done"
