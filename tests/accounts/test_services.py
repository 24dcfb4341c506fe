"""Making and changing domains, accounts, addresses, groups and grants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from accounts import services, steps
from accounts.models import Account, Address, Domain, Group
from accounts.selectors import is_local_domain, resolve
from accounts.services.addresses import move_postmaster
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from tests.factories import PASSWORD, make_account, make_domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def calls() -> Iterator[list[tuple[str, str]]]:
    """What a step was told."""
    heard: list[tuple[str, str]] = []

    def hear(moment: str) -> Any:
        return lambda row: heard.append((moment, str(row)))

    moments = {name: hear(name) for name in ("created", "renamed", "suspended", "erased")}
    steps.register_account_step(steps.AccountStep("test", **moments))
    steps.register_domain_step(steps.DomainStep("test", **moments))
    yield heard
    del steps.ACCOUNT_STEPS["test"], steps.DOMAIN_STEPS["test"]


def refused(kind: ErrorKind, call: Any, /, *args: Any, **kwargs: Any) -> dict[str, object]:
    """The data of the refusal; nothing may have been recorded as done."""
    before = Event.objects.count()
    with pytest.raises(MailError) as error:
        call(*args, **kwargs)
    assert error.value.kind is kind
    assert Event.objects.count() == before
    return error.value.data


def test_a_domain_comes_with_postmaster_and_everybody(domain: Domain) -> None:
    postmaster, everybody = resolve("postmaster@example.test"), resolve("all@example.test")
    assert postmaster is not None and postmaster.account is not None
    assert postmaster.account.address == "mailer-daemon@example.test"
    assert everybody is not None and everybody.kind == "group"


@pytest.mark.parametrize(
    "fields", [{"time_zone": "Mars/Olympus"}, {"language": "tlh"}, {"brand_colour": "red"}, {"brand_colour": "#12345g"}]
)
def test_a_domain_with_an_impossible_look_is_refused(fields: dict[str, str]) -> None:
    refused(ErrorKind.INVALID, services.create_domain, "new.test", **fields)
    assert not is_local_domain("new.test")


def test_a_name_is_a_domain_or_an_alias_and_only_once(domain: Domain) -> None:
    services.add_domain_alias(domain, "other.test")
    for name in ("example.test", "EXAMPLE.test.", "other.test"):
        refused(ErrorKind.EXISTS, services.create_domain, name)
        refused(ErrorKind.EXISTS, services.add_domain_alias, domain, name)


def test_a_domain_alias_goes_away(domain: Domain) -> None:
    alias = services.add_domain_alias(domain, "other.test")
    assert resolve("all@other.test") is not None
    services.remove_domain_alias(alias)
    assert resolve("all@other.test") is None
    assert not is_local_domain("other.test")


def test_the_first_administrator_reads_postmasters_mail(domain: Domain) -> None:
    first = make_account("a@example.test", role=Account.Role.DOMAIN_ADMIN)
    second = make_account("b@example.test", role=Account.Role.DOMAIN_ADMIN)
    assert reader_of("postmaster@example.test") == first.pk
    move_postmaster(domain, second, actor=first)
    assert reader_of("postmaster@example.test") == second.pk
    services.erase_account(second, actor=first)
    assert reader_of("postmaster@example.test") == Account.objects.get(kind=Account.Kind.SYSTEM).pk


def test_an_account_takes_its_domains_ways(domain: Domain) -> None:
    services.update_domain(domain, language="en", time_zone="Europe/Berlin", default_quota_bytes=5)
    account = services.create_account(Domain.objects.get(), "Li.Na", name=" 李娜 ", password=PASSWORD)
    assert (account.address, account.name) == ("li.na@example.test", "李娜")
    assert (account.language, account.time_zone, account.quota_bytes) == ("en", "Europe/Berlin", 5)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"role": "king"}, "role"),
        ({"kind": "system"}, "kind"),
        ({"kind": "robot"}, "kind"),
        ({"language": "xx"}, "language"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"quota_bytes": -1}, "quota_bytes"),
        ({"password": "short"}, "password"),
    ],
)
def test_an_impossible_account_leaves_nothing_behind(domain: Domain, fields: dict[str, Any], field: str) -> None:
    data = refused(ErrorKind.INVALID, services.create_account, domain, "x", **({"name": "X"} | fields))
    assert data["field"] == field
    assert not Account.objects.filter(local_part="x").exists()
    assert not Address.objects.filter(address="x@example.test").exists()


def test_an_address_means_one_thing_only(domain: Domain, alice: Account) -> None:
    services.add_alias(alice, "Sales@Example.test")
    services.create_group(domain, "team", name="Team")
    for name in ("alice", "SALES", "team", "all", "postmaster", "mailer-daemon"):
        refused(ErrorKind.EXISTS, services.create_account, domain, name, name="X")
        refused(ErrorKind.EXISTS, services.add_alias, alice, name)
        refused(ErrorKind.EXISTS, services.create_group, domain, name, name="X")


def test_an_erased_accounts_name_stays_reserved(domain: Domain, alice: Account, bob: Account) -> None:
    services.add_alias(alice, "al")
    services.grant_mailbox(alice, bob, "reader")
    services.set_catch_all(domain, alice)
    services.erase_account(alice)
    assert resolve("alice@example.test") is None
    assert resolve("nobody@example.test") is None
    refused(ErrorKind.EXISTS, services.create_account, domain, "alice", name="A")
    refused(ErrorKind.EXISTS, services.add_alias, bob, "alice")
    refused(ErrorKind.NOT_FOUND, services.erase_account, alice)
    refused(ErrorKind.NOT_FOUND, services.update_account, alice, name="Again")
    services.add_alias(bob, "al")
    assert not alice.credentials.exists()
    assert not alice.grants.exists()


def test_an_account_has_five_aliases_unless_its_domain_says_more(domain: Domain, alice: Account) -> None:
    for number in range(5):
        services.add_alias(alice, f"a{number}")
    data = refused(ErrorKind.LIMIT, services.add_alias, alice, "a5")
    assert data["limit"] == 5
    services.update_domain(domain, max_aliases=6)
    services.add_alias(alice, "a5")
    services.remove_alias(alice, "a0")
    services.add_alias(alice, "a0")


def test_an_alias_stays_in_its_domain_and_has_no_tag(alice: Account, charlie: Account) -> None:
    for address in ("a@elsewhere.test", "a+b", "a b", "", "@example.test"):
        refused(ErrorKind.INVALID, services.add_alias, alice, address)
    refused(ErrorKind.NOT_FOUND, services.remove_alias, alice, "alice")
    refused(ErrorKind.NOT_FOUND, services.remove_alias, alice, "nothing")


def test_postmaster_is_never_removed(domain: Domain, boss: Account) -> None:
    refused(ErrorKind.IN_USE, services.remove_alias, boss, "postmaster")


def test_the_catch_all_is_a_mailbox_of_the_domain(domain: Domain, charlie: Account) -> None:
    refused(ErrorKind.NOT_FOUND, services.set_catch_all, domain, charlie)


def test_departments_make_a_tree_without_loops(domain: Domain, charlie: Account) -> None:
    top = services.create_department(domain, "Company")
    sales = services.create_department(domain, "Sales", parent=top)
    refused(ErrorKind.EXISTS, services.create_department, domain, "Company")
    refused(ErrorKind.EXISTS, services.create_department, domain, " Sales ", parent=top)
    refused(ErrorKind.INVALID, services.update_department, top, parent=sales)
    refused(ErrorKind.INVALID, services.update_department, top, parent=top)
    refused(ErrorKind.IN_USE, services.delete_department, top)
    foreign = services.create_department(charlie.domain, "Foreign")
    refused(ErrorKind.INVALID, services.create_department, domain, "X", parent=foreign)
    refused(ErrorKind.INVALID, services.create_account, domain, "x", name="X", department=foreign)
    services.delete_department(sales)
    services.delete_department(top)


def test_a_department_tree_has_ten_levels(domain: Domain) -> None:
    parent = None
    for number in range(10):
        parent = services.create_department(domain, f"level {number}", parent=parent)
    refused(ErrorKind.LIMIT, services.create_department, domain, "too deep", parent=parent)


def test_a_list_has_at_most_fifteen_externals(domain: Domain) -> None:
    group = services.create_group(domain, "far", name="Far", externals=[f"p{n}@far.test" for n in range(15)])
    data = refused(ErrorKind.LIMIT, services.add_member, group, "p15@far.test")
    assert data["limit"] == 15


def test_a_local_address_in_a_list_becomes_what_it_means(domain: Domain, alice: Account) -> None:
    group = services.create_group(domain, "team", name="Team", externals=["Alice@Example.test"])
    assert group.members.get().account == alice
    refused(ErrorKind.NOT_FOUND, services.add_member, group, "nobody@example.test")
    refused(ErrorKind.EXISTS, services.add_member, group, alice)
    for text in ("no address", "a@b", "<a@b.test>", "a@b.test, c@d.test", "a b@c.test"):
        refused(ErrorKind.INVALID, services.add_member, group, text)


def test_members_of_another_domain_are_not_found(domain: Domain, charlie: Account) -> None:
    group = services.create_group(domain, "team", name="Team")
    refused(ErrorKind.NOT_FOUND, services.add_member, group, charlie)
    foreign = Group.objects.get(domain=charlie.domain)
    refused(ErrorKind.NOT_FOUND, services.add_member, group, foreign)
    refused(ErrorKind.INVALID, services.add_member, group, group)


def test_a_department_group_needs_its_department(domain: Domain) -> None:
    refused(ErrorKind.INVALID, services.create_group, domain, "x", name="X", kind="department")
    department = services.create_department(domain, "Sales")
    refused(ErrorKind.INVALID, services.create_group, domain, "x", name="X", kind="list", department=department)
    group = services.create_group(domain, "x", name="X", kind="department", department=department)
    refused(ErrorKind.IN_USE, services.delete_department, department)
    services.delete_group(group)
    assert resolve("x@example.test") is None


def test_a_grant_stays_in_the_domain(alice: Account, bob: Account, charlie: Account) -> None:
    refused(ErrorKind.NOT_FOUND, services.grant_mailbox, alice, charlie, "reader")
    refused(ErrorKind.INVALID, services.grant_mailbox, alice, alice, "reader")
    refused(ErrorKind.INVALID, services.grant_mailbox, alice, bob, "owner")
    services.grant_mailbox(alice, bob, "reader", actor=alice)
    assert services.grant_mailbox(alice, bob, "editor", actor=alice).level == "editor"
    services.revoke_mailbox(alice, bob, actor=alice)
    refused(ErrorKind.NOT_FOUND, services.revoke_mailbox, alice, bob)


def test_nobody_but_administrators_of_the_domain_administers(domain: Domain, alice: Account, bob: Account) -> None:
    stranger = make_account("chief@elsewhere.test", role=Account.Role.DOMAIN_ADMIN)
    group = services.create_group(domain, "team", name="Team")
    calls = [
        (services.create_account, (domain, "x"), {"name": "X"}),
        (services.update_account, (alice,), {"role": "domain_admin"}),
        (services.suspend_account, (alice,), {}),
        (services.erase_account, (alice,), {}),
        (services.set_password, (alice, "quite new 77"), {}),
        (services.add_alias, (alice, "x"), {}),
        (services.set_catch_all, (domain, alice), {}),
        (services.update_domain, (domain,), {"title": "Mine"}),
        (services.create_department, (domain, "X"), {}),
        (services.create_group, (domain, "x"), {"name": "X"}),
        (services.add_member, (group, alice), {}),
        (services.delete_group, (group,), {}),
        (services.grant_mailbox, (alice, bob, "reader"), {}),
    ]
    for call, args, kwargs in calls:
        refused(ErrorKind.NOT_FOUND, call, *args, **kwargs, actor=stranger)
        refused(ErrorKind.NO_PERMISSION, call, *args, **kwargs, actor=bob)
    for actor in (stranger, bob, make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)):
        refused(ErrorKind.NO_PERMISSION, services.create_domain, "x.test", actor=actor)
        refused(ErrorKind.NO_PERMISSION, services.add_domain_alias, domain, "x.test", actor=actor)


def test_a_suspended_administrator_administers_nothing(domain: Domain, boss: Account) -> None:
    services.suspend_account(boss)
    boss.refresh_from_db()
    refused(ErrorKind.NO_PERMISSION, services.create_account, domain, "x", name="X", actor=boss)


def test_an_operators_account_is_out_of_reach_of_his_domains_administrator(boss: Account, alice: Account) -> None:
    chief = make_account("chief@example.test", role=Account.Role.OPERATOR)
    refused(ErrorKind.NO_PERMISSION, services.set_password, chief, "quite new 77", actor=boss)
    refused(ErrorKind.NO_PERMISSION, services.grant_mailbox, chief, boss, "reader", actor=boss)
    refused(ErrorKind.NO_PERMISSION, services.update_account, chief, role="member", actor=boss)
    refused(ErrorKind.NO_PERMISSION, services.update_account, alice, role="operator", actor=boss)
    refused(ErrorKind.IN_USE, services.update_account, boss, role="operator", actor=boss)
    assert services.update_account(alice, role="operator", actor=chief).is_operator


def test_an_administrator_cant_lock_himself_out(boss: Account) -> None:
    refused(ErrorKind.IN_USE, services.suspend_account, boss, actor=boss)
    refused(ErrorKind.IN_USE, services.erase_account, boss, actor=boss)
    refused(ErrorKind.IN_USE, services.update_account, boss, role="member", actor=boss)


def test_people_change_their_own_name_language_and_zone(alice: Account) -> None:
    changed = services.update_account(alice, name="Alice B", language="en", time_zone="Asia/Tokyo", actor=alice)
    assert (changed.name, changed.language, changed.time_zone) == ("Alice B", "en", "Asia/Tokyo")
    refused(ErrorKind.NO_PERMISSION, services.update_account, alice, quota_bytes=2**60, actor=alice)
    refused(ErrorKind.INVALID, services.update_account, alice, address="x")


def test_what_is_sold_is_the_operators(domain: Domain, boss: Account) -> None:
    refused(ErrorKind.NO_PERMISSION, services.update_domain, domain, default_quota_bytes=2**60, actor=boss)
    services.update_domain(domain, title="New", default_quota_bytes=domain.default_quota_bytes, actor=boss)
    refused(ErrorKind.INVALID, services.update_domain, domain, name="x.test")


def test_a_systems_account_stays_what_it_is(domain: Domain) -> None:
    system = Account.objects.get(kind=Account.Kind.SYSTEM)
    refused(ErrorKind.IN_USE, services.suspend_account, system)
    refused(ErrorKind.IN_USE, services.erase_account, system)
    refused(ErrorKind.IN_USE, services.update_account, system, kind="person")
    refused(ErrorKind.NO_PERMISSION, services.set_password, system, "quite new 77")
    refused(ErrorKind.IN_USE, services.add_alias, system, "x")


def test_steps_are_called_inside_the_transaction(domain: Domain, calls: list[tuple[str, str]]) -> None:
    other = services.create_domain("new.test")
    account = services.create_account(domain, "zoe", name="Zoe")
    services.update_account(account, name="Zoë")
    services.update_account(account, title="Boss")
    services.suspend_account(account)
    services.suspend_account(account)
    services.restore_account(account)
    services.erase_account(account)
    services.update_domain(other, is_active=False)
    zoe = account.address
    expected = [("created", "mailer-daemon@new.test"), ("created", "new.test")]
    expected += [(moment, zoe) for moment in ("created", "renamed", "suspended", "suspended", "erased")]
    assert calls == [*expected, ("suspended", "new.test")]


def test_a_step_that_fails_takes_the_account_with_it(domain: Domain) -> None:
    def fail(_account: Account) -> None:
        raise MailError(ErrorKind.UNAVAILABLE)

    steps.register_account_step(steps.AccountStep("test", created=fail))
    try:
        refused(ErrorKind.UNAVAILABLE, services.create_account, domain, "zoe", name="Zoe")
    finally:
        del steps.ACCOUNT_STEPS["test"]
    assert resolve("zoe@example.test") is None


def test_every_act_is_recorded_with_who_and_what(domain: Domain, boss: Account, alice: Account) -> None:
    services.update_account(alice, title="Engineer", actor=boss)
    event = Event.objects.filter(kind=Kind.ADMIN).latest("id")
    assert (event.actor, event.address, event.domain_id) == (boss.address, alice.address, domain.pk)
    assert event.data == {"action": "update_account", "changes": {"title": ["", "Engineer"]}}
    services.set_password(alice, "quite new 77", actor=boss)
    event = Event.objects.filter(kind=Kind.ADMIN).latest("id")
    assert event.data == {"action": "set_password"}


def test_an_id_beyond_27_bits_is_refused(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services.accounts.MAX_ACCOUNT_ID", 1)
    refused(ErrorKind.LIMIT, services.create_account, domain, "late", name="Late")
    assert not Account.objects.filter(local_part="late").exists()


@pytest.mark.django_db(transaction=True)
def test_whoever_commits_second_is_told_that_the_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = make_domain("example.test")
    make_account("alice@example.test", password=None)
    monkeypatch.setattr("accounts.services.addresses.require_free", lambda _address: None)
    with pytest.raises(MailError) as error:
        services.add_alias(Account.objects.get(local_part="alice"), "all")
    assert error.value.kind is ErrorKind.EXISTS
    assert connection.get_autocommit()
    assert resolve(f"all@{domain.name}") is not None


def reader_of(address: str) -> int:
    found = resolve(address)
    assert found is not None
    assert found.account is not None
    return found.account.id
