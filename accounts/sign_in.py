"""Signing in, the same for every protocol: throttle, look-up, one verification, one event.

A wrong name and a wrong password cost and answer the same. The secret is never logged, and neither is a name that
nobody has when it was typed without a domain (people type their password there).
"""

from __future__ import annotations

import dataclasses
import enum
from typing import NoReturn

from django.db.models import F

from accounts import throttle, verifiers
from accounts.addressing import Parts, parse
from accounts.domain_names import domain_named, domain_of_host
from accounts.models import Account, Credential
from accounts.rows import DomainRow
from logs_app.models import Kind
from logs_app.services import record


class Reason(enum.StrEnum):
    """Why somebody was not let in."""

    REFUSED = "refused"
    THROTTLED = "throttled"
    SUSPENDED = "suspended"
    """The secret was right, the account or its domain is suspended or expired."""
    FULL_ADDRESS = "full_address"
    """Only a local part was given, and this host belongs to no domain."""


class SignInError(Exception):
    """Not signed in; `retry_after_s` is set for THROTTLED."""

    def __init__(self, reason: Reason, *, retry_after_s: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after_s = retry_after_s


@dataclasses.dataclass(frozen=True, slots=True)
class SignedIn:
    """Who it is (domain loaded), by which secret, and whether he used another name of himself."""

    account: Account
    used_alias: bool
    credential_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class Circumstances:
    """Where an attempt comes from."""

    protocol: str
    remote_address: str
    program: str


def sign_in(
    login: str, secret: str, *, host: str | None, protocol: str, remote_address: str, program: str = ""
) -> SignedIn:
    """Check a name and a secret; raises SignInError. Not to be called inside a transaction: failures are recorded.

    `login`: a full address, alias or address in a domain's other name; the local part alone where `host` (the Host
    header or TLS name; None: unknown) belongs to a domain. `program` is what the client says it is.
    """
    around = Circumstances(protocol, remote_address, program)
    parts = _parts(login, host)
    if parts is None:
        raise SignInError(Reason.FULL_ADDRESS)
    domain = domain_named(parts.domain)
    address = f"{parts.local_part}@{domain.name}" if domain else parts.address
    attempt = throttle.take(address, remote_address)
    if attempt.retry_after_s:
        _refuse_throttled(address, domain, around, attempt)
    account, credential = _matching(address, secret)
    if credential is None:
        shown = address if account or "@" in login else f"*@{parts.domain}"
        _record(around, domain, address=shown, account=account, error=Reason.REFUSED)
        raise SignInError(Reason.REFUSED)
    throttle.succeeded(attempt)
    return _admit(
        credential, domain, around, alias=parts.address if parts.address != credential.account.address else ""
    )


def prove(account: Account, secret: str, *, remote_address: str, protocol: str = "web") -> None:
    """Check the secret of somebody who is signed in already (to change it); raises SignInError, records failures."""
    around = Circumstances(protocol, remote_address, "")
    domain = domain_named(account.domain.name)
    attempt = throttle.take(account.address, remote_address)
    if attempt.retry_after_s:
        _refuse_throttled(account.address, domain, around, attempt)
    if _matching(account.address, secret)[1] is None:
        _record(around, domain, address=account.address, account=account, error=Reason.REFUSED)
        raise SignInError(Reason.REFUSED)
    throttle.succeeded(attempt)


def _parts(login: str, host: str | None) -> Parts | None:
    """The address meant by what was typed; nonsense becomes an address that nobody has."""
    text = login.strip()
    if "@" not in text:
        domain = domain_of_host(host)
        return parse(f"{text}@{domain.name}") or _NOBODY if domain else None
    return parse(text) or _NOBODY


_NOBODY = Parts("-", "invalid")


def _matching(address: str, secret: str) -> tuple[Account | None, Credential | None]:
    """Whose address it is and the credential that `secret` is right for: one query, at least one verification."""
    query = Credential.objects.filter(account__addresses__address=address).select_related("account__domain")
    found = list(query.order_by(F("last_used_at").desc(nulls_last=True)))
    account = found[0].account if found else None
    if account is None or len(secret) > verifiers.MAX_SECRET:
        verifiers.verify_nobody(secret[: verifiers.MAX_SECRET])
        return account, None
    return account, next((credential for credential in found if verifiers.matches(credential, secret)), None)


def _admit(credential: Credential, domain: DomainRow | None, around: Circumstances, *, alias: str) -> SignedIn:
    account = credential.account
    usable = account.is_active and account.domain.is_active and not account.is_expired
    _record(
        around,
        domain,
        address=account.address,
        account=account,
        alias=alias,
        error="" if usable else Reason.SUSPENDED,
    )
    if not usable:
        raise SignInError(Reason.SUSPENDED)
    return SignedIn(account, bool(alias), credential.pk)


def _refuse_throttled(
    address: str, domain: DomainRow | None, around: Circumstances, attempt: throttle.Attempt
) -> NoReturn:
    """Recorded once in a while only: a flood must not become a flood of rows."""
    if throttle.first_refusal(attempt):
        _record(around, domain, address=address, error=Reason.THROTTLED)
    raise SignInError(Reason.THROTTLED, retry_after_s=attempt.retry_after_s)


def _record(
    around: Circumstances,
    domain: DomainRow | None,
    *,
    address: str,
    error: str,
    account: Account | None = None,
    alias: str = "",
) -> None:
    record(
        Kind.SIGN_IN,
        domain_id=domain.id if domain else None,
        account_id=account.pk if account else None,
        address=address,
        protocol=around.protocol,
        remote_address=around.remote_address,
        succeeded=not error,
        error=error,
        data={"alias": alias, "program": around.program},
    )
