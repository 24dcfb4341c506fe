"""What upper layers add to the life of an account, a domain or a group.

An app registers its step in `AppConfig.ready`; the services call it inside their own transaction, so the
account and, say, its mailbox appear together or not at all. All processes load all apps. No signals.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from accounts.models import Account, Domain, Group

AccountCall = Callable[[Account], None]
DomainCall = Callable[[Domain], None]
GroupCall = Callable[[Group, Account | None], None]
Losses = Callable[[Group], list[str]]
AccountLosses = Callable[[Account], list[str]]


@dataclasses.dataclass(frozen=True, slots=True)
class AccountStep:
    """What `name` does when an account changes. `suspended` is called both ways: look at the status. `losses` are sentences
    for whoever is asked whether he means to erase it: what goes with the account."""

    name: str
    created: AccountCall | None = None
    renamed: AccountCall | None = None
    suspended: AccountCall | None = None
    erased: AccountCall | None = None
    losses: AccountLosses | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class DomainStep:
    """What `name` does when a domain changes. `suspended` is called both ways: look at `is_active`."""

    name: str
    created: DomainCall | None = None
    renamed: DomainCall | None = None
    suspended: DomainCall | None = None
    erased: DomainCall | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class GroupStep:
    """What `name` does when a group is about to be deleted by somebody (None: the system); `losses` are sentences for
    whoever is asked whether he means it: what goes with the group."""

    name: str
    deleting: GroupCall
    losses: Losses


ACCOUNT_STEPS: dict[str, AccountStep] = {}
DOMAIN_STEPS: dict[str, DomainStep] = {}
GROUP_STEPS: dict[str, GroupStep] = {}


def register_account_step(step: AccountStep) -> None:
    """Add a step; the same name replaces (apps may be made ready twice in tests)."""
    ACCOUNT_STEPS[step.name] = step


def register_domain_step(step: DomainStep) -> None:
    """Add a step; the same name replaces."""
    DOMAIN_STEPS[step.name] = step


def register_group_step(step: GroupStep) -> None:
    """Add a step; the same name replaces."""
    GROUP_STEPS[step.name] = step


def run_account_steps(moment: str, account: Account) -> None:
    """Call `moment` (a field of AccountStep) of every step, in order of registration."""
    for step in ACCOUNT_STEPS.values():
        call: AccountCall | None = getattr(step, moment)
        if call is not None:
            call(account)


def run_domain_steps(moment: str, domain: Domain) -> None:
    """Call `moment` (a field of DomainStep) of every step, in order of registration."""
    for step in DOMAIN_STEPS.values():
        call: DomainCall | None = getattr(step, moment)
        if call is not None:
            call(domain)


def run_group_steps(group: Group, actor: Account | None) -> None:
    """Call every step, in order of registration."""
    for step in GROUP_STEPS.values():
        step.deleting(group, actor)


def losses_of(group: Group) -> list[str]:
    """What every step says goes with the group."""
    return [sentence for step in GROUP_STEPS.values() for sentence in step.losses(group)]


def losses_of_account(account: Account) -> list[str]:
    """What every step says goes with the account."""
    steps = [step.losses for step in ACCOUNT_STEPS.values() if step.losses is not None]
    return [sentence for losses in steps for sentence in losses(account)]
