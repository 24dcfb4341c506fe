"""What the stress client believes, and what makes it complain."""

from __future__ import annotations

import pytest

from webmail.stress.ledger import Ledger, ViolationError
from webmail.stress.mirror import Mirror
from webmail.stress.responses import response


@pytest.fixture
def mirror() -> Mirror:
    """Three messages, UIDs 1, 2 and 5."""
    made = Mirror("INBOX", Ledger())
    hear(made, b"* 3 EXISTS")
    for number, uid in ((1, 1), (2, 2), (3, 5)):
        hear(made, b"* %d FETCH (UID %d FLAGS ())" % (number, uid), running=b"FETCH")
    return made


def hear(mirror: Mirror, line: bytes, *, running: bytes = b"NOOP") -> None:
    """One untagged response."""
    mirror.hear(response([line]), running)


def test_numbers_move_when_a_message_leaves(mirror: Mirror) -> None:
    hear(mirror, b"* 2 EXPUNGE")
    assert mirror.uids == [1, 5]
    hear(mirror, b"* 2 FETCH (UID 5 FLAGS (\\Seen))")


@pytest.mark.parametrize(
    ("line", "running"),
    [
        (b"* 2 EXISTS", b"NOOP"),
        (b"* 4 EXPUNGE", b"NOOP"),
        (b"* 1 EXPUNGE", b"FETCH"),
        (b"* 1 EXPUNGE", b""),
        (b"* 4 FETCH (FLAGS ())", b"FETCH"),
        (b"* 2 FETCH (UID 5)", b"FETCH"),
        (b"* VANISHED 2", b"NOOP"),
        (b"* 1 FETCH (FLAGS (Project))", b"FETCH"),
        (b"* 1 FETCH (FLAGS (\\Seen \\Seen))", b"FETCH"),
    ],
)
def test_a_wrong_answer_is_seen(mirror: Mirror, line: bytes, running: bytes) -> None:
    with pytest.raises(ViolationError):
        hear(mirror, line, running=running)


def test_the_same_modseq_with_other_flags_is_seen(mirror: Mirror) -> None:
    hear(mirror, b"* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (7))")
    other = Mirror("INBOX", mirror.ledger)
    hear(other, b"* 1 EXISTS")
    with pytest.raises(ViolationError, match="at modseq 7"):
        hear(other, b"* 1 FETCH (UID 1 FLAGS () MODSEQ (7))")


def test_what_vanished_earlier_moves_no_number() -> None:
    made = Mirror("INBOX", Ledger(), qresync=True)
    made.earlier = {1, 2, 3}
    hear(made, b"* 1 EXISTS")
    hear(made, b"* VANISHED (EARLIER) 1:2", running=b"SELECT")
    assert (made.earlier, len(made.messages)) == ({3}, 1)
    hear(made, b"* 1 FETCH (UID 3 FLAGS ())", running=b"FETCH")
    with pytest.raises(ViolationError, match="still counted"):
        hear(made, b"* VANISHED (EARLIER) 3", running=b"UID FETCH")


def recent(ledger: Ledger, *, server: int) -> None:
    """A client of a server hears that the message with UID 9 is recent."""
    made = Mirror("INBOX", ledger, server=server)
    hear(made, b"* 1 EXISTS")
    hear(made, b"* 1 FETCH (UID 9 FLAGS (\\Recent))")


def test_recent_to_two_clients_of_one_server_is_seen() -> None:
    ledger = Ledger()
    recent(ledger, server=1)
    with pytest.raises(ViolationError, match="recent to two clients"):
        recent(ledger, server=1)


def test_what_a_killed_server_said_may_be_read_after_its_successor_spoke() -> None:
    ledger = Ledger()
    ledger.killed()
    recent(ledger, server=ledger.server)
    recent(ledger, server=ledger.server - 1)
