"""Makes the accounts of a browser test's server before it starts: `python -m tests.browser.seed zoe@example.test …`."""

from __future__ import annotations

import sys

import django

PASSWORD = "correct horse 9"


def main(addresses: list[str]) -> None:
    """Migrate, then the addresses: in English, all with one password. `boss@` administers his domain."""
    django.setup()

    from django.core.management import call_command

    from accounts.models import Account, Domain
    from accounts.services import create_account, create_domain

    call_command("migrate", verbosity=0)
    first: Account | None = None
    for address in addresses:
        local_part, _, name = address.partition("@")
        domain = Domain.objects.filter(name=name).first() or create_domain(name, title="Example", language="en")
        role = Account.Role.DOMAIN_ADMIN if local_part == "boss" else Account.Role.MEMBER
        password = None if first else PASSWORD
        made = create_account(
            domain, local_part, name=local_part.capitalize(), password=password, role=role, language="en"
        )
        first = first or made
        _share_password(first, made)


def _share_password(owner: object, other: object) -> None:
    """The verifiers of one for all: making them is slow on purpose."""
    from accounts.models import Credential

    if owner is other:
        return
    credential = Credential.objects.get(account=owner)
    credential.pk, credential.account = None, other
    credential.save(force_insert=True)


if __name__ == "__main__":
    main(sys.argv[1:])
