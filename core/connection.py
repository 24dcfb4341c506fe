"""What every server needs around a connection: limits by address, one memory budget, TLS contexts, certificates.

Without a certificate of its own an installation makes a self-signed one on first run (DATA_DIR/certs); programs of
other people's servers encrypt to it opportunistically (RFC 7435), and users may trust it or replace it.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import functools
import hashlib
import ipaddress
import os
import re
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

_HOST = re.compile(r"[a-z0-9]([a-z0-9.\-]{0,250}[a-z0-9])?")

CERTIFICATE_DAYS = 3650
"""A self-signed certificate has nobody to renew it; replacing it is a file copy."""


class ConnectionLimits:
    """How many connections a process holds, in total and from one address block (IPv4 address, IPv6 /64)."""

    def __init__(self, *, total: int, per_address: int) -> None:
        self.total = total
        self.per_address = per_address
        self._count = 0
        self._by_block: collections.Counter[str] = collections.Counter()

    def enter(self, address: str) -> bool:
        """Count a connection in; False (and nothing counted) when it is one too many."""
        block = address_block(address)
        if self._count >= self.total or self._by_block[block] >= self.per_address:
            return False
        self._count += 1
        self._by_block[block] += 1
        return True

    def leave(self, address: str) -> None:
        """Count out a connection that `enter` let in."""
        block = address_block(address)
        self._count -= 1
        self._by_block[block] -= 1
        if not self._by_block[block]:
            del self._by_block[block]


class Budget:
    """Bytes of unfinished input that a process may hold over all connections."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0

    def take(self, size_bytes: int) -> bool:
        """Reserve; False (and nothing reserved) when it does not fit."""
        if self.used_bytes + size_bytes > self.limit_bytes:
            return False
        self.used_bytes += size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Release what was taken."""
        self.used_bytes -= size_bytes


def own_host() -> str:
    """Where this machine reaches its own servers: LISTEN_HOST, or loopback when that is every address."""
    try:
        listening = ipaddress.ip_address(settings.LISTEN_HOST)
    except ValueError:
        return str(settings.LISTEN_HOST)
    if not listening.is_unspecified:
        return str(listening)
    return "127.0.0.1" if listening.version == 4 else "::1"


def address_block(address: str) -> str:
    """What is counted as one neighbour: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))


class ServerContext(ssl.SSLContext):
    """A context of ours and what it is bound to."""

    end_point: bytes
    """`tls-server-end-point` (RFC 5929 4): the hash of the certificate."""


def server_tls() -> ssl.SSLContext:
    """The context of every listener, for PUBLIC_HOST: TLS 1.2 and later (RFC 8996). A client that names another host
    (SNI, RFC 6066 3) gets that host's certificate when DATA_DIR/certs has one. Ask for each connection: a renewed
    certificate is used from the next on; while its files are half replaced, the one before stays."""
    paths = ensure_certificate(settings.DATA_DIR / "certs", settings.PUBLIC_HOST)
    try:
        context = _named_context(*paths, _state(paths[0]))
    except (ssl.SSLError, OSError, ValueError):
        if paths not in _last_good:
            raise
        return _last_good[paths]
    context.sni_callback = _choose_certificate  # type: ignore[assignment]
    _last_good[paths] = context
    return context


_last_good: dict[tuple[Path, Path], ServerContext] = {}


def bindings_of(connection: ssl.SSLObject) -> dict[str, bytes]:
    """What a sign-in over this connection can be bound to (RFC 5056), by the name of the binding's type. Python's ssl
    can't export keying material, so there is no `tls-exporter`; `tls-unique` is one for TLS 1.2 only (RFC 9266 3)."""
    found: dict[str, bytes] = {}
    if isinstance(connection.context, ServerContext):
        found["tls-server-end-point"] = connection.context.end_point
    unique = connection.get_channel_binding("tls-unique") if connection.version() == "TLSv1.2" else None
    return found | ({"tls-unique": unique} if unique else {})


def asked_name(connection: ssl.SSLObject) -> str:
    """The host that the client named (SNI), or nothing."""
    return str(getattr(connection, "asked_name", ""))


def _choose_certificate(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    if name is None:
        return
    connection.asked_name = name.lower()  # type: ignore[attr-defined]
    paths = [settings.DATA_DIR / "certs" / f"{name.lower()}{suffix}" for suffix in (".crt", ".key")]
    if not _HOST.fullmatch(name.lower()) or not all(path.exists() for path in paths):
        return
    with contextlib.suppress(
        ssl.SSLError, OSError, ValueError
    ):  # half a file of an upload: the next handshake sees all of it
        connection.context = _named_context(*paths, _state(paths[0]))


@functools.lru_cache(maxsize=1_000)
def _named_context(certificate: Path, key: Path, state: tuple[int, int]) -> ServerContext:
    """One for each state of the file: a renewed certificate is used without a restart."""
    return _context(certificate, key)


def _state(certificate: Path) -> tuple[int, int]:
    """Its time alone is as coarse as the kernel's tick: two certificates made in one have the same."""
    found = certificate.stat()
    return found.st_mtime_ns, found.st_ino


def _context(certificate: Path, key: Path) -> ServerContext:
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.end_point = _end_point(certificate.read_bytes())
    return context


def _end_point(certificate_pem: bytes) -> bytes:
    """RFC 5929 4.1: by the hash of the signature, SHA-256 instead of MD5 and SHA-1."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    algorithm = certificate.signature_hash_algorithm
    name = algorithm.name if algorithm is not None and algorithm.name not in {"md5", "sha1"} else "sha256"
    return hashlib.new(name, certificate.public_bytes(serialization.Encoding.DER)).digest()


def ensure_certificate(directory: Path, host: str) -> tuple[Path, Path]:
    """Paths of certificate and key for `host`, made now when there are none. Safe for processes starting at once."""
    certificate, key = directory / f"{host}.crt", directory / f"{host}.key"
    if not certificate.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_certificate(certificate, key, host)
    return certificate, key


def _make_certificate(certificate: Path, key: Path, host: str) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    pem = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _create(key, pem)
    # Another process may have been first with the key: the certificate must be for the key that stands.
    standing = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(standing, ec.EllipticCurvePrivateKey)
    _create(certificate, _self_signed(standing, host).public_bytes(serialization.Encoding.PEM))


def _self_signed(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _create(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
        os.link(fresh, path)  # fails when another process was first; nobody sees half a file
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        fresh.unlink()
