"""A small ACME server (RFC 8555): one account, orders of one host, HTTP-01, every request's signature and nonce checked."""

from __future__ import annotations

import base64
import http.server
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from acme.jws import JWS
from cryptography import x509
from josepy.jwk import JWK

from tests.mta.authority import issued, pem

Reader = Callable[[str, str], str | None]
"""What the web says at a host's challenge address for a token."""


class Authority:
    """Its state. `days`: how long what it issues is valid; `offers`: the kind of its challenges; `knows`: a host needs to
    prove nothing any more."""

    def __init__(self, read: Reader) -> None:
        self.read = read
        self.root = issued("authority.example")
        self.days = 90
        self.offers = "http-01"
        self.knows = False
        self.contacts: list[str] = []
        self.accounts: dict[str, JWK] = {}
        self.orders: list[dict[str, Any]] = []
        self.nonces: set[str] = set()
        self.asked: list[str] = []


@contextmanager
def serving(read: Reader) -> Iterator[tuple[Authority, str]]:
    """The authority and the address of its directory."""
    authority = Authority(read)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"authority": authority}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield authority, f"http://127.0.0.1:{server.server_address[1]}/directory"
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    authority: Authority

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:  # noqa: N802 - the library's name
        self._answer(200, None)

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        if self.path == "/directory":
            names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order", "revokeCert": "revoke"}
            names["keyChange"] = "change"
            self._answer(200, {name: self._url(path) for name, path in names.items()})
        else:
            self._answer(200, None)

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = JWS.json_loads(body.decode())
        header = signed.signature.combined
        nonce = base64.urlsafe_b64encode(header.nonce).rstrip(b"=").decode()
        if nonce not in self.authority.nonces:
            self._answer(400, {"type": "urn:ietf:params:acme:error:badNonce"})
            return
        self.authority.nonces.discard(nonce)
        key = header.jwk or self.authority.accounts.get(header.kid)
        if key is None or not signed.verify(key) or header.url != self._url(self.path[1:]):
            self._answer(403, {"type": "urn:ietf:params:acme:error:unauthorized"})
            return
        payload = json.loads(signed.payload) if signed.payload else {}
        what, _, number = self.path[1:].partition("/")
        self.authority.asked.append(what)
        getattr(self, f"_{what}")(payload, int(number or 0), key)

    def _account(self, payload: dict[str, Any], number: int, key: JWK) -> None:
        uri = self._url(f"account/{len(self.authority.accounts)}")
        self.authority.accounts[uri] = key
        self.authority.contacts += payload.get("contact", [])
        self._answer(201, {"status": "valid", "contact": payload.get("contact", [])}, Location=uri)

    def _order(self, payload: dict[str, Any], number: int, key: JWK) -> None:
        if "identifiers" in payload:
            host = payload["identifiers"][0]["value"]
            status = "ready" if self.authority.knows else "pending"
            order = {"host": host, "status": status, "token": secrets.token_urlsafe(32), "error": None}
            self.authority.orders.append(order)
            number = len(self.authority.orders) - 1
            self._answer(201, self._shown(number), Location=self._url(f"order/{number}"))
        else:
            self._answer(200, self._shown(number))

    def _authz(self, payload: dict[str, Any], number: int, key: JWK) -> None:
        order = self.authority.orders[number]
        status = {"pending": "pending", "invalid": "invalid"}.get(order["status"], "valid")
        self._answer(
            200,
            {
                "identifier": {"type": "dns", "value": order["host"]},
                "status": status,
                "challenges": [self._challenge_of(number)],
            },
        )

    def _challenge(self, payload: dict[str, Any], number: int, key: JWK) -> None:
        order = self.authority.orders[number]
        thumbprint = base64.urlsafe_b64encode(key.thumbprint()).rstrip(b"=").decode()
        found = self.authority.read(order["host"], order["token"])
        order["status"] = "ready" if found == f"{order['token']}.{thumbprint}" else "invalid"
        self._answer(200, self._challenge_of(number), Link=f'<{self._url(f"authz/{number}")}>;rel="up"')

    def _finalize(self, payload: dict[str, Any], number: int, key: JWK) -> None:
        order = self.authority.orders[number]
        padded = payload["csr"] + "=" * (-len(payload["csr"]) % 4)
        request = x509.load_der_x509_csr(base64.urlsafe_b64decode(padded))
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [order["host"]]
        root, days = self.authority.root, self.authority.days
        order["chain"] = issued(order["host"], by=root, days=days, public=request.public_key())[0]
        order["status"] = "valid"
        self._answer(200, self._shown(number), Location=self._url(f"order/{number}"))

    def _certificate(self, payload: dict[str, Any], number: int, key: JWK) -> None:
        self._answer(200, pem(self.authority.orders[number]["chain"], self.authority.root[0]))

    def _shown(self, number: int) -> dict[str, Any]:
        order = self.authority.orders[number]
        shown = {
            "status": order["status"],
            "identifiers": [{"type": "dns", "value": order["host"]}],
            "authorizations": [self._url(f"authz/{number}")],
            "finalize": self._url(f"finalize/{number}"),
        }
        return shown | ({"certificate": self._url(f"certificate/{number}")} if order["status"] == "valid" else {})

    def _challenge_of(self, number: int) -> dict[str, Any]:
        order = self.authority.orders[number]
        status = {"pending": "pending", "invalid": "invalid"}.get(order["status"], "valid")
        shown = {
            "type": self.authority.offers,
            "url": self._url(f"challenge/{number}"),
            "token": order["token"],
            "status": status,
        }
        if status == "invalid":
            shown["error"] = {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "not what was asked for"}
        return shown

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{path}"  # type: ignore[str-bytes-safe]

    def _answer(self, status: int, content: Any, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode() if content is not None else b""
        nonce = secrets.token_urlsafe(16)
        self.authority.nonces.add(nonce)
        self.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        self.send_header("Content-Type", "application/pem-certificate-chain" if isinstance(content, bytes) else kind)
        self.send_header("Replay-Nonce", nonce)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
