"""A domain's DNS at night, and the letters about a new domain."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from accounts.models import Account
from accounts.services import create_domain
from mailstore.message import read
from mta.models import DomainRecords
from mta.records.wanted import wanted_records
from mta.services.domain_watch import check_all
from tests.factories import make_account
from tests.mta.names import Zone, serving, txt
from tests.mta.test_submit import mails

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = datetime.datetime(2030, 1, 1, 18, 0, tzinfo=datetime.UTC)  # two in the morning in Shanghai
DAY = datetime.timedelta(days=1)


def zone_of(account: Account) -> Zone:
    """What the domain's DNS should say."""
    zone: Zone = {}
    for each in wanted_records(account.domain):
        value = txt(each.value) if each.kind == "TXT" else f"{each.value}."
        value = f"{each.priority} {value}" if each.priority is not None else value
        zone.setdefault((each.name(account.domain.name), each.kind), []).append(value)
    return zone


def test_what_was_right_and_no_longer_is_is_told_once() -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    before = len(mails(boss, "inbox"))
    zone = zone_of(boss)
    spf = ("example.test", "TXT")
    with serving(zone):
        assert check_all(NIGHT) == 0
        assert len(DomainRecords.objects.get().right) >= 10
        right = zone.pop(spf)
        assert check_all(NIGHT) == 0, "once a night"
        assert check_all(NIGHT + DAY + datetime.timedelta(hours=6)) == 0, "by day nobody looks"
        assert check_all(NIGHT + DAY) == 1
        assert check_all(NIGHT + 2 * DAY) == 0, "it has been told"
        zone[spf] = right
        assert check_all(NIGHT + 3 * DAY) == 0
        zone[spf] = ["SERVFAIL"]
        assert check_all(NIGHT + 4 * DAY) == 0, "no answer is no news"
        zone.pop(spf)
        assert check_all(NIGHT + 5 * DAY) == 1
    letters = mails(boss, "inbox")[before:]
    assert len(letters) == 2
    assert "v=spf1" in read(letters[0]).text


def test_a_reverse_name_that_goes_is_told_to_the_first_domain_alone(settings: Any) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    other = make_account("boss@second.test", role=Account.Role.DOMAIN_ADMIN)
    before = len(mails(boss, "inbox")), len(mails(other, "inbox"))
    zone: Zone = {(settings.EHLO_NAME, "A"): ["93.184.216.34"]}
    pointer = ("34.216.184.93.in-addr.arpa", "PTR")
    zone[pointer] = [f"{settings.EHLO_NAME}."]
    with serving(zone):
        assert check_all(NIGHT) == 0
        zone.pop(pointer)
        assert check_all(NIGHT + DAY) == 1
    assert pointer[0] in read(mails(boss, "inbox")[-1]).text
    assert (len(mails(boss, "inbox")), len(mails(other, "inbox"))) == (before[0] + 1, before[1])


def test_the_first_administrator_gets_the_records_and_the_second_does_not() -> None:
    first = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    second = make_account("deputy@example.test", role=Account.Role.DOMAIN_ADMIN)
    (letter,) = mails(first, "inbox")
    text = read(letter).text
    assert "boss@example.test" in text
    assert all(each.value in text for each in wanted_records(first.domain))
    assert mails(second, "inbox") == []


def test_operators_hear_of_a_new_domain() -> None:
    operator = make_account("root@example.test", role=Account.Role.OPERATOR)
    create_domain("new.test")
    (letter,) = mails(operator, "inbox")
    assert "new.test" in (read(letter).subject or "")
