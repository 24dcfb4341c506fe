"""Certificates from rows into DATA_DIR/certs, where the servers of this machine look for them by the host's name.

Every process that serves looks once a minute what has changed (`core.serving`), so that an upload on one machine reaches
the others. Only what rows brought is taken away again: files that somebody put there himself stay.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from core.crypto import decrypt
from core.errors import MailError
from mta.models import HostCertificate

PURPOSE = "certificate key"
MARK = ".managed"


def write_all() -> int:
    """Bring the files in step with the rows; how many were written or removed. One query; call on a database thread."""
    directory = settings.DATA_DIR / "certs"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = dict(HostCertificate.objects.values_list("host", "changed_us"))
    present = {path.name.removesuffix(MARK): path for path in directory.glob(f"*{MARK}")}
    done = 0
    for host, changed_us in wanted.items():
        if host not in present or present[host].read_text() != str(changed_us):
            done += _write(directory, host, changed_us)
    for host in present.keys() - wanted.keys():
        for suffix in (".crt", ".key", MARK):
            (directory / f"{host}{suffix}").unlink(missing_ok=True)
        done += 1
    return done


def _write(directory: Path, host: str, changed_us: int) -> bool:
    row = HostCertificate.objects.filter(host=host).first()
    if row is None:
        return False
    try:
        key = decrypt(PURPOSE, bytes(row.key))
    except MailError:
        return False  # the key ring has lost its key: what is served stays
    _replace(directory / f"{host}.key", key)
    _replace(directory / f"{host}.crt", row.chain.encode())
    _replace(directory / f"{host}{MARK}", str(changed_us).encode())
    return True


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all; two processes write the same."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
