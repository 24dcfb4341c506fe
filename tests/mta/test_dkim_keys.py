"""A domain's keys through their life, and the records it needs, against a name server on loopback."""

from __future__ import annotations

import datetime
import io
import ipaddress
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Domain
from accounts.services import add_domain_alias
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mta import tasks
from mta.models import DkimKey
from mta.records.check import check_domain, check_host, finish_rotation
from mta.records.wanted import wanted_records
from mta.services.dkim_keys import activate_keys, forget_retired, rotate_keys
from tests.factories import make_account, make_domain
from tests.mta.names import Zone, serving, txt

pytestmark = pytest.mark.django_db


def states(domain: Domain) -> list[tuple[str, str]]:
    return list(DkimKey.objects.filter(domain=domain).order_by("pk").values_list("kind", "state"))


def zone_of(domain: Domain, name: str = "") -> Zone:
    """A DNS that says all that it should."""
    zone: Zone = {}
    for each in wanted_records(domain):
        value = f"{each.priority} {each.value}." if each.kind == "MX" else f"{each.value}."
        text = txt(each.value) if each.kind == "TXT" else value
        zone.setdefault((each.name(name or domain.name), each.kind), []).append(text)
    return zone


def test_a_new_domain_has_a_key_of_each_kind_and_its_secret_is_sealed() -> None:
    domain = make_domain()
    assert states(domain) == [("rsa", "active"), ("ed25519", "active")]
    key = DkimKey.objects.filter(domain=domain)[0]
    assert key.public_record.startswith("v=DKIM1; k=")
    assert bytes(key.private).startswith(b"gAAAA")  # a Fernet token


def test_rotation_waits_for_the_dns_then_turns_then_forgets() -> None:
    domain = make_domain()
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    rotate_keys(domain, actor=boss)
    with pytest.raises(MailError) as caught:
        rotate_keys(domain)
    assert caught.value.kind is ErrorKind.IN_USE
    with serving({("example.test", "TXT"): [txt("v=spf1 -all")]}):
        assert not finish_rotation(domain)
    assert [state for _, state in states(domain)] == ["active", "active", "waiting", "waiting"]
    with serving(zone_of(domain)):
        tasks.turn_keys()
    assert [state for _, state in states(domain)] == ["retired", "retired", "active", "active"]
    assert forget_retired(timezone.now() + datetime.timedelta(days=13)) == 0
    assert forget_retired(timezone.now() + datetime.timedelta(days=15)) == 2
    acts = Event.objects.filter(kind=Kind.ADMIN, data__action__in=["rotate_dkim_keys", "activate_dkim_keys"]).order_by(
        "pk"
    )
    assert list(acts.values_list("actor", flat=True)) == ["boss@example.test", "system"]


def test_selectors_of_one_day_differ() -> None:
    domain = make_domain()
    rotate_keys(domain)
    activate_keys(domain)
    rotate_keys(domain)
    selectors = list(DkimKey.objects.filter(domain=domain).values_list("selector", flat=True))
    assert len(set(selectors)) == 6


def test_a_domain_that_is_older_than_signing_gets_keys() -> None:
    domain = make_domain()
    DkimKey.objects.all().delete()
    tasks.turn_keys()
    assert states(domain) == [("rsa", "active"), ("ed25519", "active")]


def test_strangers_may_not_rotate() -> None:
    stranger = make_account("b@other.test", role=Account.Role.DOMAIN_ADMIN)
    for act in (rotate_keys, activate_keys):
        with pytest.raises(MailError) as caught:
            act(make_domain(), actor=stranger)
        assert caught.value.kind is ErrorKind.NOT_FOUND


def test_wanted_records_follow_the_settings(settings: Any) -> None:
    settings.MX_HOSTS = ["mx1.host.test", "mx2.host.test"]
    settings.SPF_INCLUDE = "spf.host.test"
    found = [(each.host, each.kind, each.value, each.priority) for each in wanted_records(make_domain())]
    assert ("@", "MX", "mx1.host.test", 5) in found
    assert ("@", "MX", "mx2.host.test", 50) in found
    assert ("@", "TXT", "v=spf1 include:spf.host.test -all", None) in found
    assert [value for host, kind, value, _ in found if host == "webmail"] == [settings.PUBLIC_HOST]


def test_a_dns_that_says_all_is_correct_and_an_empty_one_lacks_all() -> None:
    domain = make_domain()
    with serving(zone_of(domain)):
        assert {str(each.state) for each in check_domain(domain)} == {"correct"}
    with serving({("other.test", "TXT"): [txt("x")]}):
        assert {str(each.state) for each in check_domain(domain)} == {"missing"}


@pytest.mark.parametrize(
    ("purpose", "host", "kind", "records", "state"),
    [
        ("spf", "", "TXT", ["v=spf1 mx include:other.test ~all"], "correct"),
        ("spf", "", "TXT", ["v=spf1 include:other.test -all"], "wrong"),
        ("spf", "", "TXT", ["v=spf1 mx -all", "v=spf1 -all"], "wrong"),
        ("spf", "", "TXT", ["google-site-verification=x"], "missing"),
        ("dmarc", "_dmarc.", "TXT", ["v=DMARC1; p=reject"], "correct"),
        ("dmarc", "_dmarc.", "TXT", ["v=DMARC1; q"], "wrong"),
        ("host", "webmail.", "CNAME", ["elsewhere.test."], "wrong"),
        ("mx", "", "MX", ["10 elsewhere.test."], "wrong"),
        ("mx", "", "MX", ["SERVFAIL"], "unknown"),
    ],
)
def test_what_is_found_is_judged(purpose: str, host: str, kind: str, records: list[str], state: str) -> None:
    domain = make_domain()
    shown = [txt(record) if kind == "TXT" else record for record in records]
    with serving({(f"{host}example.test", kind): shown, ("example.test", "A"): ["192.0.2.1"]}):
        checked = [each for each in check_domain(domain) if each.wanted.purpose == purpose]
    assert str(checked[0].state) == state
    if state == "wrong":
        assert sorted(checked[0].found) == sorted(record.rstrip(".") for record in records)


def test_another_key_in_the_place_of_ours_is_wrong() -> None:
    domain = make_domain()
    zone = zone_of(domain)
    [rsa, edwards] = [name for name in zone if "_domainkey" in name[0]]
    zone[rsa] = zone[edwards]
    with serving(zone):
        checked = {each.name: str(each.state) for each in check_domain(domain) if each.wanted.purpose == "dkim"}
    assert checked == {rsa[0]: "wrong", edwards[0]: "correct"}


@pytest.fixture
def boss(client: Client) -> Account:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN, language="en")
    client.force_login(boss)
    return boss


def test_the_page_shows_every_record_for_every_name_of_the_domain(client: Client, boss: Account) -> None:
    add_domain_alias(boss.domain, "example.alias")
    with serving(zone_of(boss.domain)):
        page = client.get(reverse("admin:mta_mailpolicy_dns", args=[boss.domain_id])).content.decode()
    wanted = len(wanted_records(boss.domain))
    assert page.count('data-state="correct"') == wanted
    assert page.count('data-state="missing"') == wanted
    assert page.count("data-copy=") == 4 * wanted
    assert "example.alias" in page


HOST = "mx.example.test"
FOUR, SIX = "93.184.216.34", "2606:2800:220:1::1"


def reversed_name(address: str) -> str:
    return ipaddress.ip_address(address).reverse_pointer


@pytest.mark.parametrize(
    ("pointers", "state", "found"),
    [
        ([f"{HOST}."], "correct", (HOST,)),
        (["a.host.test.", "mail.host.test."], "correct", ("mail.host.test",)),
        (["a.host.test."], "wrong", ("a.host.test",)),
        (["nowhere.test."], "wrong", ("nowhere.test",)),
        ([], "missing", ()),
        (["SERVFAIL"], "unknown", ()),
    ],
)
def test_the_name_of_each_address_must_lead_back(
    settings: Any, pointers: list[str], state: str, found: tuple[str, ...]
) -> None:
    settings.EHLO_NAME = HOST
    zone = {
        (HOST, "A"): [FOUR, "10.0.0.1"],
        (HOST, "AAAA"): [SIX],
        ("a.host.test", "A"): ["93.184.216.35"],
        ("mail.host.test", "A"): [FOUR],
        (reversed_name(FOUR), "PTR"): pointers,
        (reversed_name(SIX), "PTR"): [f"{HOST}."],
    }
    with serving(zone):
        checked = check_host()
    assert [(each.name, str(each.state)) for each in checked] == [
        (reversed_name(FOUR), state),
        (reversed_name(SIX), "correct"),
    ]
    assert checked[0].found == found


def test_the_page_has_the_servers_reverse_names(client: Client, boss: Account, settings: Any) -> None:
    settings.EHLO_NAME = HOST
    url = reverse("admin:mta_mailpolicy_dns", args=[boss.domain_id])
    with serving({(HOST, "A"): [FOUR], (reversed_name(FOUR), "PTR"): ["else.test."]}):
        page = client.get(url).content.decode()
        assert reversed_name(FOUR) in page
        assert page.count('data-state="wrong"') == 1
        assert '<div class="found">else.test</div>' in page
    with serving({(HOST, "A"): ["10.0.0.1"]}):
        assert "no public address" in client.get(url).content.decode()
    with serving({(HOST, "A"): ["SERVFAIL"]}):
        assert client.get(url).content.decode().count('data-state="unknown"') == 1


def test_keys_are_made_and_used_from_the_page(client: Client, boss: Account) -> None:
    for name in ("rotate", "activate"):
        url = reverse(f"admin:mta_mailpolicy_{name}", args=[boss.domain_id])
        before = states(boss.domain)
        assert client.get(url).status_code == 200
        assert states(boss.domain) == before  # GET asks, POST does
        assert client.post(url).status_code == 302
    assert [state for _, state in states(boss.domain)] == ["retired", "retired", "active", "active"]
    page = client.get(reverse("admin:mta_dkimkey_changelist")).content.decode()
    assert page.count("_domainkey") == 0
    assert "Retired" in page
    key = DkimKey.objects.filter(domain=boss.domain)[0]
    assert "v=DKIM1" in client.get(reverse("admin:mta_dkimkey_change", args=[key.pk])).content.decode()


def test_another_domains_page_does_not_exist(client: Client, boss: Account) -> None:
    other = make_domain("other.test")
    for name in ("dns", "rotate", "activate"):
        assert client.get(reverse(f"admin:mta_mailpolicy_{name}", args=[other.pk])).status_code == 404


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("dkim", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_checks_and_rotates() -> None:
    domain = make_domain()
    assert "_domainkey.example.test 3600 TXT v=DKIM1" in run("example.test")
    with serving(zone_of(domain)):
        assert run("example.test", "--check").count("correct") == len(wanted_records(domain))
    assert run("example.test", "--rotate").count("_domainkey.example.test TXT v=DKIM1") == 2
    with pytest.raises(CommandError):
        run("example.test", "--rotate")
    with serving({("example.test", "A"): ["192.0.2.1"]}):
        assert "No new keys" in run("example.test", "--finish")
    assert "sign from now on" in run("example.test", "--activate")
    with pytest.raises(CommandError):
        run("nowhere.test")
