"""A stranger's domain whose mail is signed and proven: its records, its mails, and a `smtpd` that believes them.

`python -m bench.signed KEY` is that server: the answers of the DNS come from a name server of its own process, once for
each question and minute, as a resolver beside the server would give them.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.core.management import execute_from_command_line

from mta.authentication.letter import Letter
from mta.authentication.signing import SigningKey, new_key, public_record, sign
from tests.mta.names import serving, txt

DOMAIN = "bench.example"
SELECTOR = "rsa"
ENVIRONMENT = {
    "TRUSTED_NETWORKS": "192.0.2.1/32",
    "GREETING_PAUSE_S": "0",
    "SMTP_RATES": '{"connections": 0, "messages": 0, "recipients": 0}',
}
"""The client is a stranger like any other, but nobody holds it to a stranger's pace."""


def make_key(path: Path) -> None:
    """A key of 2,048 bits, as PEM."""
    private = new_key("rsa")
    assert isinstance(private, RSAPrivateKey)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def key_of(path: Path) -> SigningKey:
    """The key in a file."""
    private = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(private, RSAPrivateKey)
    return SigningKey(DOMAIN, SELECTOR, private)


def authored(raw: bytes) -> bytes:
    """The mail as one of this domain's."""
    header, _, body = raw.partition(b"\r\n\r\n")
    kept = [line for line in header.split(b"\r\n") if not line.lower().startswith(b"from:")]
    return b"\r\n".join([f"From: x@{DOMAIN}".encode(), *kept, b"", body])


def signed(raw: bytes, key: SigningKey) -> bytes:
    """The same, signed."""
    mail = authored(raw)
    return sign(Letter.of(mail), [key], time.time()) + mail


def zone(key: SigningKey) -> dict[tuple[str, str], list[str]]:
    """What the DNS says of it."""
    return {
        (DOMAIN, "TXT"): [txt("v=spf1 ip4:127.0.0.0/8 -all")],
        (f"_dmarc.{DOMAIN}", "TXT"): [txt("v=DMARC1; p=reject")],
        (f"{SELECTOR}._domainkey.{DOMAIN}", "TXT"): [txt(public_record(key.private))],
    }


def main() -> None:
    """Serve."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    with serving(zone(key_of(Path(sys.argv[1])))):
        execute_from_command_line(["manage.py", "smtpd"])


if __name__ == "__main__":
    main()
