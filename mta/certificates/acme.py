"""Certificates by ACME (RFC 8555) with HTTP-01: had for every host that leads here, renewed a month before they end.

The library is certbot's. The account's key is kept encrypted; challenges are rows, so that any web process of any machine
answers them. A host that fails is left alone for a while: authorities count failures.
"""

from __future__ import annotations

import asyncio
import datetime
import itertools
import json
import logging
import random
from collections.abc import Iterator, Sequence

import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.utils import timezone
from josepy.errors import Error as JoseError
from josepy.jwk import JWK, JWKRSA

from accounts.models import Domain
from core.crypto import decrypt, encrypt
from core.errors import MailError
from mta.authentication.resolver import Resolver, Status, key_of
from mta.certificates.selectors import hosts_of
from mta.certificates.services import set_certificate
from mta.models import AcmeAccount, AcmeChallenge, AcmeFailure, HostCertificate

PURPOSE = "acme account"
RENEW_BEFORE = datetime.timedelta(days=30)
AGAIN = datetime.timedelta(hours=6)
ORDER_S = 90
AT_ONCE = 10
"""Orders of one run, failed ones too; the next hour goes on. Authorities have limits of some hundred a week."""
ASKED_AT_ONCE = 50
LOOKING_S = 60.0
"""For the addresses of all hosts together; where a dead name server keeps one from being looked at, a later run does."""
CHALLENGE_KEPT = datetime.timedelta(hours=1)
ACCOUNT_BITS = 2048

log = logging.getLogger(__name__)


def renew_all() -> int:
    """Get what is missing and what ends soon; how many certificates."""
    if not settings.ACME_DIRECTORY:
        return 0
    AcmeChallenge.objects.filter(created_us__lt=_us(timezone.now() - CHALLENGE_KEPT)).delete()
    return sum(_try(domain, host) for domain, host in itertools.islice(wanted(), AT_ONCE))


def wanted() -> Iterator[tuple[Domain, str]]:
    """Hosts that lead here and have no certificate for long enough. What was uploaded is its administrator's."""
    now = timezone.now()
    good = set(
        HostCertificate.objects.exclude(
            source=HostCertificate.Source.ACME, expires_at__lt=now + RENEW_BEFORE
        ).values_list("host", flat=True)
    )
    failed = set(AcmeFailure.objects.filter(failed_us__gt=_us(now - AGAIN)).values_list("host", flat=True))
    hosts = [
        (domain, host)
        for domain in Domain.objects.filter(is_active=True).order_by("pk")
        for host in hosts_of(domain)
        if host not in good | failed
    ]
    found = asyncio.run(_addresses([settings.PUBLIC_HOST, *(host for _, host in hosts)]))
    own = found.get(settings.PUBLIC_HOST)
    if not own:
        return
    for domain, host in hosts:
        if found.get(host) and found[host] <= own:
            yield domain, host


def _try(domain: Domain, host: str) -> bool:
    try:
        chain, key = order(host)
        set_certificate(domain, host, chain, key, source=HostCertificate.Source.ACME)
    except (errors.Error, JoseError, requests.RequestException, MailError, ValueError, OSError) as error:
        log.warning("no certificate", extra={"host": host, "error": str(error)})
        defaults = {"text": str(error).replace("\0", "")[:500], "failed_us": _us(timezone.now())}
        AcmeFailure.objects.update_or_create(host=host, defaults=defaults)
        return False
    AcmeFailure.objects.filter(host=host).delete()
    return True


def order(host: str) -> tuple[str, str]:
    """One certificate for `host`: its chain and its fresh key, as PEM. Raises the library's errors."""
    server, account_key = _client()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    pem = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    placed = server.new_order(pem)
    for authorization in placed.authorizations:
        _answer(server, account_key, authorization)
    deadline = datetime.datetime.now() + datetime.timedelta(seconds=ORDER_S)  # noqa: DTZ005 - the library's clock
    done = server.poll_and_finalize(placed, deadline)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return str(done.fullchain_pem), private.decode()


def _answer(server: client.ClientV2, key: JWK, authorization: messages.AuthorizationResource) -> None:
    """Put the answer where the authority will look for it, then say so (8.3)."""
    if authorization.body.status == messages.STATUS_VALID:
        return
    for offered in authorization.body.challenges:
        if isinstance(offered.chall, challenges.HTTP01):
            response, answer = offered.response_and_validation(key)
            row = {"answer": answer, "created_us": _us(timezone.now())}
            AcmeChallenge.objects.update_or_create(token=offered.chall.encode("token"), defaults=row)
            server.answer_challenge(offered, response)
            return
    raise errors.Error("The authority offers no HTTP-01")


def _client() -> tuple[client.ClientV2, JWK]:
    """The server and our account with it, made on first use."""
    row = AcmeAccount.objects.filter(pk=settings.ACME_DIRECTORY).first()
    if row is None:
        key = JWKRSA(key=rsa.generate_private_key(public_exponent=65537, key_size=ACCOUNT_BITS))
    else:
        loaded = JWKRSA.from_json(json.loads(decrypt(PURPOSE, bytes(row.key))))
        assert isinstance(loaded, JWKRSA)
        key = loaded
    network = client.ClientNetwork(key, user_agent="Globalmail")
    if settings.ACME_CA_FILE:
        network.session.verify = settings.ACME_CA_FILE
        network.verify_ssl = settings.ACME_CA_FILE  # type: ignore[assignment]  # requests takes a path too
    server = client.ClientV2(client.ClientV2.get_directory(settings.ACME_DIRECTORY, network), network)
    if row is not None:
        network.account = messages.RegistrationResource(uri=row.uri, body=messages.Registration())
        return server, key
    made = server.new_account(
        messages.NewRegistration.from_data(email=settings.ACME_EMAIL or None, terms_of_service_agreed=True)
    )
    secret = encrypt(PURPOSE, json.dumps(key.to_json()).encode())
    AcmeAccount.objects.create(directory=settings.ACME_DIRECTORY, key=secret, uri=made.uri)
    return server, key


async def _addresses(hosts: Sequence[str]) -> dict[str, set[str]]:
    """What the public DNS says of each, as the authority will ask it; hosts without a full answer in time are left out."""
    found: dict[str, set[str]] = {}
    resolver, room = Resolver(), asyncio.Semaphore(ASKED_AT_ONCE)

    async def look(host: str) -> None:
        async with room:
            answers = await asyncio.gather(*(resolver.ask(key_of(host, kind)) for kind in ("A", "AAAA")))
        if all(answer.status is not Status.FAILED for answer in answers):
            found[host] = {str(address) for answer in answers for address in answer.records}

    first, *others = dict.fromkeys(hosts)
    random.shuffle(others)  # none is last each time
    try:
        async with asyncio.timeout(LOOKING_S):
            await asyncio.gather(*(look(host) for host in (first, *others)))
    except TimeoutError:
        log.warning("hosts not looked at", extra={"count": len(others) + 1 - len(found)})
    finally:
        await resolver.close()
    return found


def _us(at: datetime.datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def challenge_answer(token: str) -> str | None:
    """What the authority wants to read at a token's address."""
    return AcmeChallenge.objects.filter(pk=token).values_list("answer", flat=True).first()
