"""Keyed secrets: one key ring per installation, newest key first, old keys still read.

The ring comes from SECRET_KEYS or from DATA_DIR/keyring (made on first run, mode 0600). Purposes get
their own derived keys, so that a token made for one purpose is worthless for another.
"""

from __future__ import annotations

import base64
import functools
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from core.errors import ErrorKind, MailError


def derive(purpose: str, *, key: str | None = None, length: int = 32) -> bytes:
    """The key of `purpose` (RFC 5869 HKDF-SHA256) from `key`, by default the newest of the ring."""
    ring_key = key or settings.SECRET_KEYS[0]
    return HKDF(hashes.SHA256(), length=length, salt=None, info=purpose.encode()).derive(ring_key.encode())


def keyed_hash(purpose: str, data: bytes) -> bytes:
    """HMAC-SHA256 of `data` under the key of `purpose`: 32 bytes."""
    return hmac.digest(_newest(purpose), data, "sha256")


def encrypt(purpose: str, data: bytes) -> bytes:
    """Encrypt and authenticate with the newest key."""
    return _fernet(purpose).encrypt(data)


def decrypt(purpose: str, token: bytes) -> bytes:
    """Undo `encrypt` with any key of the ring; raises MailError(INVALID) for anything else."""
    try:
        return _fernet(purpose).decrypt(token)
    except InvalidToken:
        raise MailError(ErrorKind.INVALID, purpose=purpose) from None


@functools.cache
def _newest(purpose: str) -> bytes:
    return derive(purpose)


@functools.cache
def _fernet(purpose: str) -> MultiFernet:
    keys = (derive(purpose, key=key) for key in settings.SECRET_KEYS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
