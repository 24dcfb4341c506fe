"""Signing in, the same for every protocol: throttle, look-up, one verification, one event.

A wrong name and a wrong password cost and answer the same. The secret is never logged, and neither is a name that
nobody has when it was typed without a domain (people type their password there).

Mail programs sign in with a client code once the account has one; then they are refused the password. The
administrator's rules (which protocols, from where) are looked at when the secret was right, so that they tell a stranger
nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Sequence
from typing import NoReturn

from django.db.models import F
from django.utils import timezone

from accounts import throttle, verifiers
from accounts.addressing import Parts, parse
from accounts.domain_names import domain_named, domain_of_host
from accounts.models import Account, AccountRights, Address, Credential
from accounts.program_rules import is_inside, refusal_of
from accounts.rows import DomainRow
from core.prepared import Prepared
from logs_app.models import Kind
from logs_app.services import record

PROGRAMS = frozenset({"imap", "pop3", "smtp"})
"""The protocols of mail programs: client codes and the administrator's rules are about these."""
USED_AGAIN = datetime.timedelta(hours=1)
"""A secret's last use is written down no more often."""

CREDENTIALS = Prepared(
    lambda address: (
        Credential.objects.filter(account__addresses__address=address)
        .select_related("account__domain")
        .order_by(F("last_used_at").desc(nulls_last=True))
    )
)
"""Every secret of the account that has an address."""


class Reason(enum.StrEnum):
    """Why somebody was not let in."""

    REFUSED = "refused"
    THROTTLED = "throttled"
    SUSPENDED = "suspended"
    """The secret was right, the account or its domain is suspended or expired."""
    FULL_ADDRESS = "full_address"
    """Only a local part was given, and this host belongs to no domain."""
    NEEDS_CODE = "needs_code"
    """The password was right, but mail programs need a client code."""
    PROTOCOL = "protocol"
    """The secret was right; the administrator doesn't let this account use the protocol."""
    NETWORK = "network"
    """The secret was right; the administrator doesn't let it be used from this address."""


class SignInError(Exception):
    """Not signed in; `retry_after_s` is set for THROTTLED."""

    def __init__(self, reason: Reason, *, retry_after_s: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after_s = retry_after_s


@dataclasses.dataclass(frozen=True, slots=True)
class SignedIn:
    """Who it is (domain loaded), by which secret (0: a token of somebody else's), and whether he used another name."""

    account: Account
    used_alias: bool
    credential_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class Circumstances:
    """Where an attempt comes from. `host` is the Host header or the TLS name (None: unknown)."""

    protocol: str
    remote_address: str
    program: str = ""
    host: str | None = None

    @property
    def is_program(self) -> bool:
        """Whether a mail program asks."""
        return self.protocol in PROGRAMS


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """What somebody typed as his name, and the address that it means."""

    parts: Parts
    address: str
    domain: DomainRow | None


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says he is, before he has proved it. The attempt is counted, or will be if it fails."""

    login: str
    parts: Parts
    address: str
    domain: DomainRow | None
    around: Circumstances
    attempt: throttle.Attempt
    account: Account | None
    credentials: Sequence[Credential]
    """Those that this protocol takes; the password too where a code is needed, to say so."""


def sign_in(
    login: str, secret: str, *, host: str | None, protocol: str, remote_address: str, program: str = ""
) -> SignedIn:
    """Check a name and a secret; raises SignInError. Not to be called inside a transaction: failures are recorded.

    `login`: a full address, alias or address in a domain's other name; the local part alone where `host` (the Host
    header or TLS name; None: unknown) belongs to a domain. `program` is what the client says it is.
    """
    made = claim(login, Circumstances(protocol, remote_address, program, host), secret)
    credential = _matching(made, secret)
    if credential is None:
        reject(made)
    verifiers.note_right(made.address, secret)
    return admit(made, credential)


def prove(account: Account, secret: str, *, remote_address: str, protocol: str = "web") -> None:
    """Check the password of somebody who is signed in already (to change it); raises SignInError, records failures."""
    made = claim(account.address, Circumstances(protocol, remote_address))
    if _matching(made, secret) is None:
        reject(made)
    throttle.succeeded(made.attempt)


def claim(login: str, around: Circumstances, secret: str = "") -> Claim:
    """Look a name up and count the attempt; raises SignInError for FULL_ADDRESS and THROTTLED. A `secret` that was right
    lately is a program that connects again: it is counted only when it proves wrong now."""
    name = named(login, around.host)
    if name is None:
        raise SignInError(Reason.FULL_ADDRESS)
    counting = throttle.look if secret and verifiers.was_right(name.address, secret) else throttle.take
    return claim_counted(name, login, around, counting(name.address, around.remote_address))


def named(login: str, host: str | None) -> Named | None:
    """Whom a name means, known or not; None for a local part where `host` belongs to no domain."""
    parts = _parts(login, host)
    if parts is None:
        return None
    domain = domain_named(parts.domain)
    return Named(parts, f"{parts.local_part}@{domain.name}" if domain else parts.address, domain)


def claim_counted(name: Named, login: str, around: Circumstances, attempt: throttle.Attempt) -> Claim:
    """A claim whose `attempt` the throttle has seen; raises SignInError for THROTTLED."""
    if attempt.retry_after_s:
        _refuse_throttled(name.address, name.domain, around, attempt)
    kinds = list(Credential.Kind) if around.is_program else [Credential.Kind.PASSWORD]
    found = [each for each in CREDENTIALS.all(name.address) if each.kind in kinds]
    account = found[0].account if found else None
    return Claim(login, name.parts, name.address, name.domain, around, attempt, account, found)


def reject(made: Claim) -> NoReturn:
    """The proof was wrong: recorded, and REFUSED raised."""
    throttle.failed(made.attempt)
    shown = made.address if made.account or "@" in made.login else f"*@{made.parts.domain}"
    _record(made.around, made.domain, address=shown, account=made.account, error=Reason.REFUSED)
    raise SignInError(Reason.REFUSED)


def admit(made: Claim, credential: Credential) -> SignedIn:
    """The proof was right; raises SignInError for what stands against it all the same."""
    error = _standing(credential.account) or _code_needed(made, credential) or _rule(made, credential.account)
    return _let_in(made, credential.account, credential, error)


def admit_by_token(made: Claim) -> SignedIn:
    """Somebody else has proved who it is (OAuth); rules and suspension count as ever."""
    holder = Address.objects.filter(address=made.address, account__isnull=False).select_related("account__domain")
    found = holder.first()
    if found is None or found.account is None:
        reject(made)
    return _let_in(made, found.account, None, _standing(found.account) or _rule(made, found.account))


def may_stay(signed_in: SignedIn) -> bool:
    """Whether somebody who signed in some time ago still could: for connections that last for days. One query, or two."""
    now = Account.objects.select_related("domain").filter(pk=signed_in.account.pk).first()
    if now is None or _standing(now) is not None:
        return False
    if not signed_in.credential_id:
        return True
    credential = Credential.objects.filter(pk=signed_in.credential_id).only("kind").first()
    if credential is None:
        return False
    is_code = credential.kind == Credential.Kind.CLIENT_CODE
    return is_code or now.session_version == signed_in.account.session_version


def _parts(login: str, host: str | None) -> Parts | None:
    """The address meant by what was typed; nonsense becomes an address that nobody has."""
    text = login.strip()
    if "@" not in text:
        domain = domain_of_host(host)
        return parse(f"{text}@{domain.name}") or _NOBODY if domain else None
    return parse(text) or _NOBODY


_NOBODY = Parts("-", "invalid")


def _matching(made: Claim, secret: str) -> Credential | None:
    """The credential that `secret` is right for. What is wrong costs the same whatever there is to compare: one Argon2
    verification, and of a program one derivation."""
    codes = [each for each in made.credentials if each.kind == Credential.Kind.CLIENT_CODE]
    password = next((each for each in made.credentials if each.kind == Credential.Kind.PASSWORD), None)
    is_short = len(secret) <= verifiers.MAX_SECRET
    if codes and is_short and (code := verifiers.matching_code(codes, secret)) is not None:
        return code
    if password is None or not is_short:
        verifiers.verify_nobody(secret[: verifiers.MAX_SECRET])
    elif verifiers.matches(password, secret):
        return password
    if made.around.is_program and not (codes and is_short):
        verifiers.matching_code([], secret[: verifiers.MAX_SECRET])
    return None


def _standing(account: Account) -> Reason | None:
    return None if account.is_active and account.is_in_force else Reason.SUSPENDED


def _code_needed(made: Claim, credential: Credential) -> Reason | None:
    """Once an account has a code, programs are refused its password."""
    if not made.around.is_program or credential.kind != Credential.Kind.PASSWORD:
        return None
    has_code = any(each.kind == Credential.Kind.CLIENT_CODE for each in made.credentials)
    return Reason.NEEDS_CODE if has_code else None


def _rule(made: Claim, account: Account) -> Reason | None:
    """The administrator's rule for programs, or for the pages."""
    if not made.around.is_program:
        rights = AccountRights.of(account.pk)
        if not rights.web:
            return Reason.PROTOCOL
        return None if is_inside(made.around.remote_address, rights.networks) else Reason.NETWORK
    refused = refusal_of(account, made.around.protocol, made.around.remote_address)
    return Reason(refused) if refused else None


def _let_in(made: Claim, account: Account, credential: Credential | None, error: Reason | None) -> SignedIn:
    throttle.succeeded(made.attempt)
    alias = made.parts.address if made.parts.address != account.address else ""
    _record(made.around, made.domain, address=account.address, account=account, alias=alias, error=error or "")
    if error is not None:
        raise SignInError(error)
    if credential is not None:
        _note_use(credential)
    return SignedIn(account, bool(alias), credential.pk if credential else 0)


def _note_use(credential: Credential) -> None:
    now = timezone.now()
    if credential.last_used_at is None or now - credential.last_used_at > USED_AGAIN:
        Credential.objects.filter(pk=credential.pk).update(last_used_at=now)


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
