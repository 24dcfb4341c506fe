"""Whom an address means, who is in a group, who may open what and write as whom."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import domain_names, services
from accounts.models import Account, Domain, Group
from accounts.selectors import (
    Level,
    access_for,
    complete,
    directory,
    domain_of_host,
    expand_group,
    identities_of,
    is_local_domain,
    local_domains,
    mailbox_named,
    mailboxes_of,
    may_send_as,
    resolve,
)
from core.access import EDITOR, OWNER, READER, Right, system_access
from core.errors import ErrorKind, MailError
from tests.factories import make_account, make_domain

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "via_alias"),
    [
        ("alice@example.test", False),
        ("ALICE@EXAMPLE.TEST", False),
        ('"alice"@example.test', False),
        ("al@example.test", True),
        ("alice+tag@example.test", True),
        ("al+tag@Example.test", True),
        ("alice@other.test", True),
        ("al+x@例子.test", True),
    ],
)
def test_an_account_is_found_by_each_of_its_names(alice: Account, address: str, via_alias: bool) -> None:
    services.add_alias(alice, "al")
    services.add_domain_alias(alice.domain, "other.test")
    services.add_domain_alias(alice.domain, "例子.test")
    found = resolve(address)
    assert found is not None
    assert found.account is not None
    assert (found.kind, found.account.id, found.via_alias) == ("account", alice.pk, via_alias)
    assert found.account.domain_name == "example.test"


@pytest.mark.parametrize(
    "address", ["nobody@example.test", "alice@nowhere.test", "alice", "", "@example.test", "a\0@example.test"]
)
def test_an_unknown_address_is_none(alice: Account, address: str) -> None:
    assert resolve(address) is None


def test_the_catch_all_takes_what_nobody_has_and_nothing_else(alice: Account, bob: Account) -> None:
    services.set_catch_all(alice.domain, bob)
    found = resolve("Typo@example.test")
    assert found is not None and found.account is not None
    assert (found.kind, found.account.id, found.address, found.via_alias) == (
        "catch_all",
        bob.pk,
        "typo@example.test",
        True,
    )
    own = resolve("alice@example.test")
    assert own is not None and own.kind == "account"
    services.suspend_account(bob)
    assert resolve("typo@example.test") is None


def test_a_suspended_account_is_answered_with_its_status(alice: Account) -> None:
    services.suspend_account(alice)
    found = resolve(alice.address)
    assert found is not None and found.account is not None
    assert not found.account.is_active


def test_a_suspended_domain_is_ours_and_answers_nothing(alice: Account) -> None:
    services.update_domain(alice.domain, is_active=False)
    assert is_local_domain("example.test")
    assert resolve(alice.address) is None


def test_resolving_costs_one_query_and_two_with_a_catch_all(
    alice: Account, bob: Account, django_assert_num_queries: Any
) -> None:
    services.set_catch_all(alice.domain, bob)
    local_domains()
    for address, queries in (("alice@example.test", 1), ("alice+x@example.test", 1), ("typo@example.test", 2)):
        with django_assert_num_queries(queries):
            resolve(address)


def test_a_domain_of_another_process_is_seen_at_its_first_use(alice: Account) -> None:
    local_domains()
    Domain.objects.create(name="fresh.test")  # as if another process had made it: nobody told this one
    domain_names._names._read_at -= domain_names.MISS_S
    assert is_local_domain("fresh.test")


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("webmail.example.test", "example.test"),
        ("Webmail.Example.Test:8000", "example.test"),
        ("mail.other.test", "example.test"),
        ("example.test", "example.test"),
        ("webmail.nowhere.test", None),
        ("deep.webmail.example.test", None),
        ("evil-example.test", None),
        ("localhost:8000", None),
        ("", None),
        (None, None),
    ],
)
def test_a_host_belongs_to_a_domain_or_to_nobody(alice: Account, host: str | None, domain: str | None) -> None:
    services.add_domain_alias(alice.domain, "other.test")
    row = domain_of_host(host)
    assert (row and row.name) == domain


def test_everybody_means_active_people(alice: Account, bob: Account, charlie: Account) -> None:
    make_account("info@example.test", kind=Account.Kind.SHARED)
    services.suspend_account(bob)
    assert members("all@example.test") == ["alice@example.test"]


def test_a_department_group_reaches_its_sub_departments(alice: Account, bob: Account) -> None:
    top = services.create_department(alice.domain, "Company")
    sales = services.create_department(alice.domain, "Sales", parent=top)
    services.update_account(alice, department=top)
    services.update_account(bob, department=sales)
    services.create_group(alice.domain, "company", name="C", kind="department", department=top)
    services.create_group(alice.domain, "sales", name="S", kind="department", department=sales)
    assert members("company@example.test") == ["alice@example.test", "bob@example.test"]
    assert members("sales@example.test") == ["bob@example.test"]


def test_groups_in_groups_may_go_in_circles(alice: Account, bob: Account) -> None:
    one = services.create_group(alice.domain, "one", name="One", members=[alice], externals=["x@far.test"])
    two = services.create_group(alice.domain, "two", name="Two", members=[bob, alice, one], externals=["x@far.test"])
    services.add_member(one, two)
    for name in ("one", "two"):
        expansion = expand(f"{name}@example.test", sender="alice@example.test")
        assert [row.address for row in expansion.accounts] == ["alice@example.test", "bob@example.test"]
        assert expansion.externals == ["x@far.test"]


def test_an_erased_or_suspended_member_gets_nothing(alice: Account, bob: Account) -> None:
    services.create_group(alice.domain, "team", name="Team", members=[alice, bob])
    services.suspend_account(alice)
    services.erase_account(bob)
    assert members("team@example.test") == []


@pytest.mark.parametrize(
    ("posting", "allowed"),
    [
        (
            "anyone",
            {"alice@example.test", "bob@example.test", "charlie@elsewhere.test", "x@far.test", "y@far.test", ""},
        ),
        ("domain", {"alice@example.test", "bob@example.test"}),
        ("members", {"alice@example.test", "x@far.test"}),
    ],
)
def test_a_group_says_who_may_write(
    alice: Account, bob: Account, charlie: Account, posting: str, allowed: set[str]
) -> None:
    services.create_group(alice.domain, "team", name="T", members=[alice], externals=["x@far.test"], posting=posting)
    senders = {"alice@example.test", "bob@example.test", "charlie@elsewhere.test", "x@far.test", "y@far.test", ""}
    assert {sender for sender in senders if expand("team@example.test", sender=sender).allowed} == allowed


def test_a_catch_all_makes_nobody_a_member_of_the_domain(alice: Account) -> None:
    services.set_catch_all(alice.domain, alice)
    assert not expand("all@example.test", sender="forged@example.test").allowed


def test_an_unknown_group_is_empty_and_closed() -> None:
    expansion = expand_group(10**9, sender="a@b.test")
    assert (expansion.accounts, expansion.externals, expansion.allowed) == ([], [], False)


def test_the_size_of_a_group_does_not_change_the_number_of_queries(
    alice: Account, django_assert_num_queries: Any
) -> None:
    group = Group.objects.get(kind=Group.Kind.ALL)
    for number in range(10):
        make_account(f"p{number}@example.test", password=None)
    local_domains()
    with django_assert_num_queries(3):
        assert len(expand_group(group.pk, sender=alice.address).accounts) == 11


def test_rights_follow_the_grant(alice: Account, bob: Account, charlie: Account) -> None:
    assert access_for(alice, alice.pk).rights == OWNER
    expected = {"reader": READER, "editor": EDITOR, "sender": EDITOR | Right.SEND}
    for level, rights in expected.items():
        services.grant_mailbox(alice, bob, level)
        access = access_for(bob, alice.pk)
        assert (access.actor, access.mailbox, access.rights) == (bob.pk, alice.pk, rights)
    services.revoke_mailbox(alice, bob)
    for stranger, mailbox in ((bob, alice.pk), (charlie, alice.pk), (alice, 10**8), (alice, 0), (alice, -1)):
        with pytest.raises(MailError) as error:
            access_for(stranger, mailbox)
        assert error.value.kind is ErrorKind.NOT_FOUND
        with pytest.raises(MailError):
            mailbox_named(stranger, mailbox)


def test_an_operator_reads_nobodys_mail(alice: Account) -> None:
    chief = make_account("root@operators.test", role=Account.Role.OPERATOR)
    with pytest.raises(MailError):
        access_for(chief, alice.pk)


def test_an_erased_mailbox_is_closed_to_all(alice: Account, bob: Account) -> None:
    services.grant_mailbox(alice, bob, "reader")
    services.erase_account(alice)
    with pytest.raises(MailError):
        access_for(bob, alice.pk)
    assert [row.id for row in mailboxes_of(bob)] == [bob.pk]


def test_ones_own_mailbox_comes_first(alice: Account, bob: Account) -> None:
    services.grant_mailbox(alice, bob, "editor")
    rows = mailboxes_of(bob)
    assert [(row.address, row.level) for row in rows] == [(bob.address, Level.OWNER), (alice.address, Level.EDITOR)]


def test_froms_are_all_names_of_what_one_may_send_as(alice: Account, bob: Account) -> None:
    services.add_alias(alice, "al")
    services.add_domain_alias(alice.domain, "other.test")
    own = [row.address for row in identities_of(alice, alice.pk)]
    assert own == ["alice@example.test", "alice@other.test", "al@example.test", "al@other.test"]
    services.grant_mailbox(alice, bob, "reader")
    assert [row.address for row in identities_of(bob, alice.pk)] == ["bob@example.test", "bob@other.test"]
    services.grant_mailbox(alice, bob, "sender")
    assert [row.address for row in identities_of(bob, alice.pk)][:2] == own[:2]
    assert [row.address for row in identities_of(bob, bob.pk)][:2] == ["bob@example.test", "bob@other.test"]
    with pytest.raises(MailError):
        identities_of(alice, bob.pk)


@pytest.mark.parametrize(
    ("address", "owner", "reader", "sender"),
    [
        ("alice@example.test", True, False, True),
        ("Al@example.test", True, False, True),
        ("alice+shop@other.test", True, False, True),
        ("bob@example.test", False, True, True),
        ("charlie@elsewhere.test", False, False, False),
        ("all@example.test", False, False, False),
        ("nobody@example.test", False, False, False),
        ("alice@gmail.test", False, False, False),
        ("", False, False, False),
    ],
)
def test_nobody_writes_as_somebody_else(
    alice: Account, bob: Account, charlie: Account, address: str, owner: bool, reader: bool, sender: bool
) -> None:
    services.add_alias(alice, "al")
    services.add_domain_alias(alice.domain, "other.test")
    services.set_catch_all(alice.domain, alice)
    assert may_send_as(access_for(alice, alice.pk), address) is owner
    services.grant_mailbox(alice, bob, "reader")
    assert may_send_as(access_for(bob, alice.pk), address) is reader
    services.grant_mailbox(alice, bob, "sender")
    assert may_send_as(access_for(bob, alice.pk), address) is sender


def test_the_system_writes_as_its_own_mailbox(alice: Account) -> None:
    system = Account.objects.get(kind=Account.Kind.SYSTEM)
    assert may_send_as(system_access(system.pk), system.address)
    assert not may_send_as(system_access(system.pk), alice.address)


def test_completion_offers_colleagues_and_groups_only(alice: Account, bob: Account, charlie: Account) -> None:
    make_account("hidden@example.test", name="Alix", is_hidden=True)
    make_account("lina@example.test", name="李娜")
    domain = alice.domain_id
    assert [row.address for row in complete(domain, "ali")] == ["alice@example.test"]
    assert [row.address for row in complete(domain, "李")] == ["lina@example.test"]
    assert "all@example.test" in [row.address for row in complete(domain, "al")]
    assert complete(domain, "  ") == []
    assert complete(domain, "%") == []
    assert [row.address for row in complete(domain, "mailer")] == []
    assert len(complete(domain, "l", 2)) == 2


def test_the_directory_hides_what_is_hidden(alice: Account, bob: Account) -> None:
    top = services.create_department(alice.domain, "Company", position=2)
    services.create_department(alice.domain, "Sales", parent=top)
    secret = services.create_department(alice.domain, "Secret", is_hidden=True)
    inner = services.create_department(alice.domain, "Inner", parent=secret)
    services.update_account(bob, department=inner)
    departments, people = directory(alice.domain_id)
    assert [(row.name, row.depth) for row in departments] == [("Company", 0), ("Sales", 1)]
    assert [person.address for person in people] == ["alice@example.test"]


def test_a_database_with_a_loop_of_departments_still_answers(alice: Account) -> None:
    one = services.create_department(alice.domain, "One")
    two = services.create_department(alice.domain, "Two", parent=one)
    services.create_group(alice.domain, "one", name="1", kind="department", department=one)
    services.update_account(alice, department=two)
    type(one).objects.filter(pk=one.pk).update(parent=two)
    assert members("one@example.test") == ["alice@example.test"]
    assert directory(alice.domain_id)[0] == []


def test_an_external_member_whose_domain_became_ours_is_local(alice: Account) -> None:
    group = services.create_group(alice.domain, "team", name="T", externals=["zoe@new.test"])
    make_domain("new.test")
    zoe = make_account("zoe@new.test")
    expansion = expand_group(group.pk, sender=alice.address)
    assert ([row.id for row in expansion.accounts], expansion.externals) == ([zoe.pk], [])


def expand(address: str, *, sender: str) -> Any:
    found = resolve(address)
    assert found is not None
    assert found.group_id is not None
    return expand_group(found.group_id, sender=sender)


def members(address: str) -> list[str]:
    return [row.address for row in expand(address, sender="").accounts]
