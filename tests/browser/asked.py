"""Makes somebody of a browser test's server an approver: `python -m tests.browser.asked AUTHOR APPROVER`.

Mail of AUTHOR about offers needs APPROVER's agreement, a mail to a list waits for it, and AUTHOR wants to forward mail to
an address outside. Prints the links of the latter two, one a line.
"""

from __future__ import annotations

import sys

import django


def main(author_address: str, approver_address: str) -> None:
    """All of it, durably."""
    django.setup()

    from django.db import transaction

    from accounts.models import Account, Group
    from accounts.services import create_group
    from mailstore.services.deliver import prepare
    from mta.approval.rules import create_rule
    from mta.inbound.recipients import Target
    from mta.models import ForwardTarget, HeldPost
    from mta.services import forwards, moderation
    from tests.browser.letters import letter

    author = Account.objects.select_related("domain").get(address=author_address)
    approver = Account.objects.get(address=approver_address)
    domain = author.domain
    create_rule(domain, name="Offers", keywords="offer", accounts=[author], approver=approver, deadline_h=72)
    local_part = f"team{approver.pk}"
    group = create_group(
        domain,
        local_part,
        name="Team",
        members=[author],
        posting=Group.Posting.ANYONE,
        needs_approval=True,
        approver=approver,
    )
    address = f"{local_part}@{domain.name}"
    target = Target(address, domain.pk, held_group_id=group.pk)
    with transaction.atomic():
        moderation.hold_post(target, prepare(letter(address, "To the team")), "guest@far.test", is_local=False)
    outside, _is_new = ForwardTarget.objects.get_or_create(account=author, address=f"outside{author.pk}@far.test")
    post = HeldPost.objects.latest("pk")
    sys.stdout.write(f"{moderation.QUESTION.make(post.pk)}\n{forwards.QUESTION.make(outside.pk, outside.address)}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
