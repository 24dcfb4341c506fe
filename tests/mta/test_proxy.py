"""SMTP behind a proxy: the client's own address is the one that is limited, judged and recorded."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from accounts.models import Account
from core.proxy_protocol import V2_SIGNATURE
from tests.dialogue import client_tls
from tests.mta.conftest import Running, Talk
from tests.mta.test_submit import mails

V1 = b"PROXY TCP4 203.0.113.9 192.0.2.2 4660 25\r\n"
V2 = (
    V2_SIGNATURE
    + struct.pack("!BBH", 0x21, 0x11, 12)
    + bytes([203, 0, 113, 9, 192, 0, 2, 2])
    + struct.pack("!HH", 4660, 25)
)


@pytest.fixture(autouse=True)
def proxied(settings: Any) -> None:
    """The tests are the proxy."""
    settings.PROXY_PROTOCOL_FROM = ["127.0.0.1"]
    settings.TRUSTED_NETWORKS = ["203.0.113.0/24"]


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
def test_the_received_line_names_the_client(running: Running, alice: Account, header: bytes) -> None:
    talk = Talk(running.mx, greet=False)
    for byte in (header[:9], header[9:]):
        talk.send(byte)
    assert talk.reply().startswith("220")
    for line in ("EHLO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<alice@example.test>"):
        assert talk.say(line).startswith("250")
    assert talk.say("DATA").startswith("354")
    assert talk.say("Subject: x\r\n\r\nhello\r\n.").startswith("250")
    assert b"from c.example ([203.0.113.9])" in mails(alice, "inbox")[0]


def test_tls_follows_the_header_at_once(running: Running) -> None:
    talk = Talk(running.submissions, greet=False)
    talk.send(V1)
    talk.socket = client_tls().wrap_socket(talk.socket)
    talk.file = talk.socket.makefile("rb")
    assert talk.reply().startswith("220")


@pytest.mark.parametrize("said", [b"EHLO c.example\r\n", b"PROXY TCP4 nonsense\r\n", b"\r\n\r\n\0\r\nQUIT\n\x11\0\0\0"])
def test_who_brings_no_header_is_cut(running: Running, said: bytes) -> None:
    talk = Talk(running.mx, greet=False)
    talk.send(said)
    assert talk.is_closed()
    assert not running.server.gate.open
