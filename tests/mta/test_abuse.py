"""What the internet does to a mail server, over real sockets: every trick has its answer, and the server stays as it was.

Each group runs on one server, which must answer a plain mail afterwards, hold nothing of what was sent, and have delivered
nothing that it refused.
"""

from __future__ import annotations

import contextlib
import email
import os
import resource
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Account
from mta.inbound.trace import RECEIVED_MAX
from mta.models import Delivery, Submission
from mta.smtp_in import connection, dialogue, patience
from tests.flows.test_mail_in import eventually
from tests.mta.conftest import Running, Talk
from tests.mta.test_submit import mails

ALICE = "alice@example.test"
PLAIN = b"Subject: plain\r\n\r\nhello\r\n"
GROWTH_MAX_KIB = 64 * 1024


@pytest.fixture
def server(running: Running, alice: Account, bob: Account) -> Iterator[Running]:
    """A server that is well afterwards."""
    yield running
    talk = begun(running, ALICE)
    assert finished(talk, PLAIN).startswith("250 2.0.0"), "the server is up"
    assert any(each.endswith(PLAIN) for each in mails(alice, "inbox"))
    talk.close()
    assert running.server.gate.memory.used_bytes == 0
    assert not Submission.objects.exists(), "nothing leaves"
    assert not Delivery.objects.exists()


def begun(running: Running, *recipients: str, sender: str = "a@far.example") -> Talk:
    """A transaction before DATA; RCPT may be answered as it likes."""
    talk = running.talk()
    assert talk.say("EHLO far.example").startswith("250")
    assert talk.say(f"MAIL FROM:<{sender}>").startswith("250")
    for recipient in recipients:
        talk.say(f"RCPT TO:<{recipient}>")
    return talk


def finished(talk: Talk, message: bytes) -> str:
    """DATA and its last answer."""
    assert talk.say("DATA").startswith("354")
    talk.send(message + b".\r\n")
    return talk.reply()


# Smuggling: what may end a message, and what follows it ------------------------------------------------

HIDDEN = b"MAIL FROM:<evil@far.example>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
]
ENDS += [b"\n\n.\r\n", b"\r\r\n.\n", b"\xc2\x85.\xc2\x85", b"\x0b.\x0b", b"\r\n. \r\n", b"\r\n.\t\r\n"]


def test_only_one_sequence_ends_a_message(server: Running, bob: Account, alice: Account) -> None:
    for end in ENDS:
        talk = begun(server, ALICE)
        answer = finished(talk, b"Subject: first\r\n\r\nx" + end + HIDDEN)
        is_bare = b"\n" in end.replace(b"\r\n", b"") or b"\r" in end.replace(b"\r\n", b"")
        assert answer.startswith("550 5.6.11" if is_bare else "250 2.0.0"), (end, answer)
        assert talk.say("NOOP").startswith("250"), "nothing of it was taken for a command"
        talk.close()
    assert mails(bob, "inbox") == []


def test_bare_line_ends_end_no_command(server: Running) -> None:
    for sent in (b"NOOP\n", b"NOOP\rNOOP\r\n", b"NO\0OP\r\n", b"EHLO x\nMAIL FROM:<a@far.example>\r\n"):
        talk = server.talk()
        talk.send(sent)
        assert talk.reply().startswith("500 5.5.2"), sent
        assert talk.is_closed()


# Relaying ---------------------------------------------------------------------------------------------

TRICKS = {
    "victim@far.example": "550 5.7.1",
    "victim%far.example@example.test": "550 5.1.1",
    "far.example!victim@example.test": "550 5.1.1",
    "@example.test:victim@far.example": "550 5.7.1",
    "@example.test,@far.example:victim@far.example": "550 5.7.1",
    '"victim@far.example"@example.test': "550 5.1.1",
    '"victim@far.example"': "501 5.5.4",
    '"alice"@example.test@far.example': "501 5.5.4",
    "victim@[127.0.0.1]": "550 5.7.1",
    "victim@[IPv6:::1]": "550 5.7.1",
    "victim@far.example@example.test": "501 5.5.4",
    "alice@example.test\\@far.example": "501 5.5.4",
    "alice@.example.test": "501 5.5.4",
    "alice@example.test\0@far.example": "500 5.5.2",
    "": "501 5.5.4",
    "alice": "501 5.5.4",
    "alice@": "501 5.5.4",
    "@example.test": "501 5.5.4",
    "victim@localhost": "550 5.7.1",
    "|/bin/sh@example.test": "550 5.1.1",
    "../../etc/passwd@example.test": "501 5.5.4",
    "alice@example.test> <victim@far.example": "555 5.5.4",
    "alice@example.test>\tRCPT TO:<victim@far.example": "501 5.5.4",
}


def test_no_trick_makes_it_a_relay(server: Running) -> None:
    found = {}
    for recipient in TRICKS:
        talk = begun(server)
        answer = talk.say(f"RCPT TO:<{recipient}>")
        found[recipient] = " ".join(answer.split()[:2])
        talk.close()
    unexpected = {each: (found[each], wanted) for each, wanted in TRICKS.items() if not found[each].startswith("5")}
    assert unexpected == {}
    assert {each: code for each, code in found.items() if code != TRICKS[each]} == {}


def test_a_stranger_who_says_he_is_one_of_us_is_no_relay_either(server: Running) -> None:
    talk = begun(server, sender=ALICE)
    assert talk.say("RCPT TO:<victim@far.example>").startswith("550 5.7.1")
    assert talk.say("AUTH PLAIN AGEAYg==").startswith("500 5.5.2")


# Envelopes --------------------------------------------------------------------------------------------


def test_eight_bits_in_the_envelope_need_smtputf8_and_utf8(server: Running) -> None:
    talk = server.talk()
    talk.say("EHLO far.example")
    talk.send("MAIL FROM:<ä@far.example>\r\n".encode())
    assert talk.reply().startswith("553 5.6.7")
    talk.send(b"MAIL FROM:<\xff\xfe@far.example> SMTPUTF8\r\n")
    assert talk.reply().startswith("500 5.5.2")
    talk.send("MAIL FROM:<ä@far.example> SMTPUTF8\r\n".encode())
    assert talk.reply().startswith("250")
    talk.send("RCPT TO:<nobody\u202e@example.test>\r\n".encode())
    assert talk.reply().startswith("5")


def test_ten_thousand_recipients_are_counted_and_none_is_forgotten(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogue, "RECIPIENTS_MAX", 100)
    talk = begun(server)
    answers: list[str] = []
    reading = threading.Thread(target=lambda: answers.extend(talk.reply()[:9] for _ in range(10_000)))
    reading.start()
    talk.send(f"RCPT TO:<{ALICE}>\r\n".encode() * 10_000)
    reading.join(60)
    assert answers == ["250 2.1.5"] * 100 + ["452 4.5.3"] * 9_900
    assert finished(talk, b"Subject: many\r\n\r\nx\r\n").startswith("250")


def test_a_report_may_come_from_the_empty_sender_and_makes_no_other(server: Running, alice: Account) -> None:
    talk = begun(server, ALICE, "nobody@example.test", sender="")
    assert finished(talk, b"Subject: Undelivered\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n").startswith("250")
    assert mails(alice, "inbox")[0].startswith(b"Return-Path: <>\r\n")
    assert begun(server, sender="").say("RCPT TO:<nobody@example.test>").startswith("550 5.1.1")


# Messages ---------------------------------------------------------------------------------------------


def test_loops_and_huge_headers_end(server: Running) -> None:
    hop = b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    assert finished(begun(server, ALICE), hop * (RECEIVED_MAX + 1) + b"\r\nx\r\n").startswith("554 5.4.6")
    assert finished(begun(server, ALICE), hop * RECEIVED_MAX + b"\r\nx\r\n").startswith("250")
    assert finished(begun(server, ALICE), b"X: " + b"a" * 700_000 + b"\r\n\r\nx\r\n").startswith("552 5.3.4")


def test_too_large_is_said_before_and_after(server: Running, settings: Any) -> None:
    settings.MESSAGE_MAX_BYTES = 100_000
    talk = server.talk()
    talk.say("EHLO far.example")
    assert talk.say("MAIL FROM:<a@far.example> SIZE=100001").startswith("552 5.3.4")
    assert talk.say("MAIL FROM:<a@far.example> SIZE=99999999999999999999").startswith("5")
    lying = begun(server, ALICE)
    assert finished(lying, b"Subject: x\r\n\r\n" + (b"y" * 998 + b"\r\n") * 200).startswith("552 5.3.4")
    assert lying.say("NOOP").startswith("250")


def test_nested_bombs_are_stored_as_they_are_within_bounds(server: Running, alice: Account) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3_000))
    wrapped = b"".join(b"Content-Type: message/rfc822\r\n\r\n" for _ in range(3_000))
    wide = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 20_000 + b"--b--\r\n"
    for message in (deep, wrapped, wide):
        assert finished(begun(server, ALICE), message + b"\r\n").startswith("250")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_MAX_KIB
    assert len(mails(alice, "inbox")) == 3


# BDAT -------------------------------------------------------------------------------------------------


def test_chunks_that_lie_about_their_size_smuggle_nothing(server: Running, bob: Account, settings: Any) -> None:
    settings.MESSAGE_MAX_BYTES = 100_000
    talk = begun(server, ALICE)
    talk.send(b"BDAT 20\r\nSubject: short\r\n\r\nxNOOP\r\n")
    assert talk.reply().startswith("250"), "twenty bytes, whatever they are"
    talk.send(b"RSET\r\n")
    assert [talk.reply()[:3] for _ in range(2)] == ["500", "250"], "what is left of the command is none"
    talk.close()
    for said, answer in {
        "BDAT": "501 5.5.4",
        "BDAT -1": "501 5.5.4",
        "BDAT 0x10": "501 5.5.4",
        "BDAT 99999999999999999999999": "501 5.5.4",
        "BDAT 1 LAST LAST": "501 5.5.4",
    }.items():
        talk = begun(server, ALICE)
        assert talk.say(said).startswith(answer), said
        assert talk.is_closed(), "where the next command begins is anybody's guess"
    talk = begun(server, ALICE)
    talk.send(b"BDAT 200000 LAST\r\n" + (b"MAIL FROM:<evil@far.example>\r\n" * 7_000)[:200_000])
    assert talk.reply().startswith("552 5.3.4")
    assert talk.say("NOOP").startswith("250")
    talk = begun(server)
    talk.send(b"BDAT 6 LAST\r\nQUIT\r\n")
    assert talk.reply().startswith("554 5.5.1"), "nobody to send it to, but its bytes are read"
    assert talk.say("NOOP").startswith("250")
    assert mails(bob, "inbox") == []


def test_a_chunk_with_bare_line_ends_is_refused_too(server: Running) -> None:
    talk = begun(server, ALICE)
    message = b"Subject: x\n\nx\n"
    talk.send(b"BDAT %d LAST\r\n%s" % (len(message), message))
    assert talk.reply().startswith("550 5.6.11")


def test_a_binary_mail_comes_in_chunks_alone_and_is_kept_as_lines(server: Running, bob: Account, settings: Any) -> None:
    content = bytes(range(256)) + b"\r.\r\n.\r\nQUIT\r\n\n\0"
    message = b"Subject: b\r\nContent-Type: application/x-b\r\nContent-Transfer-Encoding: binary\r\n\r\n" + content
    talk = server.talk()
    assert "BINARYMIME" in talk.say("EHLO client.test")
    begin = ["MAIL FROM:<x@far.example> BODY=BINARYMIME", f"RCPT TO:<{bob.address}>"]
    assert [talk.say(line)[:3] for line in begin] == ["250", "250"]
    assert talk.say("DATA").startswith("503 5.5.1"), "a dot on a line may be anywhere in it"
    talk.send(b"BDAT 100\r\n" + message[:100] + b"BDAT %d LAST\r\n" % (len(message) - 100) + message[100:])
    assert [talk.reply()[:3] for _ in range(2)] == ["250", "250"]
    (kept,) = mails(bob, "inbox")
    assert kept.count(b"\r") == kept.count(b"\n") == kept.count(b"\r\n")
    assert email.message_from_bytes(kept).get_payload(decode=True) == content
    bare = b"Subject: b\r\n\r\nHello\nthere\r\n"
    assert [talk.say(line)[:3] for line in begin] == ["250", "250"]
    talk.send(b"BDAT %d LAST\r\n" % len(bare) + bare)
    assert talk.reply().startswith("550 5.6.11"), "what is not called binary has lines"
    settings.MESSAGE_MAX_BYTES = len(message) + 50
    small = server.talk()
    small.say("EHLO client.test")
    assert [small.say(line)[:3] for line in begin] == ["250", "250"]
    small.send(b"BDAT %d LAST\r\n" % len(message) + message)
    assert small.reply().startswith("552 5.3.4"), "base64 is longer"
    assert len(mails(bob, "inbox")) == 1


# Rudeness ---------------------------------------------------------------------------------------------


def test_pipelined_garbage_is_answered_line_by_line_until_the_door(server: Running) -> None:
    talk = server.talk()
    talk.send(b"".join(b"\x01\xff garbage %d\r\n" % number for number in range(500)))
    codes = []
    with contextlib.suppress(ConnectionError, IndexError):
        while answer := talk.reply():
            codes.append(answer[:9])
    assert set(codes) <= {"500 5.5.2", "421 4.7.0"}
    assert len(codes) <= patience.ERRORS_MAX + 2


def test_a_line_without_end_is_cut(server: Running) -> None:
    talk = server.talk()
    with contextlib.suppress(ConnectionError):
        talk.send(b"EHLO " + b"a" * 200_000)
    assert talk.reply().startswith("500 5.5.2")
    assert talk.is_closed()


def test_http_and_tls_where_smtp_is_spoken_get_nowhere(server: Running) -> None:
    for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 30, b"\x16\x03\x01\x02\x00\x01" + os.urandom(200) + b"\r\n"):
        talk = server.talk()
        with contextlib.suppress(ConnectionError):
            talk.send(sent)
        assert talk.reply().startswith("500")
        talk.close()


def test_clients_that_dribble_are_ended_and_keep_nobody_waiting(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MESSAGE_TIMEOUT_S", 0.5)
    slow = [begun(server, ALICE) for _ in range(10)]
    for talk in slow:
        assert talk.say("DATA").startswith("354")
        talk.send(b"Subject: slow\r\n")
    quick = begun(server, ALICE)
    assert finished(quick, b"Subject: quick\r\n\r\nx\r\n").startswith("250")
    for talk in slow:
        with contextlib.suppress(ConnectionError):
            for _ in range(3):
                talk.send(b"x")
        assert talk.reply().startswith("421 4.4.2")
        assert talk.is_closed()


def test_who_writes_and_never_reads_is_read_no_further(server: Running) -> None:
    talk = begun(server, ALICE)
    (served,) = server.server.gate.open
    loopback = served._transport.get_extra_info("socket")
    loopback.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    answers_bytes = 20_000 * len("452 4.5.3 Too many recipients\r\n")
    sending = threading.Thread(target=talk.send, args=(f"RCPT TO:<{ALICE}>\r\n".encode() * 20_000,))
    sending.start()
    held = 0
    while not (served._paused and not served._writable.is_set()) and held < answers_bytes // 4:
        time.sleep(0.01)
        held = served._transport.get_write_buffer_size()
    assert held < answers_bytes // 4, "answers that nobody reads do not pile up"
    answers = [talk.reply()[:3] for _ in range(20_000)]
    sending.join(60)
    assert set(answers) == {"250", "452"}
    assert finished(talk, b"Subject: read\r\n\r\nx\r\n").startswith("250"), "nothing of it was lost"
    talk.close()


def test_who_never_reads_again_keeps_no_place(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "COMMAND_TIMEOUT_S", 0.3)
    monkeypatch.setattr(connection, "LAST_WORD_S", 0.1)
    talk = begun(server, ALICE)
    (served,) = server.server.gate.open
    served._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    talk.socket.settimeout(60)
    with contextlib.suppress(ConnectionError):
        for _ in range(2_000):
            talk.send(f"RCPT TO:<{ALICE}>\r\n".encode() * 1_000)
    eventually(lambda: not server.server.gate.open)
    talk.close()
    monkeypatch.undo()


def test_who_vanishes_leaves_nothing(server: Running) -> None:
    for said in (b"", b"EH", b"EHLO x\r\n", b"EHLO x\r\nMAIL FROM:<a@far.example>\r\n"):
        with socket.create_connection(("127.0.0.1", server.mx)) as client:
            client.sendall(said)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


# Real clients -----------------------------------------------------------------------------------------


def test_swaks_and_smtp_source_get_their_mail_in(server: Running, alice: Account) -> None:
    port = str(server.mx)
    swaks = ["swaks", "--server", "127.0.0.1", "--port", port, "--to", ALICE, "--from", "a@far.example", "-tls"]
    done = subprocess.run([*swaks, "--ehlo", "c.example"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    source = ["/usr/sbin/smtp-source", "-m", "50", "-s", "5", "-l", "2000", "-f", "a@far.example", "-t", ALICE]
    subprocess.run([*source, f"127.0.0.1:{port}"], timeout=60, check=True)
    assert len(mails(alice, "inbox")) == 51
