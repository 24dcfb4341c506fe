"""Limits, time and rudeness on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl

import pytest

from accounts.models import Account
from mta.smtp_in import connection, dialogue, patience
from tests.dialogue import client_tls
from tests.mta.conftest import Running, Talk
from tests.mta.test_submit import mails


def begin(running: Running, *recipients: str, size: int = 0) -> Talk:
    """A transaction up to (not including) DATA."""
    talk = running.talk()
    assert talk.say("EHLO client.example").startswith("250-")
    assert talk.say(f"MAIL FROM:<a@b.example> SIZE={size}").startswith("250")
    for recipient in recipients:
        assert talk.say(f"RCPT TO:<{recipient}>").startswith("250")
    return talk


def test_more_recipients_than_allowed_are_asked_to_come_later(
    running: Running, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogue, "RECIPIENTS_MAX", 1)
    talk = begin(running, "alice@example.test")
    assert talk.say("RCPT TO:<bob@example.test>").startswith("452 4.5.3")
    assert talk.say("DATA").startswith("354")


def test_a_client_that_only_makes_mistakes_is_shown_the_door(running: Running) -> None:
    talk = running.talk()
    for _ in range(patience.ERRORS_MAX):
        assert talk.say("NONSENSE").startswith("500")
    assert talk.say("NONSENSE").startswith("500")
    assert talk.reply().startswith("421 4.7.0")
    assert talk.is_closed()


def test_a_client_that_never_sends_mail_is_shown_the_door(running: Running) -> None:
    talk = running.talk()
    for _ in range(patience.IDLE_COMMANDS_MAX):
        assert talk.say("NOOP").startswith("250")
    assert talk.say("NOOP").startswith("421 4.7.0")
    assert talk.is_closed()


def test_one_connection_too_many_is_answered_421_and_a_closed_one_makes_room(running: Running) -> None:
    running.server.gate.limits.per_address = 2
    first, second = running.talk(), running.talk()
    third = running.talk()
    assert third.greeting.startswith("421 4.3.2")
    assert third.is_closed()
    first.say("QUIT")
    assert first.is_closed()
    assert running.talk().greeting.startswith("220")
    second.close()


def test_silence_ends_the_connection(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "COMMAND_TIMEOUT_S", 0.1)
    talk = running.talk()
    assert talk.reply().startswith("421 4.4.2")
    assert talk.is_closed()


def test_silence_inside_data_ends_the_connection(
    running: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "DATA_TIMEOUT_S", 0.1)
    talk = begin(running, "alice@example.test")
    assert talk.say("DATA").startswith("354")
    talk.send(b"Subject: x\r\n")
    assert talk.reply().startswith("421 4.4.2")
    assert talk.is_closed()


def test_a_message_over_the_limit_is_refused_after_its_end_and_the_dialogue_goes_on(
    running: Running, alice: Account, settings: object
) -> None:
    settings.MESSAGE_MAX_BYTES = 20_000  # type: ignore[attr-defined]
    talk = begin(running, "alice@example.test")
    assert talk.say("DATA").startswith("354")
    talk.send(b"Subject: x\r\n\r\n" + b"a" * 70 + b"\r\n")
    for _ in range(300):
        talk.send(b"a" * 998 + b"\r\n")
    assert talk.say(".").startswith("552 5.3.4")
    assert talk.say("NOOP").startswith("250")


def test_without_memory_a_message_is_deferred_and_memory_comes_back(running: Running, alice: Account) -> None:
    running.server.gate.memory.limit_bytes = 10_000
    talk = begin(running, "alice@example.test")
    assert talk.say("DATA").startswith("354")
    talk.send(b"Subject: x\r\n\r\n" + (b"a" * 70 + b"\r\n") * 500)
    assert talk.say(".").startswith("452 4.3.1")
    assert running.server.gate.memory.used_bytes == 0
    assert talk.say("MAIL FROM:<a@b.example>").startswith("250")
    assert talk.say("RCPT TO:<alice@example.test>").startswith("250")
    assert talk.say("DATA").startswith("354")
    talk.send(b"Subject: small\r\n\r\nx\r\n")
    assert talk.say(".").startswith("250")


def test_memory_comes_back_when_a_client_vanishes_in_data(running: Running, alice: Account) -> None:
    talk = begin(running, "alice@example.test")
    assert talk.say("DATA").startswith("354")
    talk.send(b"a" * 5000)
    wait_for(running, lambda: running.server.gate.memory.used_bytes > 4000)
    talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    talk.file.close()
    talk.close()
    wait_for(running, lambda: running.server.gate.memory.used_bytes == 0)
    wait_for(running, lambda: not running.server.gate.open)


def wait_for(running: Running, condition: object) -> None:
    """Poll on the server's loop until it holds, at most a minute."""

    async def poll() -> None:
        for _ in range(6_000):
            if condition():  # type: ignore[operator]
                return
            await asyncio.sleep(0.01)
        raise AssertionError

    asyncio.run_coroutine_threadsafe(poll(), running.loop).result(90)


@pytest.mark.parametrize("line", [b"NOOP \0\r\n", b"NOOP\r\r\n", b"EHLO a\rb\r\n"])
def test_a_line_with_nul_or_a_stray_cr_ends_the_connection(running: Running, line: bytes) -> None:
    talk = running.talk()
    talk.send(line)
    assert talk.reply().startswith("500 5.5.2")
    assert talk.is_closed()


def test_bytes_that_are_not_utf_8_are_not_a_command(running: Running) -> None:
    talk = running.talk()
    talk.send(b"EHLO \xff\xfe\r\n")
    assert talk.reply().startswith("500 5.5.2")
    assert talk.say("NOOP").startswith("250")


def test_a_message_may_come_byte_by_byte(running: Running, alice: Account) -> None:
    talk = begin(running, "alice@example.test")
    talk.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"DATA\r\nSubject: slow\r\n\r\n..x\r\n.\r\n":
        talk.send(bytes([byte]))
    assert talk.reply().startswith("354")
    assert talk.reply().startswith("250 2.0.0")


def test_a_client_that_closes_its_side_still_gets_its_answers(running: Running, alice: Account) -> None:
    talk = begin(running, "alice@example.test")
    talk.send(b"DATA\r\nSubject: nc\r\n\r\nx\r\n.\r\nQUIT\r\n")
    talk.socket.shutdown(socket.SHUT_WR)
    assert talk.reply().startswith("354")
    assert talk.reply().startswith("250 2.0.0")
    assert talk.reply().startswith("221")


def test_ten_thousand_pipelined_recipients_leave_the_server_up(running: Running, alice: Account) -> None:
    talk = begin(running, "alice@example.test")
    talk.send(b"RCPT TO:<alice@example.test>\r\n" * 2000)
    answers = [talk.reply() for _ in range(2000)]
    assert {answer[:9] for answer in answers} == {"250 2.1.5", "452 4.5.3"}
    assert talk.say("RSET").startswith("250")


@pytest.mark.parametrize("seed", range(5))
def test_garbage_never_breaks_the_server(running: Running, seed: int) -> None:
    dice = random.Random(seed)
    words = [b"EHLO x\r\n", b"MAIL FROM:<", b">\r\n", b"RCPT TO:<a@example.test>\r\n", b"DATA\r\n", b"\r\n.\r\n"]
    words += [b"STARTTLS\r\n", b"\0", b"\xff", b"AUTH PLAIN ", b"RSET\r\n", b"=" * 50, b"\n", b"\r"]
    talk = running.talk()
    try:
        for _ in range(200):
            talk.send(dice.choice(words))
    except ConnectionError:
        pass
    talk.close()
    wait_for(running, lambda: not running.server.gate.open)
    assert running.talk().say("NOOP").startswith("250")


def test_a_command_that_comes_with_the_end_of_the_handshake_is_answered(running: Running) -> None:
    talk = running.talk()
    assert talk.say("EHLO client.example").startswith("250")
    assert talk.say("STARTTLS").startswith("220")
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    secure = client_tls().wrap_bio(arrived, leaving)
    with pytest.raises(ssl.SSLWantReadError):
        secure.do_handshake()
    talk.send(leaving.read())
    while True:
        arrived.write(talk.socket.recv(65536))
        try:
            secure.do_handshake()
            break
        except ssl.SSLWantReadError:
            continue
    secure.write(b"NOOP\r\n")
    talk.send(leaving.read())  # the client's Finished and its first command, in one segment
    answer = b""
    while not answer:
        try:
            answer = secure.read()
        except ssl.SSLWantReadError:
            arrived.write(talk.socket.recv(65536))
    assert answer.startswith(b"250 ")
    talk.close()


def test_stopping_says_goodbye_to_idle_clients(running: Running) -> None:
    talk = running.talk()
    assert talk.say("NOOP").startswith("250")
    asyncio.run_coroutine_threadsafe(running.server.gate.drain(5), running.loop).result(90)
    assert talk.reply().startswith("421 4.3.2")
    assert talk.is_closed()


@pytest.mark.parametrize(("first", "told"), [("close_when_idle", 2), ("cut", 1)])
def test_stopping_does_not_stumble_over_a_client_that_is_just_going(running: Running, first: str, told: int) -> None:
    """Both may end a connection under TLS in one turn of the loop; the others hear of the stop all the same."""
    talks = [Talk(running.submissions, tls=True) for _ in range(2)]
    assert all(talk.say("NOOP").startswith("250") for talk in talks)

    async def going_and_stopping() -> None:
        getattr(next(iter(running.server.gate.open)), first)()
        await running.server.gate.drain(5)

    asyncio.run_coroutine_threadsafe(going_and_stopping(), running.loop).result(90)
    words = []
    for talk in talks:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            words.append(talk.reply()[:9])
    assert words.count("421 4.3.2") == told


def test_large_mails_hold_a_megabyte_each_and_arrive_whole(running: Running, alice: Account) -> None:
    line = b"x" * 998 + b"\r\n"
    talks = [begin(running, "alice@example.test") for _ in range(3)]
    for number, talk in enumerate(talks):
        assert talk.say("DATA").startswith("354")
        talk.send(b"Subject: large %d\r\n\r\n.." % number + line * 4_000)
    wait_for(running, lambda: 0 < running.server.gate.memory.used_bytes < 3 * 1_500_000)
    for talk in talks:
        assert talk.say(".").startswith("250")
    assert running.server.gate.memory.used_bytes == 0
    assert [len(mail) for mail in mails(alice, "inbox")] == [len(mails(alice, "inbox")[0])] * 3
    assert mails(alice, "inbox")[0].endswith(b"\r\n\r\n." + line * 4_000)


@pytest.mark.parametrize("by", ["DATA", "BDAT"])
def test_a_refused_mail_is_counted_and_written_down_with_its_id(
    running: Running, alice: Account, by: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[dict[str, str]] = []
    monkeypatch.setattr("core.metrics.count", lambda _name, **labels: counted.append(labels))
    caplog.set_level("INFO", "mta.smtp_in.refused")
    talk = begin(running, alice.address)
    loop = b"Received: from x by y; now\r\n" * 60 + b"\r\nhello\r\n"
    if by == "DATA":
        assert talk.say("DATA").startswith("354")
        talk.send(loop + b".\r\n")
    else:
        talk.send(b"BDAT %d LAST\r\n" % len(loop) + loop)
    assert talk.reply().startswith("554 5.4.6")
    assert {"service": "mx", "command": "DATA", "code": "554", "enhanced": "5.4.6"} in counted
    (record,) = caplog.records
    assert record.queue_id  # type: ignore[attr-defined]
