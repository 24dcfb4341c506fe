"""Header fields of many messages: read once in a process, right whatever came, went and is asked for, in bounded memory."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings, strategies as st

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from mailaccess.imap import header_fields as module
from mailaccess.imap.header_fields import CHUNK, HeaderFields, header_fields, whole_pieces
from mailaccess.imap.section import fields_in
from mailstore.services.entries import purge
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running
from tests.mailstore.letters import folder_id, stored_many

SUBJECT = frozenset({b"SUBJECT"})
LINES = st.lists(
    st.sampled_from(
        [b"Subject: one", b"SUBJECT : two", b"X-Subject: no", b" folded", b"\tmore", b"", b"From: \xff\x00", b": nameless",
         b"subject:", b"Subject no colon", b"from:a\rb"]
    ),
    max_size=12,
)  # fmt: skip


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


def subject(number: int) -> bytes:
    """As `stored_many` makes them."""
    return b"Subject: Letter %d\r\n\r\n" % number


def told(kept: HeaderFields, folder: int, uids: list[int], names: frozenset[bytes] = SUBJECT) -> list[bytes | None]:
    """What is known of each UID."""
    found, stopped = kept.texts(folder, uids, names)
    assert not stopped
    return [found.get(uid) for uid in uids]


@settings(max_examples=300, deadline=None)
@given(lines=LINES, end=st.sampled_from([b"\r\n", b"\n"]), last=st.booleans())
def test_fields_are_found_as_a_reader_of_lines_finds_them(lines: list[bytes], end: bytes, last: bool) -> None:
    head = end.join(lines) + (end if last else b"")
    names = frozenset({b"SUBJECT", b"FROM", b""})
    kept, is_wanted = b"", False
    for line in re.findall(rb"[^\n]*\n", head):
        if not (is_wanted and line[:1] in {b" ", b"\t"}):
            name, colon, _ = line.partition(b":")
            is_wanted = bool(colon) and name.rstrip(b" \t").upper() in names
        kept += line if is_wanted else b""
    assert fields_in(head, names) == kept + b"\r\n"


def test_what_was_read_is_not_read_again_until_something_else_is_asked_for(mine: Access) -> None:
    inbox = folder_id(mine)
    stored_many(mine, CHUNK + 50)
    uids = list(range(1, CHUNK + 51))
    expected = [subject(number) for number in range(CHUNK + 50)]
    kept = HeaderFields()
    with CaptureQueriesContext(connection) as queries:
        assert told(kept, inbox, uids) == expected
        assert len(queries) == 2, "one for each piece"
        assert told(kept, inbox, uids) == expected
        assert told(kept, inbox, uids[100:103]) == expected[100:103]
        assert len(queries) == 2
        both = told(kept, inbox, uids[:2], frozenset({b"SUBJECT", b"TO"}))
        assert both[0] == b"To: alice@example.test\r\n" + subject(0)
        assert told(kept, inbox, uids[:2], frozenset({b"X-NONE"})) == [b"\r\n", b"\r\n"]
        assert len(queries) == 4


def test_a_piece_grows_and_who_is_gone_is_not_told(mine: Access) -> None:
    inbox = folder_id(mine)
    entries = stored_many(mine, 40)
    kept = HeaderFields()
    told(kept, inbox, list(range(1, 41)))
    stored_many(mine, 40, first=40)
    with CaptureQueriesContext(connection) as queries:
        assert told(kept, inbox, list(range(1, 81))) == [subject(number) for number in range(80)]
        assert told(kept, inbox, list(range(1, 81))) == [subject(number) for number in range(80)]
        assert len(queries) == 1, "of those that came"
    purge(mine, entries[:1])
    assert told(HeaderFields(), inbox, [1, 2]) == [None, subject(1)]


def test_a_few_messages_are_read_and_not_remembered(mine: Access) -> None:
    inbox = folder_id(mine)
    stored_many(mine, 3)
    kept = HeaderFields()
    assert told(kept, inbox, [1, 2, 3]) == [subject(0), subject(1), subject(2)]
    assert kept.size == 0


def test_memory_is_bounded_and_what_was_used_last_stays(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = folder_id(mine)
    stored_many(mine, 40)
    uids = list(range(1, 41))
    kept = HeaderFields()
    told(kept, inbox, uids)
    monkeypatch.setattr(module, "MAX_BYTES", 3 * kept.size)
    for number in range(9):
        told(kept, inbox, uids, frozenset({b"X-%d" % number}))
        told(kept, inbox, uids)
        assert 0 < kept.size <= module.MAX_BYTES
    with CaptureQueriesContext(connection) as queries:
        told(kept, inbox, uids)
        told(kept, inbox, uids, frozenset({b"X-8"}))
        assert not queries
        told(kept, inbox, uids, frozenset({b"X-0"}))
        assert len(queries) == 1
    kept.forget()
    assert kept.size == 0


def test_long_headers_are_read_a_few_at_a_time_and_not_remembered(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = folder_id(mine)
    stored_many(mine, 40)
    kept = HeaderFields()
    monkeypatch.setattr(module, "READ_BYTES", 1_000)
    found, stopped = kept.texts(inbox, list(range(1, 41)), SUBJECT)
    assert 1 < stopped < 40
    assert list(found) == list(range(1, stopped))
    monkeypatch.setattr(module, "READ_BYTES", 1_000_000)
    monkeypatch.setattr(module, "PIECE_MAX_BYTES", 100)
    told(kept, inbox, list(range(1, 41)))
    assert kept.size == 0


@pytest.mark.parametrize("last", [256, 511, 512, 600, 767, 768])
def test_a_last_piece_that_is_not_whole_waits(last: int) -> None:
    rows = [(uid,) for uid in range(last - 300, last + 1)]
    kept = whole_pieces(rows)
    assert kept == rows[: len(kept)]
    assert (kept[-1][0] + 1) % CHUNK == 0
    assert last - kept[-1][0] < CHUNK


def test_programs_hear_of_every_message_however_it_is_read(
    imap_server: Running, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = stored_many(mine, 2 * CHUNK + 300)
    purge(mine, entries[3:40])
    left = [*range(3), *range(40, len(entries))]
    talk = imap_server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    talk.say(b"SELECT INBOX")
    asked = b"UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (Subject)] BODY.PEEK[HEADER.FIELDS (X-None)])"
    expected = [
        b"* %d FETCH (UID %d FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {%d}\r\n%b BODY[HEADER.FIELDS (X-NONE)] {2}\r\n\r\n)"
        % (number, at + 1, len(subject(at)), subject(at))
        for number, at in enumerate(left, 1)
    ]
    assert talk.say(asked)[:-1] == expected
    assert header_fields.size > 0
    assert talk.say(asked)[:-1] == expected
    header_fields.forget()
    monkeypatch.setattr(module, "READ_BYTES", 1_000)
    assert talk.say(asked)[:-1] == expected
    alone = talk.say(b"FETCH 2:3 BODY.PEEK[HEADER.FIELDS (Subject)]<9.6>")[:-1]
    assert alone == [b"* %d FETCH (BODY[HEADER.FIELDS (SUBJECT)]<9> {6}\r\nLetter)" % number for number in (2, 3)]
    seen = talk.say(b"FETCH 1 BODY[HEADER.FIELDS (Subject)]")[0]
    assert (
        seen == b"* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {21}\r\nSubject: Letter 0\r\n\r\n FLAGS (\\Recent \\Seen))"
    )
    talk.close()


def test_what_moves_has_a_new_uid_and_another_folder_of_the_same_name_other_messages(
    imap_server: Running, mine: Access
) -> None:
    talk = imap_server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    asked = b"FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]"
    for first in (0, 100):
        moved = stored_many(mine, 40, first=first)
        talk.say(b"CREATE Twice")
        talk.say(b"SELECT INBOX")
        assert len(talk.say(b"MOVE 1:* Twice")) > 40
        talk.say(b"SELECT Twice")
        found = talk.say(asked)[:-1]
        assert [line.partition(b"Letter ")[2].split(b"\r\n")[0] for line in found] == [
            b"%d" % number for number in range(first, first + 40)
        ]
        talk.say(b"CLOSE")
        purge(mine, moved)
        assert talk.say(b"DELETE Twice")[-1].startswith(b"a OK")
    assert header_fields.size > 0
    talk.close()
