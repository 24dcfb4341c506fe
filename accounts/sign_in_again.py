"""Programs that connect again, many in one go: sign-ins with secrets that were right a short time ago.

Nothing is skipped that `accounts.sign_in` does: the throttle is asked, the rows are read, the rules are looked at, the
event is committed. But all that stand in line share one question to Redis and one transaction. What would take long (a
secret that must be hashed) is left to be asked alone, so nobody waits for a stranger's guess.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from accounts import throttle, verifiers
from accounts.models import Credential
from accounts.sign_in import (
    Circumstances,
    Claim,
    Named,
    SignedIn,
    SignInError,
    admit,
    claim_counted,
    named,
    sign_in,
)
from logs_app.services import record_groups, recording_apart


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A name with its secret, and where they come from."""

    login: str
    secret: str
    around: Circumstances

    def alone(self) -> SignedIn:
        """`sign_in`; raises SignInError."""
        around = self.around
        return sign_in(
            self.login,
            self.secret,
            host=around.host,
            protocol=around.protocol,
            remote_address=around.remote_address,
            program=around.program,
        )


Answer = SignedIn | SignInError | None
"""None: to be asked `alone`; nothing was counted or recorded."""


def sign_in_again(asked: Sequence[Asked]) -> list[Answer]:
    """Who of `asked` is let in or refused; what that records is committed when this returns. None where the secret was
    not right lately in this process."""
    names = [_again(each) for each in asked]
    known = [(each, name) for each, name in zip(asked, names, strict=True) if name is not None]
    attempts = iter(throttle.look_all([(name.address, each.around.remote_address) for each, name in known]))
    with recording_apart() as events:
        answers = [
            None if name is None else _answer(each, name, next(attempts))
            for each, name in zip(asked, names, strict=True)
        ]
    if events:
        record_groups([events])
    return answers


def _again(asked: Asked) -> Named | None:
    found = named(asked.login, asked.around.host)
    return found if found is not None and verifiers.was_right(found.address, asked.secret) else None


def _answer(asked: Asked, name: Named, attempt: throttle.Attempt) -> Answer:
    try:
        made = claim_counted(name, asked.login, asked.around, attempt)
        credential = _remembered(made, asked.secret)
        return None if credential is None else admit(made, credential)
    except SignInError as error:
        return error


def _remembered(made: Claim, secret: str) -> Credential | None:
    """The credential that `secret` is known to be right for as its row stands now. A program's password where there are
    codes takes a derivation to tell, so it is none of these."""
    codes = [each for each in made.credentials if each.kind == Credential.Kind.CLIENT_CODE]
    candidates = codes or made.credentials
    return next((each for each in candidates if verifiers.is_verified(each, secret)), None)
