"""Mail of 8-bit bytes to servers that take none (RFC 6152 3): Postfix's own sink, and servers that offer what a test wants."""

from __future__ import annotations

import contextlib
import email
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import dkim as dkimpy
import pytest

from accounts.models import Account
from core.ports import free_port
from mta.models import Delivery, DkimKey
from mta.outbound import worker
from mta.outbound.load import AT_ONCE_MAX_BYTES
from tests.mta.scripted import scripted
from tests.mta.test_submit import mails
from tests.mta.test_worker import write

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = b"Message-ID: <e@example.test>\r\nFrom: alice@example.test\r\nTo: x@far.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
TEXT = "晚饭吃什么?\r\n"
PLAIN = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + TEXT.encode()
SIGNED = (
    b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" + PLAIN + b"--b\r\nContent-Type: application/"
    b"pkcs7-signature\r\n\r\nx\r\n--b--\r\n"
)


@contextlib.contextmanager
def postfix_sink(folder: pathlib.Path, *options: str) -> Iterator[int]:
    """smtp-sink, every message in a file of its own."""
    port = free_port()
    command = ["/usr/sbin/smtp-sink", *options, "-d", f"{folder}/mail-", "-u", "root", f"127.0.0.1:{port}", "20"]
    process = subprocess.Popen(command, cwd=folder)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def dns(name: bytes, timeout: int = 5) -> bytes | None:
    selector = name.decode().partition("._domainkey.example.test")[0]
    key = DkimKey.objects.filter(selector=selector).first()
    return key.public_record.encode() if key else None


def is_well_signed(message: bytes) -> bool:
    checked = dkimpy.DKIM(message)
    assert message.count(b"DKIM-Signature:") == 2
    return all(checked.verify(number, dnsfunc=dns) for number in range(2))


@pytest.mark.skipif(shutil.which("/usr/sbin/smtp-sink") is None, reason="Postfix is not installed")
def test_postfix_without_8bitmime_gets_ascii_whose_signatures_hold(
    alice: Account, settings: Any, tmp_path: pathlib.Path
) -> None:
    with postfix_sink(tmp_path, "-8") as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        write(alice, "x@far.example", raw=HEAD + PLAIN)
        worker.send_due()
    [content] = [path.read_bytes() for path in tmp_path.glob("mail-*")]
    assert content.isascii()
    message = content[content.index(b"DKIM-Signature:") :].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert email.message_from_bytes(message).get_payload(decode=True) == TEXT.encode()
    assert is_well_signed(message)
    assert Delivery.objects.get().state == "accepted"


@pytest.mark.parametrize("size", [0, AT_ONCE_MAX_BYTES], ids=["small", "large"])
def test_each_server_gets_what_it_takes_of_one_mail(alice: Account, settings: Any, size: int) -> None:
    raw = HEAD + PLAIN + (b"x" * 70 + b"\r\n") * (size // 72)
    with scripted("PIPELINING") as old, scripted("PIPELINING", "8BITMIME") as new:
        settings.ROUTES = {"old.example": f"127.0.0.1:{old.port}", "*": f"127.0.0.1:{new.port}"}
        write(alice, "x@far.example", "y@old.example", raw=raw)
        worker.send_due()
    assert TEXT.encode() in new.bodies[0]
    assert any(line.endswith("BODY=8BITMIME") for line in new.said)
    assert old.bodies[0].isascii()
    assert not any("BODY=" in line for line in old.said)
    parsed = email.message_from_bytes(old.bodies[0]).get_payload(decode=True)
    assert parsed == raw.partition(b"\r\n\r\n")[2]
    assert is_well_signed(old.bodies[0])
    assert is_well_signed(new.bodies[0])


def test_what_is_signed_inside_comes_back_instead_of_being_broken(alice: Account, settings: Any) -> None:
    with scripted() as old:
        settings.ROUTES = {"*": f"127.0.0.1:{old.port}"}
        write(alice, "x@far.example", raw=HEAD + SIGNED)
        worker.send_due()
    assert old.bodies == []
    assert not any(line.startswith("MAIL") for line in old.said)
    [report] = mails(alice, "inbox")
    assert b"Status: 5.6.3" in report
    assert Delivery.objects.get().state == "bounced"


def test_a_connection_is_not_lost_over_a_mail_that_it_can_not_take(alice: Account, settings: Any) -> None:
    settings.DESTINATIONS = {"*": {"connections": 1}}
    with scripted() as old:
        settings.ROUTES = {"*": f"127.0.0.1:{old.port}"}
        write(alice, "x@far.example", raw=HEAD + SIGNED)
        write(alice, "y@far.example", raw=HEAD + PLAIN)
        worker.send_due()
    assert len(old.bodies) == 1
    assert sum(line.startswith("EHLO") for line in old.said) == 1
