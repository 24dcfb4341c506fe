"""Mail of strangers to an MX that trusts nobody, and what the DNS says of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from mta.authentication.signing import SigningKey, new_key, public_record
from tests.mta.conftest import Running
from tests.mta.names import Zone, serving, txt

KEY = SigningKey("bank.test", "s1", new_key("ed25519"))
ZONE: Zone = {
    ("good.test", "TXT"): [txt("v=spf1 ip4:127.0.0.1 -all")],
    ("_dmarc.good.test", "TXT"): [txt("v=DMARC1; p=reject")],
    ("_dmarc.bank.test", "TXT"): [txt("v=DMARC1; p=reject")],
    ("s1._domainkey.bank.test", "TXT"): [txt(public_record(KEY.private))],
    ("_dmarc.shop.test", "TXT"): [txt("v=DMARC1; p=quarantine")],
    ("_dmarc.lax.test", "TXT"): [txt("v=DMARC1; p=none")],
    ("slow.test", "TXT"): ["SILENT"],
    ("broken.test", "TXT"): ["SERVFAIL"],
    ("_dmarc.broken.test", "TXT"): [txt("v=DMARC1; p=reject")],
}


@pytest.fixture
def judged(transactional_db: None, settings: Any, request: pytest.FixtureRequest) -> Iterator[Running]:
    """The services, trusting nobody."""
    settings.TRUSTED_NETWORKS = []
    settings.EHLO_NAME = "mx.example.test"
    with serving(ZONE):
        yield request.getfixturevalue("running")


def letter(author: str, *, more: str = "", text: str = "Hello") -> bytes:
    """`more` are header lines with their line ends."""
    return (
        f"From: {author}\r\nTo: alice@example.test\r\nMessage-ID: <{time.time_ns()}@far>\r\nSubject: hi\r\n{more}\r\n"
        f"{text}\r\n"
    ).encode()


def send(running: Running, message: bytes, *recipients: str, sender: str = "x@elsewhere.test") -> str:
    """The answer to the message."""
    talk = running.talk()
    talk.say("EHLO client.test")
    talk.say(f"MAIL FROM:<{sender}>")
    for recipient in recipients or ("alice@example.test",):
        assert talk.say(f"RCPT TO:<{recipient}>") == "250 2.1.5 Recipient ok"
    talk.say("DATA")
    talk.send(message + b".\r\n")
    answer = talk.reply()
    talk.say("QUIT")
    talk.close()
    return answer
