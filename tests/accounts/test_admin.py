"""The administration: who sees what, and what each page does."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import (
    Account,
    Address,
    Department,
    Domain,
    DomainAlias,
    Group,
    GroupMember,
    MailboxGrant,
)
from accounts.selectors import resolve
from accounts.services import (
    create_department,
    create_group,
    update_account,
)
from accounts.sign_in import SignInError, sign_in
from logs_app.models import Event, Kind
from tests.accounts.conftest import SECRET, browser_of
from tests.administered import administered_rows
from tests.factories import PASSWORD, make_account, make_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("urlconf")]

NOON = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)


@pytest.fixture
def strange() -> dict[type[Model], Model]:
    """One row of every administered model in another domain."""
    domain = make_domain(f"{SECRET}.test", title=f"{SECRET} Ltd")
    return administered_rows(domain, make_account(f"{SECRET}@{domain.name}"), SECRET)


def registered() -> list[type[Model]]:
    return list(admin.site._registry)


def page_of(model: type[Model], name: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"


def urls_of(row: Model) -> Iterator[str]:
    for name in ("change", "delete", "history"):
        yield reverse(page_of(type(row), name), args=[row.pk])
    if isinstance(row, Account):
        yield reverse(page_of(Account, "password"), args=[row.pk])


def lists_of(model: type[Model]) -> Iterator[str]:
    for name in ("changelist", "export"):
        url = reverse(page_of(model, name))
        yield url
        yield f"{url}?q={SECRET[:4]}"


def completions() -> Iterator[str]:
    for model, pages in admin.site._registry.items():
        sources: list[Any] = [pages, *pages.inlines]
        for source in sources:
            for field in source.autocomplete_fields:
                owner = source.model if source is not pages else model
                query = f"app_label={owner._meta.app_label}&model_name={owner._meta.model_name}&field_name={field}"
                yield f"{reverse('admin:autocomplete')}?{query}&term="
                yield f"{reverse('admin:autocomplete')}?{query}&term={SECRET[:4]}"


def test_every_registered_model_is_walked(strange: dict[type[Model], Model]) -> None:
    assert set(registered()) == set(strange)


def test_another_domains_rows_do_not_exist(browser: Client, strange: dict[type[Model], Model]) -> None:
    for row in strange.values():
        for url in urls_of(row):
            for answer in (browser.get(url), browser.post(url, {"name": "x", "post": "yes"})):
                assert answer.status_code in {403, 404}, url  # 403: not even with one's own
                assert SECRET not in answer.content.decode()
            if not url.endswith("/delete/"):
                assert browser.get(url).status_code == 404, url


def test_lists_exports_and_completion_show_nothing_of_another_domain(
    browser: Client, strange: dict[type[Model], Model]
) -> None:
    urls = [reverse("admin:index"), reverse("admin:app_list", args=["accounts"]), *completions()]
    urls += [url for model in registered() for url in lists_of(model)]
    for url in urls:
        answer = browser.get(url)
        assert answer.status_code in {200, 403}, url
        assert SECRET not in answer.content.decode(), url


def test_forms_offer_and_accept_nothing_of_another_domain(browser: Client, strange: dict[type[Model], Model]) -> None:
    for model in registered():
        answer = browser.get(reverse(page_of(model, "add")))
        assert answer.status_code in {200, 403}
        assert SECRET not in answer.content.decode()


def test_choosing_another_domains_row_is_refused(
    browser: Client, boss: Account, strange: dict[type[Model], Model]
) -> None:
    account, department, group = strange[Account], strange[Department], strange[Group]
    tries = [
        (MailboxGrant, {"owner": account.pk, "grantee": boss.pk, "level": "sender"}),
        (MailboxGrant, {"owner": boss.pk, "grantee": account.pk, "level": "sender"}),
        (Address, {"account": account.pk, "address": "taken"}),
        (Department, {"name": "x", "parent": department.pk, "position": 0}),
        (
            Group,
            {"local_part": "x", "name": "x", "kind": "department", "department": department.pk, "posting": "anyone"},
        ),
    ]
    for model, data in tries:
        before = model._default_manager.count()
        answer = browser.post(reverse(page_of(model, "add")), data)
        assert answer.status_code == 200, model
        assert SECRET not in answer.content.decode()
        assert model._default_manager.count() == before
    own = create_group(boss.domain, "team", name="Team")
    members = formset("members", [{"subgroup": group.pk}])
    browser.post(reverse(page_of(Group, "change"), args=[own.pk]), group_fields(own) | members)
    assert not GroupMember.objects.filter(group=own).exists()


def test_bulk_actions_pass_over_another_domains_rows(browser: Client, strange: dict[type[Model], Model]) -> None:
    account = strange[Account]
    for name in ("suspend", "delete_selected"):
        data = {"action": name, "_selected_action": [str(account.pk)], "post": "yes"}
        answer = browser.post(reverse(page_of(Account, "changelist")), data)
        assert SECRET not in answer.content.decode()
    account.refresh_from_db()
    assert account.status == Account.Status.ACTIVE  # type: ignore[attr-defined]


def test_members_and_strangers_see_no_page(alice: Account, strange: dict[type[Model], Model]) -> None:
    member, nobody = browser_of(alice), Client()
    urls = [reverse("admin:index"), reverse("admin:password_change"), *completions()]
    urls += [url for row in strange.values() for url in urls_of(row)]
    urls += [url for model in registered() for url in (*lists_of(model), reverse(page_of(model, "add")))]
    for url in urls:
        for method in ("get", "post"):
            refused = getattr(nobody, method)(url)
            assert refused.status_code == 302, url
            assert refused["Location"].startswith("/sign-in/") or "/admin/login/" in refused["Location"]
            answer = getattr(member, method)(url, follow=True)
            assert answer.status_code == 403, url
            assert SECRET not in answer.content.decode()


def test_an_operator_sees_every_page(operator: Account, strange: dict[type[Model], Model]) -> None:
    client = browser_of(operator)
    for row in strange.values():
        answer = client.get(reverse(page_of(type(row), "change"), args=[row.pk]))
        assert answer.status_code == 200, row
    for model in registered():
        for url in lists_of(model):
            assert client.get(url).status_code == 200, url
    assert SECRET in client.get(reverse(page_of(Account, "changelist"))).content.decode()


def test_the_overview_counts_what_is_ones_own(
    browser: Client, alice: Account, strange: dict[type[Model], Model], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        answer = browser.get(reverse("admin:index"))
    assert [figure.count for figure in answer.context["figures"]] == [2, 0, 1, 0, 0]
    assert "Account made" in answer.content.decode()
    for figure in answer.context["figures"]:
        assert browser.get(figure.link).status_code == 200


def test_nobody_signs_in_on_the_admins_own_page() -> None:
    answer = Client().get(reverse("admin:login") + "?next=/admin/accounts/account/")
    assert answer["Location"] == "/sign-in/?next=/admin/accounts/account/"


def test_an_account_is_made_changed_and_erased(browser: Client, domain: Domain, boss: Account) -> None:
    answer = browser.post(reverse(page_of(Account, "add")), new_account(local_part="Li.Na", name="李娜"))
    assert answer.status_code == 302, errors(answer)
    account = Account.objects.get(address="li.na@example.test")
    assert (
        sign_in("li.na@example.test", PASSWORD, host=None, protocol="web", remote_address="192.0.2.1").account
        == account
    )
    change = reverse(page_of(Account, "change"), args=[account.pk])
    data = account_fields(account) | {"title": "会计"} | formset("addresses", [{"address": "lina"}])
    assert browser.post(change, data).status_code == 302
    account.refresh_from_db()
    assert account.title == "会计"
    found = resolve("lina@example.test")
    assert found is not None and found.account is not None and found.account.id == account.pk
    assert browser.post(reverse(page_of(Account, "delete"), args=[account.pk]), {"post": "yes"}).status_code == 302
    assert resolve("lina@example.test") is None
    actions = set(Event.objects.filter(kind=Kind.ADMIN, actor=boss.address).values_list("data__action", flat=True))
    assert actions >= {"create_account", "update_account", "add_alias", "erase_account"}


def test_an_administrator_makes_no_operator_and_touches_none(browser: Client, domain: Domain) -> None:
    answer = browser.post(reverse(page_of(Account, "add")), new_account(role="operator"))
    assert answer.status_code == 200
    assert not Account.objects.filter(role=Account.Role.OPERATOR).exists()
    chief = make_account("chief@example.test", role=Account.Role.OPERATOR)
    assert browser.get(reverse(page_of(Account, "password"), args=[chief.pk])).status_code == 403
    browser.post(reverse(page_of(Account, "change"), args=[chief.pk]), account_fields(chief) | {"role": "member"})
    answer = browser.post(
        reverse(page_of(Account, "changelist")), {"action": "suspend", "_selected_action": [str(chief.pk)]}
    )
    assert answer.status_code == 403
    chief.refresh_from_db()
    assert (chief.role, chief.status) == (Account.Role.OPERATOR, Account.Status.ACTIVE)
    answer = browser.post(
        reverse(page_of(MailboxGrant, "add")),
        {"owner": chief.pk, "grantee": Account.objects.get(address="boss@example.test").pk, "level": "reader"},
    )
    assert answer.status_code == 403
    assert not MailboxGrant.objects.exists()


def test_a_password_is_set_and_judged(browser: Client, alice: Account) -> None:
    url = reverse(page_of(Account, "password"), args=[alice.pk])
    assert (
        "first that attackers try"
        in browser.post(url, {"password1": "password1", "password2": "password1"}).content.decode()
    )
    assert "different" in browser.post(url, {"password1": "quite new 77", "password2": "quite new 78"}).content.decode()
    assert browser.post(url, {"password1": "quite new 77", "password2": "quite new 77"}).status_code == 302
    with pytest.raises(SignInError):
        sign_in(alice.address, PASSWORD, host=None, protocol="web", remote_address="192.0.2.1")
    sign_in(alice.address, "quite new 77", host=None, protocol="web", remote_address="192.0.2.1")


def test_an_administrators_own_password_needs_the_old_one(browser: Client, boss: Account) -> None:
    url = reverse("admin:password_change")
    fields = {"old_password": "wrong one 1", "new_password1": "quite new 77", "new_password2": "quite new 77"}
    assert "old password is wrong" in browser.post(url, fields).content.decode()
    assert browser.post(url, fields | {"old_password": PASSWORD}).status_code == 302
    assert browser.get(reverse("admin:index")).status_code == 200
    detour = browser.get(reverse(page_of(Account, "password"), args=[boss.pk]))
    assert detour["Location"] == url


def test_what_a_service_refuses_is_said_in_the_form(browser: Client, domain: Domain, alice: Account) -> None:
    answer = browser.post(reverse(page_of(Account, "add")), new_account(local_part="alice"))
    assert "already in use" in answer.content.decode()
    department = create_department(domain, "Sales")
    Account.objects.filter(pk=alice.pk).update(department=department)
    answer = browser.post(reverse(page_of(Department, "delete"), args=[department.pk]), {"post": "yes"}, follow=True)
    assert "in use" in answer.content.decode()
    assert Department.objects.filter(pk=department.pk).exists()


def test_a_list_gets_members_and_loses_them(browser: Client, domain: Domain, alice: Account) -> None:
    data = {"local_part": "team", "name": "Team", "kind": "list", "posting": "anyone"}
    assert browser.post(reverse(page_of(Group, "add")), data).status_code == 302
    group = Group.objects.get(name="Team")
    url = reverse(page_of(Group, "change"), args=[group.pk])
    rows: list[dict[str, Any]] = [{"account": alice.pk}, {"external": "Partner@Far.test"}]
    assert browser.post(url, group_fields(group) | formset("members", rows)).status_code == 302
    assert set(group.members.values_list("account", "external")) == {(alice.pk, ""), (None, "partner@far.test")}
    member = group.members.get(account=alice)
    gone = formset("members", [{"id": member.pk, "group": group.pk, "account": alice.pk, "DELETE": "on"}], initial=1)
    assert browser.post(url, group_fields(group) | gone).status_code == 302
    assert not group.members.filter(account=alice).exists()
    broken = browser.post(
        url, group_fields(group) | formset("members", [{"external": "x@y.test", "account": alice.pk}])
    )
    assert "Choose one" in broken.content.decode()


def test_a_domains_administrator_changes_its_look_but_not_what_is_sold(browser: Client, domain: Domain) -> None:
    url = reverse(page_of(Domain, "change"), args=[domain.pk])
    data = domain_fields(domain) | {
        "title": "新名字",
        "default_quota_bytes": 1,
        "message_max_bytes": 1,
        "is_active": "",
    }
    answer = browser.post(url, data)
    assert answer.status_code == 302, errors(answer)
    was = domain.default_quota_bytes
    domain.refresh_from_db()
    assert (domain.title, domain.default_quota_bytes, domain.is_active) == ("新名字", was, True)
    assert browser.get(reverse(page_of(Domain, "add"))).status_code == 403
    assert browser.get(reverse(page_of(DomainAlias, "add"))).status_code == 403


def test_an_operator_makes_a_domain_with_everything_in_it(operator: Account) -> None:
    client = browser_of(operator)
    data = {"name": "Neu.Test", "title": "New", "language": "en", "time_zone": "Europe/Berlin"}
    assert client.post(reverse(page_of(Domain, "add")), data).status_code == 302
    assert resolve("postmaster@neu.test") is not None
    domain = Domain.objects.get(name="neu.test")
    assert (
        client.post(reverse(page_of(DomainAlias, "add")), {"name": "neu2.test", "domain": domain.pk}).status_code == 302
    )
    assert resolve("all@neu2.test") is not None


def test_history_is_the_record_of_that_row(browser: Client, boss: Account, alice: Account) -> None:
    update_account(alice, title="Engineer", actor=boss)
    answer = browser.get(reverse(page_of(Account, "history"), args=[alice.pk]), follow=True)
    assert answer.redirect_chain
    assert "Account changed" in answer.content.decode()
    assert "boss@example.test" in answer.content.decode()


def test_the_record_is_read_only(browser: Client, boss: Account) -> None:
    event = Event.objects.filter(domain_id=boss.domain_id).first()
    assert event is not None
    url = reverse(page_of(Event, "change"), args=[event.pk])
    assert browser.get(url).status_code == 200
    for address in (url, reverse(page_of(Event, "delete"), args=[event.pk]), reverse(page_of(Event, "add"))):
        assert browser.post(address, {"post": "yes"}).status_code == 403


def test_an_export_runs_no_formula(browser: Client, domain: Domain) -> None:
    make_account("eve@example.test", name='=HYPERLINK("http://evil")')
    text = browser.get(reverse(page_of(Account, "export"))).content.decode()
    assert text.startswith("\ufeff")
    assert "'=HYPERLINK" in text
    assert "eve@example.test" in text


def test_a_list_is_read_with_a_bounded_number_of_queries(
    browser: Client, domain: Domain, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        make_account(f"p{number}@example.test", password=None, department=create_department(domain, f"d{number}"))
    with django_assert_max_num_queries(12):
        browser.get(reverse(page_of(Account, "changelist")))


HOSTILE = ["abc", "-1", "0", "9" * 30, "1 OR 1=1", "\x00", "\ud800", "💥", "a" * 5000, "1,2", "%", "' \""]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_input_is_answered_and_never_an_error_of_ours(browser: Client, alice: Account, value: str) -> None:
    text = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    listed = reverse(page_of(Account, "changelist"))
    quoted = quote(text, safe="")
    gets = [
        f"{listed}?{name}={quoted}" for name in ("q", "p", "o", "e", "all", "status__exact", "department__id__exact")
    ]
    gets += [
        f"{listed}?{quoted}=1",
        f"{listed}?domain__name__startswith={quoted}",
        f"{listed}?session_version={quoted}",
    ]
    gets += [f"{reverse(page_of(Event, name))}?at__gte={quoted}" for name in ("changelist", "export")]
    gets += [f"{listed}{quoted}/{page}/" for page in ("change", "delete", "history", "password")]
    completion = f"{reverse('admin:autocomplete')}?app_label=accounts&model_name=mailboxgrant&field_name=owner"
    gets += [f"{completion}&term={quoted}", f"{completion}&term=&page={quoted}"]
    gets += [f"{reverse('admin:autocomplete')}?app_label={quoted}&model_name={quoted}&field_name={quoted}"]
    for url in gets:
        assert browser.get(url).status_code in {200, 302, 400, 403, 404}, url
    posts = [
        (listed, {"action": "suspend", "_selected_action": text}),
        (listed, {"action": text, "_selected_action": str(alice.pk)}),
        (reverse(page_of(Account, "add")), dict.fromkeys(new_account(), text)),
        (reverse(page_of(Group, "add")), {"local_part": text, "name": text, "kind": text, "posting": text}),
        (reverse(page_of(Address, "add")), {"account": text, "address": text}),
        (reverse(page_of(MailboxGrant, "add")), {"owner": text, "grantee": text, "level": text}),
        (reverse(page_of(Department, "add")), {"name": text, "parent": text, "position": text}),
        (reverse(page_of(Account, "password"), args=[alice.pk]), {"password1": text, "password2": text}),
        (reverse("admin:password_change"), {"old_password": text, "new_password1": text, "new_password2": text}),
        (reverse(page_of(Account, "change"), args=[alice.pk]), account_fields(alice) | {"addresses-TOTAL_FORMS": text}),
        (
            reverse(page_of(Account, "change"), args=[alice.pk]),
            account_fields(alice) | formset("addresses", [{"address": text, "id": text, "DELETE": text}]),
        ),
    ]
    for url, data in posts:
        assert browser.post(url, data).status_code in {200, 302, 400, 403, 404}, (url, data)


def new_account(**changes: Any) -> dict[str, Any]:
    data = {
        "local_part": "new",
        "name": "New",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "kind": "person",
        "role": "member",
        "language": "en",
        "time_zone": "Asia/Shanghai",
        "quota_bytes": 100,
    }
    return data | changes


def account_fields(account: Account) -> dict[str, Any]:
    data = new_account(local_part="", name=account.name, role=account.role)
    return data | formset("addresses", [])


def group_fields(group: Group) -> dict[str, Any]:
    return {"name": group.name, "kind": group.kind, "posting": group.posting, "description": ""} | formset(
        "members", []
    )


def domain_fields(domain: Domain) -> dict[str, Any]:
    names = ("title", "brand_colour", "language", "time_zone", "max_recipients", "max_aliases", "max_folders")
    rest = ("max_folder_depth", "max_labels", "recovery_days")
    return {name: getattr(domain, name) for name in (*names, *rest)}


def formset(prefix: str, rows: list[dict[str, Any]], *, initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def errors(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)[-3000:]
