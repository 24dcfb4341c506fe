"""Groups among the recipients: whoever is outside by way of one is outside."""

from __future__ import annotations

import pytest

from accounts.models import Account
from accounts.services import create_group
from mta.approval.matching import Facts, rule_for
from mta.approval.rules import create_rule, update_rule
from tests.factories import make_account
from tests.mta.test_submit import RAW

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(alice: Account) -> Account:
    """Who must agree."""
    return make_account("boss@example.test")


@pytest.mark.parametrize(
    ("to", "waits"),
    [
        (["inside@example.test"], False),
        (["bob@example.test", "inside@example.test"], False),
        (["suppliers@example.test"], True),
        (["bob@example.test", "Suppliers+x@EXAMPLE.test"], True),
        (["both@example.test"], True),
    ],
    ids=[
        "a list of colleagues",
        "and a colleague",
        "a list with a member outside",
        "by another name",
        "a list in a list",
    ],
)
def test_a_list_with_members_outside_is_people_outside(
    alice: Account, bob: Account, boss: Account, to: list[str], waits: bool
) -> None:
    rule = create_rule(
        alice.domain, name="outside", approver=boss, direction="external", recipient_domains="far.example"
    )
    create_group(alice.domain, "inside", name="Inside", members=[bob])
    suppliers = create_group(alice.domain, "suppliers", name="Suppliers", members=[bob], externals=["x@far.example"])
    create_group(alice.domain, "both", name="Both", members=[suppliers])
    assert (rule_for(Facts(alice, to, RAW)) is not None) is waits
    update_rule(rule, direction="internal", recipient_domains="")
    assert rule_for(Facts(alice, to, RAW)) is not None, "it is mail to colleagues too"
    update_rule(rule, direction="external", recipient_domains="elsewhere.example")
    assert rule_for(Facts(alice, to, RAW)) is None
